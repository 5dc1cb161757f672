import { ClickHouse } from "../../src/clickhouse/client.js";
import { Recorder } from "../../src/recorder.js";
import { NOON } from "../sink/rig.js";
import { loggedOptions } from "./recorder-rig.js";

/** Records rows until it is killed, and tells how many of them are durable. */
const { url, user, password, folder, name } = JSON.parse(process.env["PLACE"]!) as Record<string, string>;
const clickhouse = new ClickHouse({ url: url!, user: user!, password: password!, database: "default" });
const recorder = await Recorder.open(loggedOptions(clickhouse, folder!, name!));
const writer = recorder.table(name!);
for (let id = 0; ; ) {
  for (const end = id + 500; id < end; id += 1) writer.offer({ ts: NOON, id });
  await recorder.durable();
  process.send!(id);
}
