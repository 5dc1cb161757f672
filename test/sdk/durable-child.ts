import { once } from "node:events";
import type { ConfigInput } from "../../src/config/schema.js";
import { createRecorder } from "../../src/index.js";
import { order } from "./logged-fixture.js";

/** A process that records orders, tells how many it knows to be durable, and goes on until it is killed. Not a test by itself. */
const { config, rows, needsFiles } = JSON.parse(process.argv[2]!) as {
  config: ConfigInput;
  rows: number;
  needsFiles?: boolean;
};
const recorder = await createRecorder({ config });
// Told when ClickHouse is away.
process.stdout.write("ready\n");
await once(process.stdin, "data");
let number = 0;
for (; number < rows; number += 1) if (!recorder.orders.record(order(number))) throw new Error("refused");
await recorder.durable();
const appendedRows = async (): Promise<number> => (await recorder.stats()).rings["orders"]!.appended;
// A pipeline that kept up with a small ring has a hard time with as many again: some rows are to go to files.
while (needsFiles && (await appendedRows()) === 0) {
  for (const end = number + rows; number < end; number += 1) recorder.orders.record(order(number));
  await recorder.durable();
}
const appended = await appendedRows();
process.stdout.write(`${JSON.stringify({ durable: number, appended })}\n`);
const goOn = (): void => {
  for (const end = number + 100; number < end; number += 1) recorder.orders.record(order(number));
  setImmediate(goOn);
};
goOn();
