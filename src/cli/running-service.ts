import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ColdpathError, messageOf } from "../base/errors.js";
import { SECOND_MS } from "../base/units.js";
import type { LoadedConfig } from "../config/load.js";
import { parseListen } from "../service/open.js";
import { type Presence, presenceOf } from "../service/presence.js";

/** A service answers at once, but for what it is asked to wait for. */
const ANSWER_MS: number = 30 * SECOND_MS;

/** The `coldpath serve` of a configuration, asked over HTTP. */
export class RunningService {
  readonly #loaded: LoadedConfig;

  constructor(loaded: LoadedConfig) {
    this.#loaded = loaded;
  }

  get url(): string {
    return this.#place().url;
  }

  /**
   * The answer to a request; undefined if nobody listens there.
   * @throws ColdpathError SERVICE_ANSWER if it does not do what was asked
   */
  async ask(method: "GET" | "POST", path: string, timeoutMs = ANSWER_MS): Promise<unknown> {
    const { url, tokenFile } = this.#place();
    let answer: Response;
    let text: string;
    try {
      const headers = { authorization: `Bearer ${tokenIn(tokenFile)}` };
      answer = await fetch(`${url}${path}`, { method, headers, signal: AbortSignal.timeout(timeoutMs) });
      text = await answer.text();
    } catch (error) {
      const { cause } = error as { cause?: NodeJS.ErrnoException };
      if (cause?.code === "ECONNREFUSED") return undefined;
      throw new ColdpathError("SERVICE_ANSWER", `${url}: ${messageOf(cause ?? error)}`, { cause: error });
    }
    if (answer.ok) return JSON.parse(text);
    throw new ColdpathError("SERVICE_ANSWER", `${url} answered ${answer.status}: ${reasonIn(text)}`);
  }

  /** Looked up each time: a service that was restarted may be somewhere else. The address that the command line names counts first. */
  #place(): Presence {
    const { config, originOf } = this.#loaded;
    const { listen, token_file: tokenFile = join(config.data_dir, "admin-token") } = config.admin;
    const isNamed = originOf("admin.listen") === "--set" && parseListen(listen).port !== 0;
    return (isNamed ? undefined : presenceOf(config)) ?? { url: `http://${listen}`, tokenFile };
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
  try {
    return (JSON.parse(text) as { error: { message: string } }).error.message;
  } catch {
    // Something else than coldpath listens there.
    return text.slice(0, 200);
  }
}
