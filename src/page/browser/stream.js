// @ts-check
/**
 * What the service sends as it happens (`/api/stream`). By `fetch` rather than `EventSource`: that cannot send the token
 * which reading needs when the service does not listen on loopback, and says nothing of why it failed.
 */

/** @typedef {{ event: string, id: string, data: string }} Message */
/**
 * @typedef {{ kind: "connecting" } | { kind: "live" } | Lost} Connection
 * @typedef {{ kind: "lost", reason: string, status: number | undefined, since: number, retryAt: number }} Lost
 */

/** The service sends its status each second: a longer silence is a dead connection, which the browser may not notice. */
const SILENCE_MS = 8000;
const RETRY_FIRST_MS = 500;
const RETRY_MOST_MS = 10_000;

/** Parses server-sent events, in whatever pieces they come. */
export class MessageParser {
  #rest = "";
  /** @type {string[]} */
  #data = [];
  #event = "";
  #id = "";

  /**
   * @param {string} text
   * @returns {Message[]} Those that are whole now.
   */
  push(text) {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    const whole = [];
    for (const line of lines) {
      const message = this.#line(line.endsWith("\r") ? line.slice(0, -1) : line);
      if (message !== undefined) whole.push(message);
    }
    return whole;
  }

  /**
   * @param {string} line
   * @returns {Message | undefined}
   */
  #line(line) {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.#data.push(value);
    else if (field === "event") this.#event = value;
    else if (field === "id") this.#id = value;
    return undefined;
  }

  #dispatch() {
    const [event, data] = [this.#event, this.#data];
    this.#event = "";
    this.#data = [];
    return data.length === 0 ? undefined : { event: event || "message", id: this.#id, data: data.join("\n") };
  }
}

/** Stays connected, and says when it is not. */
export class LiveStream {
  #options;
  #lastId = "";
  #failures = 0;
  /** @type {number | undefined} */
  #lostSince;
  /** @type {AbortController | undefined} */
  #running;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;

  /**
   * @param {{
   *   path: string,
   *   headers: () => Record<string, string>,
   *   onMessage: (message: Message) => void,
   *   onConnection: (connection: Connection) => void,
   * }} options
   */
  constructor(options) {
    this.#options = options;
  }

  /** Connects now, whatever it was doing. */
  connect() {
    clearTimeout(this.#retry);
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    if (this.#lostSince === undefined) this.#options.onConnection({ kind: "connecting" });
    this.#read(running).catch((/** @type {unknown} */ error) => {
      if (this.#running === running) this.#lost(error);
    });
  }

  /** @param {AbortController} running */
  async #read(running) {
    let heardAt = performance.now();
    const watch = setInterval(() => {
      if (performance.now() - heardAt > SILENCE_MS) running.abort(new Error("nothing came for a while"));
    }, 1000);
    try {
      const resume = this.#lastId === "" ? {} : { "last-event-id": this.#lastId };
      const answer = await fetch(this.#options.path, {
        headers: { accept: "text/event-stream", ...resume, ...this.#options.headers() },
        cache: "no-store",
        signal: running.signal,
      });
      if (!answer.ok || answer.body === null) throw new StreamError(answer.status);
      const parser = new MessageParser();
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) throw new Error("the service closed the connection");
        heardAt = performance.now();
        for (const message of parser.push(value)) this.#heard(message);
      }
    } finally {
      clearInterval(watch);
    }
  }

  /** @param {Message} message */
  #heard(message) {
    if (message.id !== "") this.#lastId = message.id;
    if (this.#failures > 0 || this.#lostSince !== undefined) {
      this.#failures = 0;
      this.#lostSince = undefined;
    }
    this.#options.onConnection({ kind: "live" });
    this.#options.onMessage(message);
  }

  /** @param {unknown} error */
  #lost(error) {
    const wait = Math.min(RETRY_MOST_MS, RETRY_FIRST_MS * 2 ** this.#failures);
    this.#failures += 1;
    this.#lostSince ??= Date.now();
    this.#retry = setTimeout(() => this.connect(), wait);
    this.#options.onConnection({
      kind: "lost",
      reason: reasonOf(error),
      status: error instanceof StreamError ? error.status : undefined,
      since: this.#lostSince,
      retryAt: Date.now() + wait,
    });
  }
}

/** @param {unknown} error */
function reasonOf(error) {
  // What a browser calls "Failed to fetch" is this.
  if (error instanceof TypeError) return "there is no connection to it";
  return error instanceof Error ? error.message : String(error);
}

/** The service answered, and not with a stream. */
class StreamError extends Error {
  /** @param {number} status */
  constructor(status) {
    super(`the service answered ${status}`);
    this.status = status;
  }
}
