/** `name` or `name:nth`, for the torture tests: this process is killed when it passes that point for the nth time. */
const WANTED = process.env["COLDPATH_TEST_CRASH_AT"];
const [name, nth = "1"] = WANTED?.split(":") ?? [];
let left = Number(nth);

/** A named place at which a test may have the process die as by `kill -9`; nothing else happens here. */
export function crashPoint(at: string): void {
  if (at !== name) return;
  left -= 1;
  if (left > 0) return;
  process.kill(process.pid, "SIGKILL");
  // The signal may take a moment to arrive, and nothing may be done after this point.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
