import type { TestContext } from "node:test";
import { GIB, MIB } from "../../src/base/units.js";
import type { WalEvent } from "../../src/wal/events.js";
import { LogClient, type LogClientOptions } from "../../src/wal/log-client.js";
import type { RowsRecord } from "../../src/wal/records.js";
import { Script } from "./disk-script.js";
import { rows } from "./sample.js";

const SCRIPTED = new URL("./worker-disk.js", import.meta.url);

/** A log's client on a disk that does what the script says, closed with the test. */
export async function openClient(
  t: TestContext,
  dir: string,
  options: Partial<LogClientOptions> = {},
  script: Script = new Script(),
) {
  const events: WalEvent[] = [];
  const opened = await LogClient.open({
    dir,
    segmentBytes: MIB,
    maxBytes: GIB,
    reserveBytes: MIB,
    emergencyDisk: 0.99,
    report: (event) => events.push(event),
    disk: { module: SCRIPTED, data: script.memory },
    ...options,
  });
  const { client } = opened;
  t.after(async () => {
    script.clear();
    await client.close();
  });
  const states = (): string[] => events.flatMap((event) => (event.kind === "wal_state" ? [event.to] : []));
  /** The same without slow ones: any machine's disk may be slow, and takes what it is given all the same. */
  const troubles = (): string[] =>
    ["ok", ...states()]
      .map((state) => (state === "slow" ? "ok" : state))
      .filter((state, at, all) => at > 0 && state !== all[at - 1]);
  return { ...opened, script, events, states, troubles };
}

/** A frame of one row, of so many bytes if that matters. */
export function row(seq: number, bytes?: number): RowsRecord {
  return rows(seq, 1, bytes === undefined ? {} : { payload: new Uint8Array(bytes).fill(seq) });
}

/** 1, 2, … `count` */
export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
