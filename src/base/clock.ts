/** Time as the stages see it, so that tests can turn the hands. Deadlines of sockets stay on the real clock. */
export interface Clock {
  /** Milliseconds since some fixed moment; never jumps, never goes back. */
  monotonic(): number;
  /** Milliseconds since the Unix epoch by the host's clock; may jump. */
  wall(): number;
  /** Calls `run` once, `ms` from now at the earliest; the function returned takes that back. */
  after(ms: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** Resolves after `ms`; rejects with the signal's reason as soon as it is aborted. */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const onAbort = (): void => {
      cancel();
      reject(signal.reason);
    };
    const cancel = clock.after(ms, () => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    });
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

/** Resolves when the promise has settled, whichever way, or when `ms` have passed. */
export async function within(clock: Clock, ms: number, promise: Promise<unknown>): Promise<void> {
  const waited = new AbortController();
  const limit = sleep(clock, Math.max(0, ms), waited.signal);
  const either = Promise.allSettled([promise]);
  await Promise.race([either, limit]);
  waited.abort();
  await limit.catch(() => {});
}
