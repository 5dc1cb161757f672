import { ColdpathError } from "../base/errors.js";
import { SECOND_MS } from "../base/units.js";
import type { Identity } from "../buffer/stamp.js";
import type { ClickHouse, Settings } from "../clickhouse/client.js";
import { UnreachableError } from "../clickhouse/error.js";
import type { AssumedTable } from "../schemas/assumed-table.js";
import { type Database, readDatabase } from "../schemas/introspect.js";
import { ClashWatch } from "./clash-watch.js";
import type { Report } from "./events.js";
import { readInsertSettings } from "./insert-settings.js";
import type { Lane } from "./lane.js";
import { requireOneStore } from "./one-store.js";
import { isRegistered, registerRun, type Start } from "./registration.js";
import { requireTokenMemory } from "./token-memory.js";

export interface LateStartOptions {
  readonly clickhouse: ClickHouse;
  readonly tables: readonly AssumedTable[];
  readonly laneOf: (table: string) => Lane;
  readonly identity: Identity;
  readonly start: Start;
  /** Throws if the user may not do what the recorder needs. */
  readonly rights: (() => Promise<void>) | undefined;
  readonly random: () => number;
  readonly report: Report;
}

/** A table that rows do not fit is looked at about so often. */
const LOOK_MS: number = 30 * SECOND_MS;

/** What a start asks of ClickHouse, asked later, because it was away then; before anything is sent. */
export class LateStart {
  readonly #options: LateStartOptions;
  readonly #closed = new AbortController();

  constructor(options: LateStartOptions) {
    this.#options = options;
  }

  /**
   * Asks all of it and registers the start. A table that is not as its rows were cut is paused until it is; the others go on.
   * @throws whatever keeps all tables from being written; it may be called again
   */
  async meet(): Promise<{ readonly settings: Settings; readonly clashes: ClashWatch }> {
    const { clickhouse, tables, identity, start, rights, report } = this.#options;
    await rights?.();
    const settings = await readInsertSettings(clickhouse);
    const database = await readDatabase(clickhouse);
    const unfit = new Map<AssumedTable, ColdpathError>();
    for (const table of tables) {
      const reason = await this.#whyUnfit(table, database);
      if (reason !== undefined) unfit.set(table, reason);
    }
    // A try before this one may have ended just behind it.
    if (!(await isRegistered(clickhouse, identity.run)))
      await registerRun(clickhouse, settings, identity, start);
    const clashes = await ClashWatch.start({ clickhouse, identity, log: start.log, report });
    for (const table of tables) {
      const columns = table.unknownColumns(database);
      if (columns.length > 0) report({ kind: "columns_unknown", table: table.name, columns });
    }
    for (const [table, reason] of unfit) void this.#hold(table, reason);
    return { settings, clashes };
  }

  /** Looks at tables that are held no more. */
  close(): void {
    this.#closed.abort();
  }

  async #hold(table: AssumedTable, reason: ColdpathError): Promise<void> {
    const { laneOf, random } = this.#options;
    const { signal } = this.#closed;
    const lane = laneOf(table.name);
    for (let why: ColdpathError | undefined = reason; why !== undefined; ) {
      lane.hold({ class: "pause", code: why.code, message: why.message });
      try {
        await lane.rest(LOOK_MS * (0.5 + random() / 2), signal);
      } catch {
        return;
      }
      why = await this.#lookAgain(table, why);
    }
    lane.free();
  }

  /** While ClickHouse does not answer the reason stays what it was. */
  async #lookAgain(table: AssumedTable, before: ColdpathError): Promise<ColdpathError | undefined> {
    try {
      return await this.#whyUnfit(table, await readDatabase(this.#options.clickhouse));
    } catch (error) {
      if (error instanceof UnreachableError) return before;
      if (error instanceof ColdpathError) return error;
      throw error;
    }
  }

  async #whyUnfit(table: AssumedTable, database: Database): Promise<ColdpathError | undefined> {
    const { clickhouse } = this.#options;
    const reason = table.compare(database);
    if (reason !== undefined) return reason;
    try {
      requireOneStore(clickhouse, [table]);
      await requireTokenMemory(clickhouse, [table]);
      return undefined;
    } catch (error) {
      if (error instanceof ColdpathError && error.code === "SCHEMA_MISMATCH") return error;
      throw error;
    }
  }
}
