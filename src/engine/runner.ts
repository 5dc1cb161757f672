import { setTimeout as delay } from "node:timers/promises";
import { SECOND_MS } from "../base/units.js";
import type { ChdbResult, ChdbSession } from "./chdb.js";
import { refusal } from "./exception.js";
import { type Progress, watchProgress } from "./progress.js";
import type { ActiveRequest } from "./registry.js";
import type { Sessions } from "./sessions.js";
import type { Setup } from "./setup.js";

/** Milliseconds between two attempts to stop a statement. */
const KILL_INTERVAL_MS = 100;

/** Runs statements in the engine and stops those whose request was aborted. */
export class Runner {
  readonly sessions: Sessions;
  readonly #readerTimeMs: number;

  /** @param readerTimeMs milliseconds that a reader's statement may run */
  constructor(sessions: Sessions, readerTimeMs: number) {
    this.sessions = sessions;
    this.#readerTimeMs = readerTimeMs;
  }

  /**
   * Runs one statement. When the request is aborted before the statement starts, it does not start; when it is aborted
   * later, the engine is told to cancel, and this returns once the statement is over all the same. Time is kept here and
   * not by a setting of the engine, which the statement itself could change.
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
    let killing: Promise<ChdbResult | undefined> | undefined;
    const kill = async (): Promise<void> => {
      while (!isOver) {
        // It fails only if the engine does, and then the statement fails too.
        killing = this.sessions.query(`KILL QUERY WHERE ${mark} ASYNC`).catch(() => undefined);
        const killed = await killing;
        if (killed !== undefined && killed.bytes().length > 0) request.markStopping();
        if (!isOver) await delay(KILL_INTERVAL_MS);
      }
    };
    const watch = (): void => {
      const see = (progress: Progress | undefined): boolean => {
        request.progress = progress ?? request.progress;
        return !isOver;
      };
      // It fails only if the engine does, or at its memory limit: then nothing is told.
      watchProgress(this.sessions, mark, see).catch(() => {});
    };
    let isStarted = false;
    const onAbort = (): void => {
      if (isStarted) void kill();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    const timer = request.identity.role === "reader" ? this.#stopLater(request) : undefined;
    try {
      const result = await this.sessions.with(setup, (session) => {
        signal.throwIfAborted();
        isStarted = true;
        if (request.identity.tellsProgress) watch();
        return work(session);
      });
      // The engine calls a statement good that was cancelled between two blocks.
      signal.throwIfAborted();
      return result;
    } catch (error) {
      // The engine says only that it was cancelled, the reason says by whom.
      throw signal.aborted && isStarted ? signal.reason : error;
    } finally {
      isOver = true;
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      // A KILL under way would find the next statement of the same mark.
      await killing;
    }
  }

  #stopLater(request: ActiveRequest): NodeJS.Timeout {
    const seconds = this.#readerTimeMs / SECOND_MS;
    const text = `Timeout exceeded: without the password a statement may run ${seconds} seconds (engine.reader.max_time).`;
    return setTimeout(() => request.stop(refusal(159, "TIMEOUT_EXCEEDED", text)), this.#readerTimeMs);
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
