import { setTimeout as delay } from "node:timers/promises";
import type { Answer, Fault } from "./fault-proxy.js";

/** The connection breaks before ClickHouse has seen anything of the request. */
export const resetBeforeStore: Fault = {
  name: "reset before store",
  async befall(exchange) {
    exchange.reset();
  },
};

/** ClickHouse does the work; the connection breaks before its answer arrives. */
export const resetAfterStore: Fault = {
  name: "reset after store",
  async befall(exchange) {
    await exchange.forward();
    exchange.reset();
  },
};

/** Nothing comes back until the client gives up; ClickHouse sees nothing of it. */
export const hang: Fault = {
  name: "hang",
  befall: (exchange) => exchange.over,
};

/** ClickHouse does the work; nothing comes back until the client gives up. */
export const hangAfterStore: Fault = {
  name: "hang after store",
  async befall(exchange) {
    await exchange.forward();
    await exchange.over;
  },
};

/** The request takes so many milliseconds longer. */
export function slow(ms: number): Fault {
  return {
    name: "slow",
    async befall(exchange) {
      await delay(ms);
      await exchange.reply(await exchange.forward());
    },
  };
}

/** Something to wait for. */
export class Gate {
  readonly opened: Promise<void>;
  #open: () => void = () => {};

  constructor() {
    this.opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  open(): void {
    this.#open();
  }
}

/** The request goes on to ClickHouse when the gate opens, the answer back to the client. */
export function held(gate: Gate): Fault {
  return {
    name: "held",
    async befall(exchange) {
      await gate.opened;
      await exchange.reply(await exchange.forward());
    },
  };
}

/** The client's connection breaks at once; the request arrives at ClickHouse all the same, when the gate opens. */
export function late(gate: Gate): Fault {
  return {
    name: "late",
    async befall(exchange) {
      exchange.reset();
      await gate.opened;
      await exchange.forward();
    },
  };
}

/** Somebody else answers; ClickHouse sees nothing of it. */
export function answers(answer: Answer, name = `answer ${answer.status}`): Fault {
  return { name, befall: (exchange) => exchange.reply(answer) };
}

/** ClickHouse does the work; its answer is replaced. */
export function answersAfterStore(answer: Answer, name = `answer ${answer.status} after store`): Fault {
  return {
    name,
    async befall(exchange) {
      await exchange.forward();
      await exchange.reply(answer);
    },
  };
}

/** Only the first `share` (0 to 1) of the body reaches ClickHouse, as a whole request; its answer goes back. */
export function cutBody(share: number): Fault {
  return {
    name: "cut body",
    async befall(exchange) {
      const { body } = exchange.seen;
      await exchange.reply(await exchange.forward(body.subarray(0, Math.floor(body.length * share))));
    },
  };
}

/** ClickHouse does the work; its answer breaks off. */
export const cutAnswer: Fault = {
  name: "cut answer",
  async befall(exchange) {
    const answer = await exchange.forward();
    await exchange.cut(answer, answer.body.length + 100);
  },
};

/** What tells a ClickHouse from something in between. */
const SIGN = { "x-clickhouse-server-display-name": "fault proxy" };

/** A ClickHouse exception as a server sends it. */
export function exception(code: number, text = "Something is wrong", status = 500): Answer {
  return {
    status,
    headers: { ...SIGN, "content-type": "text/plain", "x-clickhouse-exception-code": String(code) },
    body: Buffer.from(exceptionText(code, text)),
  };
}

/** A success whose body is an exception: it came after the head had been sent. */
export function exceptionIn200(code: number, text = "Something is wrong"): Answer {
  return { status: 200, headers: SIGN, body: Buffer.from(exceptionText(code, text)) };
}

/** A success without a body whose header says that it is none: what a server gives that timed out reading the upload. */
export function headerOnly200(code: number): Answer {
  const headers = { ...SIGN, "x-clickhouse-exception-code": String(code) };
  return { status: 200, headers, body: Buffer.alloc(0) };
}

/** A proxy's page. */
export function html(status: number): Answer {
  const page = `<html><head><title>${status}</title></head><body><center><h1>${status}</h1></center></body></html>`;
  return { status, headers: { "content-type": "text/html" }, body: Buffer.from(page) };
}

function exceptionText(code: number, text: string): string {
  return `Code: ${code}. DB::Exception: ${text}. (SOME_ERROR) (version 26.7.2.1 (official build))\n`;
}
