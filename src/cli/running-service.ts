import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ColdpathError, messageOf } from "../base/errors.js";
import { SECOND_MS } from "../base/units.js";
import type { LoadedConfig } from "../config/load.js";
import { parseListen } from "../service/open.js";
import { type Presence, presenceOf } from "../service/presence.js";

/** A service answers at once, but for what it is asked to wait for. */
const ANSWER_MS: number = 30 * SECOND_MS;
/** Rows are waited for until they are safe. */
const POST_MS: number = 90 * SECOND_MS;

/** The `coldpath serve` of a configuration, asked over HTTP. */
export class RunningService {
  readonly #loaded: LoadedConfig;

  constructor(loaded: LoadedConfig) {
    this.#loaded = loaded;
  }

  get url(): string {
    return this.#place().url;
  }

  /** Whether one of this data folder runs, or is starting or ending. */
  get isThere(): boolean {
    return presenceOf(this.#loaded.config) !== undefined;
  }

  /**
   * The answer to a request; undefined if nobody listens there.
   * @throws ColdpathError SERVICE_ANSWER if it does not do what was asked
   */
  async ask(method: "GET" | "POST", path: string, timeoutMs = ANSWER_MS): Promise<unknown> {
    const answer = await this.#request(method, path, { signal: AbortSignal.timeout(timeoutMs) });
    if (answer === undefined) return undefined;
    const { url, status, text } = answer;
    const json = jsonIn(text);
    if (status >= 300)
      throw new ColdpathError(
        "SERVICE_ANSWER",
        `${url} answered ${status}: ${reasonIn(text)}${this.#hint(status)}`,
      );
    if (json === undefined)
      throw new ColdpathError("SERVICE_ANSWER", `${url} is no coldpath: it answered no JSON`);
    return json;
  }

  /**
   * Sends lines of JSON, or nothing, and gives whatever the answer is.
   * @throws ColdpathError SERVICE_ABSENT, SERVICE_ANSWER if none comes
   */
  async post(
    path: string,
    body: string | undefined,
    signal: AbortSignal,
  ): Promise<{ status: number; json: unknown }> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(POST_MS)]);
    const answer = await this.#request("POST", path, { body, signal: limit });
    if (answer === undefined)
      throw new ColdpathError(
        "SERVICE_ABSENT",
        "the service has ended: run it again, nothing is stored twice",
      );
    const { status, text } = answer;
    return { status, json: jsonIn(text) ?? { error: { message: reasonIn(text) } } };
  }

  /** Whether what listens there is not of this data folder: it would have been found in it. */
  get isForeign(): boolean {
    return !this.#isNamed && !this.isThere;
  }

  #hint(status: number): string {
    if (status !== 401 || !this.isForeign) return "";
    return `. No service runs in ${this.#loaded.config.data_dir}: for that one go to its folder, or name its admin.token_file`;
  }

  /** Undefined if nobody listens there. */
  async #request(
    method: "GET" | "POST",
    path: string,
    { body, signal }: { readonly body?: string | undefined; readonly signal: AbortSignal },
  ): Promise<{ readonly url: string; readonly status: number; readonly text: string } | undefined> {
    const { url, tokenFile } = this.#place();
    const headers = {
      authorization: `Bearer ${tokenIn(tokenFile)}`,
      ...(body === undefined ? {} : { "content-type": "application/x-ndjson" }),
    };
    try {
      const answer = await fetch(`${url}${path}`, {
        method,
        headers,
        signal,
        ...(body === undefined ? {} : { body }),
      });
      return { url, status: answer.status, text: await answer.text() };
    } catch (error) {
      const { cause } = error as { cause?: NodeJS.ErrnoException };
      if (cause?.code === "ECONNREFUSED") return undefined;
      throw new ColdpathError("SERVICE_ANSWER", `${url}: ${messageOf(cause ?? error)}`, { cause: error });
    }
  }

  /** Looked up each time: a service that was restarted may be somewhere else. The address that the command line names counts first. */
  #place(): Presence {
    const { config } = this.#loaded;
    const { listen, token_file: tokenFile = join(config.data_dir, "admin-token") } = config.admin;
    return (this.#isNamed ? undefined : presenceOf(config)) ?? { url: `http://${listen}`, tokenFile };
  }

  get #isNamed(): boolean {
    const { config, originOf } = this.#loaded;
    return originOf("admin.listen") === "--set" && parseListen(config.admin.listen).port !== 0;
  }
}

/** Empty if there is none: then no service of this configuration has ever run, and another one that listens there will refuse. */
function tokenIn(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

function reasonIn(text: string): string {
  const said = jsonIn(text) as { error?: { message?: string } } | undefined;
  // Something else than coldpath may listen there.
  return said?.error?.message ?? text.slice(0, 200);
}

/** Undefined for what is none. */
function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
