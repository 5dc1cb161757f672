import { quoteName, quoteString } from "../clickhouse/quote.js";
import type { ChdbSession } from "./chdb.js";
import { type Held, type Setup, setUp } from "./setup.js";

/** What statements of a session have changed for the next ones, apart from temporary tables. */
interface State {
  readonly database: string;
  /** Settings that differ from their defaults. */
  readonly settings: ReadonlyMap<string, string>;
  readonly timeZone: string;
}

/**
 * An engine session that outlives its requests. What a request brings itself (settings, parameters, database) is
 * taken back after it, so that only SET, USE and temporary tables stay.
 */
export class HeldSession implements Held {
  readonly #open: () => ChdbSession;
  /** Opened when a statement could leave something behind; until then any engine session will do. */
  #session: ChdbSession | undefined;
  #state: State | undefined;
  #isBroken = false;

  constructor(open: () => ChdbSession) {
    this.#open = open;
  }

  /** It was lost in an unknown state, with all that statements had left in it. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  get isBlank(): boolean {
    return this.#session === undefined;
  }

  /** Time zone of its DateTime values; undefined while it is the engine's own. */
  get timeZone(): string | undefined {
    return this.#state?.timeZone;
  }

  async with<T>(setup: Setup, work: (session: ChdbSession) => Promise<T>): Promise<T> {
    this.#session ??= this.#open();
    const session = this.#session;
    this.#state ??= await readState(session);
    // What a SET or USE sets is the session's; what came beside it would be mixed up with that.
    const isChanged = setup.leaves === "settings";
    const own = isChanged ? { ...setup, database: undefined, settings: NONE } : setup;
    const undo = undoStatements(own, this.#state);
    let isGood = false;
    try {
      const queryMax = this.#state.settings.get("max_query_size");
      await setUp(session, own, queryMax === undefined ? undefined : quoteString(queryMax));
      const result = await work(session);
      isGood = true;
      return result;
    } finally {
      // After a failure the session shows that it still answers.
      if (undo.length === 0 && !isGood) undo.push("SELECT 1");
      await this.#restore(session, undo, isChanged);
    }
  }

  /** Gives the engine session back. It begins anew if it is used after that. */
  close(): void {
    this.#session?.close();
    this.#session = undefined;
    this.#state = undefined;
  }

  async #restore(session: ChdbSession, undo: readonly string[], isChanged: boolean): Promise<void> {
    try {
      if (undo.length > 0) await session.queryAsync(undo.join("; "));
      if (isChanged) this.#state = await readState(session);
    } catch (error) {
      // In an unknown state it must not serve the next request.
      this.close();
      this.#isBroken = true;
      throw error;
    }
  }
}

const NONE: ReadonlyMap<string, string> = new Map();

/** Statements that take back what {@link setUp} does. */
function undoStatements(setup: Setup, state: State): string[] {
  const statements: string[] = [];
  // The engine lets a setting return to its default even where it may not be changed, and this one comes first.
  const isReadonly = setup.readonly || setup.settings.has("readonly");
  if (isReadonly && !state.settings.has("readonly")) statements.push("SET readonly = DEFAULT");
  const assignments = [...setup.settings.keys()].map((name) => {
    const value = state.settings.get(name);
    return `${name} = ${value === undefined ? "DEFAULT" : quoteString(value)}`;
  });
  if (assignments.length > 0) statements.push(`SET ${assignments.join(", ")}`);
  if (setup.database !== undefined) statements.push(`USE ${quoteName(state.database)}`);
  return statements;
}

/** What a SET may have changed and would keep the state from being read, or in another form. */
const UNDISTURBED = [
  ...["limit", "offset", "max_execution_time", "max_estimated_execution_time", "use_query_cache"],
  ...["max_rows_to_read", "max_bytes_to_read", "max_columns_to_read", "max_temporary_columns"],
  ...["max_rows_to_group_by", "max_result_rows", "max_result_bytes", "extremes"],
  "output_format_json_map_as_array_of_tuples",
]
  .map((name) => `${name} = 0`)
  .join(", ");

async function readState(session: ChdbSession): Promise<State> {
  const result = await session.queryAsync(
    "SELECT currentDatabase(), timezone(), " +
      "(SELECT mapFromArrays(groupArray(name), groupArray(value)) FROM system.settings WHERE changed) " +
      `SETTINGS ${UNDISTURBED}`,
    { format: "JSONCompactEachRow" },
  );
  const [database, timeZone, settings] = JSON.parse(Buffer.from(result.bytes()).toString("utf8")) as [
    string,
    string,
    Record<string, string>,
  ];
  return { database, timeZone, settings: new Map(Object.entries(settings)) };
}
