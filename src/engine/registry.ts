import { refusal } from "./exception.js";

/** `receiving` and `queued` requests are unknown to the engine; a `running` one is in `system.processes`. */
export type RequestState = "receiving" | "queued" | "running";

/** A request from its acceptance to its end. */
export class ActiveRequest {
  readonly queryId: string;
  readonly user: string;
  readonly text: string;
  readonly settings: ReadonlyMap<string, string>;
  /** Aborted when the client has gone or a KILL QUERY meant it. */
  readonly abort: AbortController = new AbortController();
  readonly startedAt: number = performance.now();
  state: RequestState = "receiving";
  readonly #ended: Promise<void>;
  #end: () => void = () => {};

  constructor(queryId: string, user: string, text: string, settings: ReadonlyMap<string, string>) {
    this.queryId = queryId;
    this.user = user;
    this.text = text;
    this.settings = settings;
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Resolves when nothing of the request runs any more: it can no longer change anything. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  end(): void {
    this.#end();
  }
}

/** All requests that are being received, wait or run. */
export class Registry {
  readonly #requests = new Map<string, ActiveRequest>();

  get all(): readonly ActiveRequest[] {
    return [...this.#requests.values()];
  }

  add(request: ActiveRequest): void {
    if (this.#requests.has(request.queryId)) {
      throw refusal(
        216,
        "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING",
        `Query with id = ${request.queryId} is already running.`,
      );
    }
    this.#requests.set(request.queryId, request);
  }

  remove(request: ActiveRequest): void {
    this.#requests.delete(request.queryId);
    request.end();
  }
}
