import type { Role } from "./access.js";
import { refusal } from "./exception.js";
import type { Progress } from "./progress.js";

/** Who ended a request before its time, as the engine says it. */
function cancelled(why: string): Error {
  return refusal(394, "QUERY_WAS_CANCELLED", `Query was cancelled: ${why}.`);
}

export interface RequestIdentity {
  readonly queryId: string;
  readonly user: string;
  readonly role: Role;
  readonly database: string;
  /** The statement without its data. */
  readonly text: string;
  readonly settings: ReadonlyMap<string, string>;
  /** The answer's head is to tell how far the statement came. */
  readonly tellsProgress: boolean;
}

/**
 * A request from its acceptance to its end. While its data is being received or it waits for a place, the engine does
 * not know it; a running one is in `system.processes`.
 */
export class ActiveRequest {
  readonly identity: RequestIdentity;
  readonly startedAt: number = performance.now();
  /** Resolves when nothing of the request runs any more: it can no longer change anything. */
  readonly ended: Promise<void>;
  /** Resolves when an aborted request has ended or the engine has been seen to cancel it. */
  readonly stopping: Promise<void>;
  /** Last seen of a running statement, if the answer is to tell it. */
  progress: Progress | undefined;
  readonly #abort = new AbortController();
  #end: () => void = () => {};
  #stop: () => void = () => {};

  constructor(identity: RequestIdentity) {
    this.identity = identity;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.stopping = new Promise((resolve) => {
      this.#stop = resolve;
    });
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Resolves when the request is aborted. */
  get aborted(): Promise<void> {
    return new Promise((resolve) => {
      if (this.signal.aborted) resolve();
      else this.signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  /** Drops the request if it has not started, else has the engine cancel it. */
  cancel(why: string): void {
    this.stop(cancelled(why));
  }

  /** As {@link cancel}, with the error that its client gets. */
  stop(reason: Error): void {
    this.#abort.abort(reason);
  }

  markStopping(): void {
    this.#stop();
  }

  end(): void {
    this.#stop();
    this.#end();
  }
}

/** All requests that are being received, wait or run. */
export class Registry {
  readonly #requests = new Map<string, ActiveRequest>();

  get all(): readonly ActiveRequest[] {
    return [...this.#requests.values()];
  }

  /** Takes a request in until it ends. @throws ClickHouseError 216 when its query id is in use */
  add(request: ActiveRequest): void {
    const { queryId } = request.identity;
    if (this.#requests.has(queryId)) {
      throw refusal(
        216,
        "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING",
        `Query with id = ${queryId} is already running.`,
      );
    }
    this.#requests.set(queryId, request);
    void request.ended.then(() => this.#requests.delete(queryId));
  }
}
