import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folders: string[] = [];

// At the very end: a test's hooks run in the order they were made, and an engine that still lives writes into its folder.
process.on("exit", () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** A new empty folder that goes away with the process of the test. */
export async function temporaryFolder(_t: unknown): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "coldpath-test-"));
  folders.push(folder);
  return folder;
}
