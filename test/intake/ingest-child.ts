import { ClickHouse } from "../../src/clickhouse/client.js";
import { ingestFiles } from "../../src/intake/ingest.js";
import { Recorder } from "../../src/recorder.js";
import { recorderOptions } from "./fixture.js";

/** A process that records its standard input into market_data until it is killed. Not a test by itself. */
const { url, user, password, folder } = JSON.parse(process.argv[2]!) as Record<string, string>;
const clickhouse = new ClickHouse({ url: url!, user: user!, password: password!, database: "coldpath" });
const recorder = await Recorder.open(
  recorderOptions(clickhouse, folder!, {
    class: "critical",
    flush: { rows: 500, bytes: 1 << 20, age: 20 },
    queue: { rows: 20_000 },
  }),
);
await ingestFiles({
  recorder,
  clickhouse,
  table: "market_data",
  files: ["-"],
  format: "ndjson",
  sourceName: "killed",
});
