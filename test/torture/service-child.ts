import { readFileSync } from "node:fs";
import { loadConfig } from "../../src/config/load.js";
import type { ConfigInput } from "../../src/config/schema.js";
import { startService } from "../../src/service/serve.js";
import { type Standing, standingOf } from "./standing.js";
import { weaken } from "./weakened.js";

/** A service that takes rows over HTTP until it is killed, as `coldpath serve` runs it. */

export interface ServiceStart {
  readonly config: ConfigInput;
}

export type ServiceNews =
  | { readonly kind: "ready"; readonly url: string; readonly token: string }
  | { readonly kind: "replayed" }
  | Standing;

/** Everything has to be stored; whoever waits gives up when nothing gets on. */
const CLOSE_MS = 3_600_000;

const { config: values } = JSON.parse(process.argv[2]!) as ServiceStart;
process.on("disconnect", () => process.exit());
const load = () => loadConfig({ env: process.env, cwd: process.cwd(), values });
weaken();
const service = await startService(load(), load, { mayBeAway: true });
const tell = (news: ServiceNews): void => void process.send?.(news);
tell({ kind: "ready", url: service.adminUrl, token: readFileSync(service.tokenFile, "utf8").trim() });
const replayed = service.recorder.replayed().then(() => tell({ kind: "replayed" }));
process.on("message", async (order) => {
  if (order === "stand") tell(standingOf(service.recorder.stats()));
  if (order !== "finish") return;
  await replayed;
  await service.close(CLOSE_MS);
  process.disconnect?.();
});
