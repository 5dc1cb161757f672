import { setTimeout as delay } from "node:timers/promises";
import type { ChdbSession } from "./chdb.js";
import type { ActiveRequest } from "./registry.js";
import type { Sessions } from "./sessions.js";
import type { Setup } from "./setup.js";

/** Milliseconds between two attempts to stop a statement. */
const KILL_INTERVAL_MS = 100;

/** Runs statements in the engine and stops those whose request was aborted. */
export class Runner {
  readonly sessions: Sessions;

  constructor(sessions: Sessions) {
    this.sessions = sessions;
  }

  /**
   * Runs one statement. When the request is aborted before the statement starts, it does not start; when it is aborted
   * later, the engine is told to cancel, and this returns once the statement is over all the same.
   *
   * @param mark condition on `system.processes` that holds for this statement alone
   */
  async run<T>(
    request: ActiveRequest,
    mark: string,
    setup: Setup,
    work: (session: ChdbSession) => Promise<T>,
  ): Promise<T> {
    const { signal } = request;
    let isOver = false;
    const kill = async (): Promise<void> => {
      while (!isOver) {
        // It fails only if the engine does, and then the statement fails too.
        const killed = await this.sessions.query(`KILL QUERY WHERE ${mark} ASYNC`).catch(() => undefined);
        if (killed !== undefined && killed.bytes().length > 0) request.markStopping();
        if (!isOver) await delay(KILL_INTERVAL_MS);
      }
    };
    let isStarted = false;
    const onAbort = (): void => {
      if (isStarted) void kill();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await this.sessions.with(setup, (session) => {
        signal.throwIfAborted();
        isStarted = true;
        return work(session);
      });
    } finally {
      isOver = true;
      signal.removeEventListener("abort", onAbort);
    }
  }
}

/** Mark of a statement whose text has this name of a file or table, which no other statement's has. */
export function names(name: string): string {
  return `position(query, ${hex(name)}) > 0`;
}

/** Mark of a statement by its text and log comment. */
export function isText(request: ActiveRequest): string {
  const { text, settings } = request.identity;
  const comment = settings.get("log_comment") ?? "";
  return `query = ${hex(text)} AND Settings['log_comment'] = ${hex(comment)}`;
}

/** In hexadecimal, so that a KILL does not mean itself. */
function hex(text: string): string {
  return `unhex('${Buffer.from(text).toString("hex")}')`;
}
