import { fork } from "node:child_process";
import { once } from "node:events";
import { cpus, release, totalmem } from "node:os";

/** What one case in a process of its own reports. */
export interface Measured {
  readonly rows: number;
  /** Wall time from the first row offered to the last one stored. */
  readonly seconds: number;
  /** CPU time of the measuring process alone, user and system, over the same stretch. */
  readonly cpuSeconds: number;
  /** Peak resident memory of the measuring process. */
  readonly rssBytes: number;
}

/** A requirement on a figure: `atLeast` or `atMost` decides what `--check` calls a miss. */
export interface Requirement {
  readonly what: string;
  readonly value: number;
  readonly atLeast?: number;
  readonly atMost?: number;
  readonly unit: string;
}

/** Runs work and measures it; call inside the case's own process. */
export async function measure(rows: number, work: () => Promise<void>): Promise<Measured> {
  const cpu = process.cpuUsage();
  const start = process.hrtime.bigint();
  await work();
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const { user, system } = process.cpuUsage(cpu);
  return {
    rows,
    seconds,
    cpuSeconds: (user + system) / 1e6,
    rssBytes: process.resourceUsage().maxRSS * 1024,
  };
}

/** Starts a bench program as one of its cases and waits for what it sends; every case gets a fresh process. */
export async function runCase<T = Measured>(
  program: URL,
  name: string,
  execArgv: readonly string[] = [],
): Promise<T> {
  const child = fork(program, ["--case", name], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    execArgv: [...execArgv],
  });
  let measured: T | undefined;
  child.on("message", (message) => {
    measured = message as T;
  });
  const [code] = await once(child, "exit");
  if (measured === undefined || code !== 0) throw new Error(`case ${name} ended with ${code} and no figures`);
  return measured;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The value below which this part of the values lies, the nearest one there is. @param part 0 to 1 */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

/** The run with the median speed; all its figures belong together. */
export function medianRun(runs: readonly Measured[]): Measured {
  const sorted = [...runs].sort((a, b) => a.rows / a.seconds - b.rows / b.seconds);
  return sorted[Math.floor(sorted.length / 2)]!;
}

/** The machine the figures are from. */
export function machine(): Record<string, string | number> {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
  };
}

/** Prints each requirement with what was measured; returns whether all hold. */
export function judge(requirements: readonly Requirement[]): boolean {
  let fine = true;
  for (const { what, value, atLeast, atMost, unit } of requirements) {
    const holds = (atLeast === undefined || value >= atLeast) && (atMost === undefined || value <= atMost);
    fine &&= holds;
    const bound = atLeast === undefined ? `at most ${shown(atMost!)}` : `at least ${shown(atLeast)}`;
    console.log(`${holds ? "ok    " : "MISSED"}  ${what}: ${shown(value)} ${unit} (required ${bound})`);
  }
  return fine;
}

function shown(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en-US") : value.toFixed(3);
}
