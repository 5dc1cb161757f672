import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { startOfProcess } from "../base/process.js";
import type { Config } from "../config/schema.js";

/** Where a running service is to be found. */
export interface Presence {
  /** `http://127.0.0.1:9712` */
  readonly url: string;
  readonly tokenFile: string;
}

/** What the file holds: the process, too, since a killed one leaves its file behind. */
interface Announced extends Presence {
  readonly pid: number;
  readonly started: string | undefined;
}

/** Writes down where this process's service is; the function returned takes that back. */
export function announce(config: Config, { url, tokenFile }: Presence): () => void {
  const file = fileOf(config);
  const announced: Announced = { url, tokenFile, pid: process.pid, started: startOfProcess(process.pid) };
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(announced)}\n`, { mode: 0o600 });
  renameSync(draft, file);
  return () => {
    // Another service of this folder may have come since.
    if (read(file)?.pid === process.pid) rmSync(file, { force: true });
  };
}

/** The service that runs in the data folder of a configuration, wherever it listens; undefined if none does. */
export function presenceOf(config: Config): Presence | undefined {
  const announced = read(fileOf(config));
  if (announced === undefined) return undefined;
  const { url, tokenFile, pid, started } = announced;
  return startOfProcess(pid) === started ? { url, tokenFile } : undefined;
}

function fileOf({ data_dir }: Config): string {
  return join(data_dir, "service.json");
}

function read(file: string): Announced | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Announced;
  } catch (error) {
    // A crash of the machine may leave it empty.
    if ((error as NodeJS.ErrnoException).code === "ENOENT" || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
