import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../base/errors.js";
import type { Batch } from "../buffer/batch.js";
import type { Verdict } from "./answers.js";
import type { Report } from "./events.js";
import type { InsertHead } from "./inserter.js";

/** Keeps a copy of requests that ClickHouse calls wrong, so that the fault can be found: body and all that went with it. */
export class RequestDump {
  readonly #folder: string;
  readonly #report: Report;

  constructor(folder: string, report: Report) {
    this.#folder = folder;
    this.#report = report;
  }

  /** Writes `NAME.native` and `NAME.json`, once for each batch. A failure is reported, never thrown. */
  async write(batch: Batch, head: InsertHead, leftOut: ReadonlySet<string>, verdict: Verdict): Promise<void> {
    const where = { table: batch.table.name, batch: batch.name };
    const name = encodeURIComponent(String(head.settings["insert_deduplication_token"]));
    const path = join(this.#folder, `${name}.native`);
    const text = JSON.stringify({ ...head, code: verdict.code, answer: verdict.message }, undefined, 2);
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      await writeFile(path, batch.encode(undefined, leftOut), { flag: "wx", mode: 0o600 });
      await writeFile(join(this.#folder, `${name}.json`), `${text}\n`, { mode: 0o600 });
      this.#report({ kind: "request_dumped", ...where, path });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return;
      this.#report({ kind: "dump_failed", ...where, message: messageOf(error) });
    }
  }
}
