import { setTimeout as delay } from "node:timers/promises";
import type { ChdbResult, ChdbSession } from "./chdb.js";
import type { ActiveRequest } from "./registry.js";
import type { Sessions, Setup } from "./sessions.js";

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
  async run(
    request: ActiveRequest,
    mark: string,
    setup: Setup,
    work: (session: ChdbSession) => Promise<ChdbResult>,
  ): Promise<ChdbResult> {
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

/** Mark of a statement whose text names this file, which no other statement's does. */
export function namesFile(file: string): string {
  return `position(query, ${hex(file)}) > 0`;
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
