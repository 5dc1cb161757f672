import { ClickHouse } from "../../src/clickhouse/client.js";
import { startLogged } from "./logged-service.js";

/** A service of its own, until it is killed. Not a test by itself. */
const { url, user, password, folder } = JSON.parse(process.argv[2]!) as Record<string, string>;
const clickhouse = new ClickHouse({ url: url!, user: user!, password: password!, database: "coldpath" });
const service = await startLogged(clickhouse, folder!);
process.stdout.write(`${JSON.stringify({ url: service.url, token: service.token })}\n`);
