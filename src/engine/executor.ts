import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { formatSize, GIB } from "../base/units.js";
import type { Role } from "./access.js";
import type { ChdbSession } from "./chdb.js";
import { refusal } from "./exception.js";
import type { EngineFolder } from "./folder.js";
import { IncomingBudget } from "./incoming-budget.js";
import { answerOf, killQuery } from "./kill.js";
import { Lane } from "./lane.js";
import type { EngineLimits } from "./limits.js";
import { inRevision, type ResultFormat, wholeInRevision } from "./native-revision.js";
import type { ActiveRequest, Registry } from "./registry.js";
import { streamThrough } from "./result-stream.js";
import { isText, names, Runner } from "./runner.js";
import type { Sessions } from "./sessions.js";
import type { Setup } from "./setup.js";
import { spool } from "./spool.js";
import type {
  FromFile,
  InsertStatement,
  KillStatement,
  PlainStatement,
  SelectStatement,
} from "./statement.js";
import { couldReadFiles, LITERALS_ONLY } from "./values-data.js";
import { collect, type WholeResult } from "./whole-result.js";

/** What the engine counted. */
export interface Counts {
  /** Rows of the result; for an INSERT, rows that came in. */
  readonly rowsRead: number;
  readonly bytesRead: number;
  /** Seconds. */
  readonly elapsed: number;
}

/** Statements of a kind that run at once, and requests of that kind that may wait for a place. */
const INSERTS_AT_ONCE = 2;
const WRITES_AT_ONCE = 2;
/** With the password. */
export const OWNER_READS_AT_ONCE = 4;
/** Without. */
export const READER_READS_AT_ONCE = 6;
const WAITING_MAX = 200;

/** Reads that run at once, with the password and without. */
export const READS_AT_ONCE: number = OWNER_READS_AT_ONCE + READER_READS_AT_ONCE;

/** Bytes of a whole result, as the engine counts them before formatting. */
const WHOLE_MAX = String(4 * GIB);

/** Counts of what never ran. */
export const NOTHING: Counts = { rowsRead: 0, bytesRead: 0, elapsed: 0 };

/** Runs the statements of requests, each kind in its lane. A request has ended when its method has. */
export class Executor {
  readonly #runner: Runner;
  readonly #folder: EngineFolder;
  readonly #registry: Registry;
  readonly #budget: IncomingBudget;
  readonly #readerResult: number;
  readonly #inserts = new Lane([...Array(INSERTS_AT_ONCE).keys()], WAITING_MAX);
  readonly #writes = new Lane([...Array(WRITES_AT_ONCE).keys()], WAITING_MAX);
  /** Apart, so that whoever only reads cannot keep the recorder waiting. */
  readonly #reads: Readonly<Record<Role, Lane<string>>>;
  /** SELECTs that run. */
  #reading = 0;

