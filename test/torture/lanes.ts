import { join } from "node:path";
import type { ConfigInput } from "../../src/config/schema.js";
import type { Random } from "../support/random.js";
import { HttpProducer } from "./http-producer.js";
import { Victim } from "./process.js";
import type { RecorderNews, RecorderStart } from "./recorder-child.js";
import type { ServiceNews, ServiceStart } from "./service-child.js";

/** A recorder with its folder, which is started and killed many times. */
export interface Lane {
  readonly name: string;
  readonly folder: string;
  /** Whether its pipeline is a thread that can be killed by itself. */
  readonly hasThread: boolean;
  /** Files of its producers. */
  readonly ledgers: readonly string[];
  /** Whether it comes by that point of the source. */
  passes(point: string): boolean;
  /** @param crashAt `name:nth` of the point where it has to die by itself */
  start(crashAt?: string): Victim;
  /** The command that tries its dead letters again, beside the recorder or without one. @param crashAt as in {@link start} */
  retry(crashAt?: string): Victim;
  /** Once the victim has told that it is ready. */
  serve(victim: Victim): Promise<void>;
  /** Rows of its life that are acknowledged. */
  progress(victim: Victim): number;
  /** Nothing new is offered; resolves when the producer knows what became of all it offered. */
  finish(victim: Victim): Promise<void>;
}

export interface LaneOptions {
  readonly name: string;
  readonly folder: string;
  readonly config: ConfigInput;
  /** The same, for commands. */
  readonly configFile: string;
  readonly env: Readonly<Record<string, string>>;
  /** The next number of a life. */
  readonly nextLife: () => number;
  readonly poisonEvery: number;
}

function retry({ configFile, env }: LaneOptions, crashAt: string | undefined): Victim {
  const program = new URL("../../src/cli/main.js", import.meta.url);
  return new Victim(
    program,
    ["dead-letter", "retry", "--all", "--json", "--config", configFile],
    env,
    crashAt,
  );
}

/** A trading process with the library in it: it dies with its recorder, and cannot offer anything again. */
export class LibraryLane implements Lane {
  readonly hasThread = true;
  readonly name: string;
  readonly folder: string;
  readonly ledgers: string[] = [];
  readonly #options: LaneOptions & { readonly rowsPerSecond: number };

  constructor(options: LaneOptions & { readonly rowsPerSecond: number }) {
    this.name = options.name;
    this.folder = options.folder;
    this.#options = options;
  }

  passes(point: string): boolean {
    return !point.startsWith("http.");
  }

  start(crashAt?: string): Victim {
    const { config, env, nextLife, poisonEvery, rowsPerSecond } = this.#options;
    const life = nextLife();
    const ledger = join(this.folder, `ledger-${life}.ndjson`);
    this.ledgers.push(ledger);
    const start: RecorderStart = { config, life, ledger, rowsPerSecond, poisonEvery };
    const program = new URL("./recorder-child.js", import.meta.url);
    return new Victim(program, [JSON.stringify(start)], env, crashAt);
  }

  retry(crashAt?: string): Victim {
    return retry(this.#options, crashAt);
  }

  async serve(): Promise<void> {}

  progress(victim: Victim): number {
    return victim.latest<RecorderNews & { readonly kind: "progress" }>("progress")?.rows ?? 0;
  }

  async finish(victim: Victim): Promise<void> {
    victim.order("finish");
  }
}

/** A service, and a producer beside it that outlives it and sends again what was not answered. */
export class ServiceLane implements Lane {
  readonly hasThread = false;
  readonly name: string;
  readonly folder: string;
  readonly ledgers: string[] = [];
  readonly #options: LaneOptions;
  readonly #random: Random;
  #producer: HttpProducer | undefined;
  /** Acknowledged by the lives before. */
  #before = 0;

  constructor(options: LaneOptions, random: Random) {
    this.name = options.name;
    this.folder = options.folder;
    this.#options = options;
    this.#random = random;
  }

  passes(): boolean {
    return true;
  }

  start(crashAt?: string): Victim {
    const { config, env, nextLife, poisonEvery } = this.#options;
    if (this.#producer === undefined) {
      const life = nextLife();
      const ledger = join(this.folder, `ledger-${life}.ndjson`);
      this.ledgers.push(ledger);
      this.#producer = new HttpProducer(ledger, life, this.#random, poisonEvery);
    }
    // The one before is dead.
    this.#producer.address = undefined;
    const program = new URL("./service-child.js", import.meta.url);
    return new Victim(program, [JSON.stringify({ config } satisfies ServiceStart)], env, crashAt);
  }

  retry(crashAt?: string): Victim {
    return retry(this.#options, crashAt);
  }

  async serve(victim: Victim): Promise<void> {
    this.#producer!.address = await victim.told<ServiceNews & { readonly kind: "ready" }>("ready", 0);
    this.#before = this.#producer!.acknowledged;
  }

  progress(): number {
    return this.#producer!.acknowledged - this.#before;
  }

  async finish(victim: Victim): Promise<void> {
    await this.#producer!.finish();
    this.#producer = undefined;
    victim.order("finish");
  }
}
