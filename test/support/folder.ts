import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EngineContext } from "./engine.js";

/** A new empty folder that goes away with the test. */
export async function temporaryFolder(t: EngineContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "coldpath-test-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