  /** @param pipes named pipes for streamed results; {@link READS_AT_ONCE} of them */
  constructor(
    sessions: Sessions,
    folder: EngineFolder,
    registry: Registry,
    pipes: readonly string[],
    limits: EngineLimits,
  ) {
    this.#runner = new Runner(sessions, limits.reader.maxTimeMs);
    this.#budget = new IncomingBudget(limits.incoming);
    this.#readerResult = limits.reader.maxResult;
    this.#folder = folder;
    this.#registry = registry;
    this.#reads = {
      owner: new Lane(pipes.slice(0, OWNER_READS_AT_ONCE), WAITING_MAX),
      reader: new Lane(pipes.slice(OWNER_READS_AT_ONCE), WAITING_MAX),
    };
  }

  /** Receives the data of an INSERT into a file, then runs it. */
  async insert(
    request: ActiveRequest,
    statement: InsertStatement,
    setup: Setup,
    data: { readonly ahead: Buffer; readonly body: Readable | undefined; readonly compression: string },
  ): Promise<Counts> {
    const name = randomUUID();
    const file = join(this.#folder.incoming, name);
    const share = this.#budget.open();
    try {
      await spool(file, data.ahead, data.body, request.signal, share);
      const { compression } = data;
      const mayEvaluate = !/^values$/i.test(statement.format) || !(await couldReadFiles(file, compression));
      const settings = mayEvaluate ? "" : LITERALS_ONLY;
      const statements = statement.fromFile({ file, compression, name, settings });
      return await this.#inserts.run(request.signal, () =>
        this.#runner.run(request, names(name), setup, (session) =>
          runAll(session, statements, request.signal),
        ),
      );
    } finally {
      await rm(file, { force: true });
      share.give();
      request.end();
    }
  }

  /** Runs a statement with a small result or none. */
  async plain(
    request: ActiveRequest,
    statement: PlainStatement,
    setup: Setup,
    format: ResultFormat,
  ): Promise<WholeResult<Counts>> {
    const inMemory = (): Promise<WholeResult<Counts>> =>
      this.#inMemory(request, statement.text, setup, format);
    try {
      return statement.kind === "write"
        ? await this.#writes.run(request.signal, inMemory)
        : await this.#reads[request.identity.role].run(request.signal, inMemory);
    } finally {
      request.end();
    }
  }

  /** Runs a SELECT to its end before anything of its result is handed out. */
  async whole(
    request: ActiveRequest,
    statement: SelectStatement,
    setup: Setup,
    format: ResultFormat,
  ): Promise<WholeResult<Counts>> {
    const limited = { ...setup, settings: withResultLimit(setup.settings) };
    try {
      const file = join(this.#folder.outgoing, randomUUID());
      return await collect(this.#select(request, statement, limited, format), file);
    } finally {
      request.end();
    }
  }

  /**
   * Runs a SELECT and yields its result as it comes. Throws before the first piece unless the first mebibyte
   * or the whole result was good.
   */
  async *stream(
    request: ActiveRequest,
    statement: SelectStatement,
    setup: Setup,
    format: ResultFormat,
  ): AsyncGenerator<Buffer, Counts> {
    try {
      return yield* this.#select(request, statement, setup, format);
    } finally {
      request.end();
    }
  }

  async *#select(
    request: ActiveRequest,
    statement: SelectStatement,
    setup: Setup,
    format: ResultFormat,
  ): AsyncGenerator<Buffer, Counts> {
    const { place: pipe, leave } = await this.#reads[request.identity.role].enter(request.signal);
    let hasYielded = false;
    this.#reading += 1;
    try {
      const start = async (): Promise<Counts> => {
        try {
          const own = this.#shared({ ...setup, settings: withSmallGroups(setup.settings, format.name) });
          const counts = await this.#runner.run(request, names(pipe), own, (session) =>
            session.queryAsync(statement.into(pipe), { format: format.name }),
          );
          // The engine is done, whenever the client takes the rest.
          request.end();
          return counts;
        } catch (error) {
          if (!isSyntaxError(error)) request.end();
          throw error;
        }
      };
      const stop = (): void => request.cancel("the client has gone");
      const pieces = inRevision(streamThrough(pipe, start, stop, request.signal), format);
      let bytes = 0;
      try {
        for (let next = await pieces.next(); ; next = await pieces.next()) {
          if (next.done === true) return next.value;
          bytes += next.value.length;
          if (request.identity.role === "reader" && bytes > this.#readerResult) throw this.#tooLarge();
          hasYielded = true;
          yield next.value;
        }
      } finally {
        await pieces.return(NOTHING);
      }
    } catch (error) {
      if (hasYielded || !isSyntaxError(error)) throw error;
      const { body, counts } = await this.#inMemory(request, statement.text, setup, format);
      yield body;
      return counts;
    } finally {
      this.#reading -= 1;
      leave();
    }
  }

  /**
   * The threads of a result's statement, unless its request says: reads beside each other share the cores, where each would
   * take all of them from the inserts.
   */
  #shared(setup: Setup): Setup {
    if (setup.held !== undefined || setup.settings.has("max_threads")) return setup;
    const threads = Math.max(1, Math.floor(availableParallelism() / this.#reading));
    return { ...setup, settings: new Map([...setup.settings, ["max_threads", String(threads)]]) };
  }

  /** Runs a KILL QUERY; its own place in the engine, for it must get through when all lanes are full. */
  async kill(
    request: ActiveRequest,
    statement: KillStatement,
    setup: Setup,
    format: ResultFormat,
  ): Promise<WholeResult<Counts>> {
    try {
      const { sessions } = this.#runner;
      const killed = await killQuery(statement, request, this.#registry, sessions, setup);
      const counts = await sessions.query(answerOf(killed), format.name);
      const body = wholeInRevision(Buffer.from(counts.bytes()), format);
      return { counts, body, bytes: body.length };
    } finally {
      request.end();
    }
  }

  /** The engine's own limit would not do: the statement could change it. */
  #tooLarge(): Error {
    const max = formatSize(this.#readerResult);
    return refusal(
      396,
      "TOO_MANY_ROWS_OR_BYTES",
      `Limit for result exceeded: without the password a result may have ${max} (engine.reader.max_result).`,
    );
  }

  async #inMemory(
    request: ActiveRequest,
    text: string,
    setup: Setup,
    format: ResultFormat,
  ): Promise<WholeResult<Counts> & { body: Buffer }> {
    const counts = await this.#runner.run(request, isText(request), setup, (session) =>
      session.queryAsync(text, { format: format.name }),
    );
    const body = wholeInRevision(Buffer.from(counts.bytes()), format);
    return { counts, body, bytes: body.length };
  }
}

/** Runs statements one after the other. @returns what the first one that took rows in counted */
async function runAll(session: ChdbSession, statements: FromFile, signal: AbortSignal): Promise<Counts> {
  let counts = NOTHING;
  try {
    for (const sql of statements.steps) {
      signal.throwIfAborted();
      const result = await session.queryAsync(sql);
      const { rowsRead, bytesRead } = counts.rowsRead === 0 ? result : counts;
      counts = { rowsRead, bytesRead, elapsed: counts.elapsed + result.elapsed };
    }
    return counts;
  } finally {
    if (statements.finally !== undefined) await session.queryAsync(statements.finally);
  }
}

/** A result that waits for its end fills the disk until then; one that is streamed does not. */
function withResultLimit(settings: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return settings.has("max_result_bytes")
    ? settings
    : new Map([...settings, ["max_result_bytes", WHOLE_MAX]]);
}

/** Rows of a row group in Parquet results: the engine holds whole ones, and with its own of a million half a gigabyte. */
export const PARQUET_GROUP_ROWS: number = 1 << 18;

function withSmallGroups(settings: ReadonlyMap<string, string>, format: string): ReadonlyMap<string, string> {
  const name = "output_format_parquet_row_group_size";
  return format === "Parquet" && !settings.has(name)
    ? new Map([...settings, [name, String(PARQUET_GROUP_ROWS)]])
    : settings;
}

/**
 * A syntax error must speak of the statement as it came, without our INTO OUTFILE, so the engine reads it once more. It
 * is a read in any case: nothing happens if it is good after all.
 */
function isSyntaxError(error: unknown): boolean {
  return (error as { clickhouseCode?: unknown }).clickhouseCode === 62;
}
