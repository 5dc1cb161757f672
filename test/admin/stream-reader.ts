import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { Live } from "../../src/live/live.js";
import type { RecorderStats } from "../../src/recorder.js";
import { Recorded } from "../live/recorded.js";
import { ManualClock } from "../support/clock.js";
import { until } from "../support/until.js";
import { type BareServer, startBare } from "./bare-server.js";

/** A reader of the stream that keeps all it was told, or does not read at all. */
export class Reader {
  readonly socket: Socket;
  text = "";
  closed = false;

  constructor(t: TestContext, { admin }: BareServer, lines: readonly string[] = []) {
    this.socket = connect(Number(new URL(admin.url).port), "127.0.0.1");
    this.socket.setEncoding("utf8");
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.closed = true;
    });
    t.after(() => this.socket.destroy());
    this.socket.write(["GET /api/stream HTTP/1.1", "Host: 127.0.0.1", ...lines, "", ""].join("\r\n"));
  }

  read(): this {
    this.socket.on("data", (text: string) => {
      this.text += text;
    });
    return this;
  }

  has(pattern: RegExp): Promise<void> {
    return until(`${pattern}`, () => {
      assert.equal(this.closed, false, "the stream has ended");
      return pattern.test(this.text);
    });
  }
}

/** A server whose recorder and clock are the test's. @param name of the recorder, which makes what is told as long as one of many tables has it */
export async function startLive(
  t: TestContext,
  name = "desk",
): Promise<BareServer & { clock: ManualClock; recorded: Recorded }> {
  const clock = new ManualClock();
  const recorded = new Recorded();
  const stats = (): RecorderStats => ({ ...recorded.stats(), recorder: name });
  const live = new Live({ stats, landingSeconds: () => 60, clock });
  return { ...(await startBare(t, { live })), clock, recorded };
}
