import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ColdpathError, messageOf } from "../base/errors.js";
import type { Config } from "../config/schema.js";

/** The `coldpath serve` of a configuration, asked over HTTP. */
export class RunningService {
  readonly url: string;
  readonly #tokenFile: string;

  constructor({ admin, data_dir }: Config) {
    this.url = `http://${admin.listen}`;
    this.#tokenFile = admin.token_file ?? join(data_dir, "admin-token");
  }

  /**
   * The answer to a request; undefined if nobody listens there.
   * @throws ColdpathError SERVICE_ANSWER if it does not do what was asked
   */
  async ask(method: "GET" | "POST", path: string): Promise<unknown> {
    let answer: Response;
    try {
      const headers = { authorization: `Bearer ${this.#token()}` };
      answer = await fetch(`${this.url}${path}`, { method, headers });
    } catch (error) {
      const { cause } = error as { cause?: NodeJS.ErrnoException };
      if (cause?.code === "ECONNREFUSED") return undefined;
      throw new ColdpathError("SERVICE_ANSWER", `${this.url}: ${messageOf(cause ?? error)}`, {
        cause: error,
      });
    }
    const text = await answer.text();
    if (answer.ok) return JSON.parse(text);
    throw new ColdpathError("SERVICE_ANSWER", `${this.url} answered ${answer.status}: ${reasonIn(text)}`);
  }

  /** Empty if there is none: then no service of this configuration has ever run, and another one that listens there will refuse. */
  #token(): string {
    try {
      return readFileSync(this.#tokenFile, "utf8").trim();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
      throw error;
    }
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
