import { setTimeout as delay } from "node:timers/promises";
import { ClickHouse } from "../../src/clickhouse/client.js";
import { Recorder } from "../../src/recorder.js";
import { NOON } from "../sink/rig.js";
import { loggedOptions } from "../wal/recorder-rig.js";
import { spooled } from "./spool-rig.js";

/** Records rows until it is killed, and tells how many were offered, are in the spool, and were stored. */
const { url, user, password, folder, name, first } = JSON.parse(process.env["PLACE"]!) as Record<
  string,
  string
>;
const clickhouse = new ClickHouse({ url: url!, user: user!, password: password!, database: "default" });
const place = { folder: folder! };
const [options, table] = spooled(place);
const recorder = await Recorder.open({ ...loggedOptions(clickhouse, folder!, name!, table), ...options });
const writer = recorder.table(name!);
for (let id = Number(first); ; ) {
  for (const end = id + 100; id < end; id += 1) writer.offer({ ts: NOON, id });
  const { spool, tables, link } = recorder.stats();
  const { stored, pending } = tables[name!]!;
  process.send!({
    run: recorder.run.toString(),
    offered: id,
    spooled: spool![name!]!.rows,
    stored,
    pending: pending.rows,
    link: link.state,
  });
  await delay(5);
}
