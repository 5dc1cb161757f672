import { randomUUID } from "node:crypto";
import { closeSync, createReadStream, fstatSync, openSync, readFileSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { KIB } from "../base/units.js";
import type { EngineFolder } from "./folder.js";
import { answerOf, killQuery } from "./kill.js";
import { Lane } from "./lane.js";
import type { ActiveRequest, Registry } from "./registry.js";
import { streamThrough } from "./result-stream.js";
import { isText, namesFile, Runner } from "./runner.js";
import type { Sessions, Setup } from "./sessions.js";
import { spool } from "./spool.js";
import type { InsertStatement, KillStatement, PlainStatement, SelectStatement } from "./statement.js";

/** What the engine counted. */
export interface Counts {
  /** Rows of the result; for an INSERT, rows written. */
  readonly rowsRead: number;
  readonly bytesRead: number;
  /** Seconds. */
  readonly elapsed: number;
}

/** A result held in memory or waiting in a file that has no name any more. */
export interface WholeResult {
  readonly counts: Counts;
  readonly body: Buffer | Readable;
  readonly bytes: number;
}

/** Statements of a kind that run at once, and requests of that kind that may wait for a place. */
const INSERTS_AT_ONCE = 2;
const WRITES_AT_ONCE = 2;
const WAITING_MAX = 200;
/** Bytes of a whole result up to which it is read into memory. */
const TAKEN_AT_ONCE = 256 * KIB;

/** Runs the statements of requests, each kind in its lane. A request has ended when its method has. */
export class Executor {
  readonly #runner: Runner;
  readonly #folder: EngineFolder;
  readonly #registry: Registry;
  readonly #inserts = new Lane([...Array(INSERTS_AT_ONCE).keys()], WAITING_MAX);
  readonly #writes = new Lane([...Array(WRITES_AT_ONCE).keys()], WAITING_MAX);
  readonly #reads: Lane<string>;

  /** @param pipes named pipes for streamed results; as many reads run at once */
  constructor(sessions: Sessions, folder: EngineFolder, registry: Registry, pipes: readonly string[]) {
    this.#runner = new Runner(sessions);
    this.#folder = folder;
    this.#registry = registry;
    this.#reads = new Lane(pipes, WAITING_MAX);
  }

  /** Receives the data of an INSERT into a file, then runs it. */
  async insert(
    request: ActiveRequest,
    statement: InsertStatement,
    setup: Setup,
    data: { readonly ahead: Buffer; readonly body: Readable | undefined; readonly compression: string },
  ): Promise<Counts> {
    const file = join(this.#folder.incoming, randomUUID());
    const sql = statement.fromFile(file, data.compression);
    try {
      await spool(file, data.ahead, data.body, request.signal);
      return await this.#inserts.run(request.signal, () =>
        this.#runner.run(request, namesFile(file), setup, (session) => session.queryAsync(sql)),
      );
    } finally {
      await rm(file, { force: true });
      request.end();
    }
  }

  /** Runs a statement with a small result or none. */
  async plain(
    request: ActiveRequest,
    statement: PlainStatement,
    setup: Setup,
    format: string,
  ): Promise<WholeResult> {
    const inMemory = (): Promise<WholeResult> => this.#inMemory(request, statement.text, setup, format);
    try {
      return statement.kind === "read"
        ? await this.#reads.run(request.signal, inMemory)
        : await this.#writes.run(request.signal, inMemory);
    } finally {
      request.end();
    }
  }

  /** Runs a SELECT to its end before anything of its result is handed out. */
  async whole(
    request: ActiveRequest,
    statement: SelectStatement,
    setup: Setup,
    format: string,
  ): Promise<WholeResult> {
    const file = join(this.#folder.outgoing, randomUUID());
    try {
      return await this.#reads.run(request.signal, async () => {
        try {
          const counts = await this.#runner.run(request, namesFile(file), setup, (session) =>
            session.queryAsync(statement.into(file), { format }),
          );
          return { counts, ...takeFile(file) };
        } catch (error) {
          if (!isSyntaxError(error)) throw error;
          return await this.#inMemory(request, statement.text, setup, format);
        }
      });
    } finally {
      rmSync(file, { force: true });
      request.end();
    }
  }

  /**
   * Runs a SELECT and yields its result as it comes. Throws before the first piece unless the first mebibyte or the
   * whole result was good.
   */
  async *stream(
    request: ActiveRequest,
    statement: SelectStatement,
    setup: Setup,
    format: string,
  ): AsyncGenerator<Buffer> {
    try {
      const { place: pipe, leave } = await this.#reads.enter(request.signal);
      try {
        const start = (): Promise<Counts> =>
          this.#runner.run(request, namesFile(pipe), setup, (session) =>
            session.queryAsync(statement.into(pipe), { format }),
          );
        yield* streamThrough(pipe, start, () => request.cancel("the client has gone"));
      } catch (error) {
        if (!isSyntaxError(error)) throw error;
        yield (await this.#inMemory(request, statement.text, setup, format)).body;
      } finally {
        leave();
      }
    } finally {
      request.end();
    }
  }

  /** Runs a KILL QUERY; its own place in the engine, for it must get through when all lanes are full. */
  async kill(
    request: ActiveRequest,
    statement: KillStatement,
    setup: Setup,
    format: string,
  ): Promise<WholeResult> {
    try {
      const { sessions } = this.#runner;
      const killed = await killQuery(statement, request, this.#registry, sessions, setup);
      const counts = await sessions.query(answerOf(killed), format);
      const body = Buffer.from(counts.bytes());
      return { counts, body, bytes: body.length };
    } finally {
      request.end();
    }
  }

  async #inMemory(
    request: ActiveRequest,
    text: string,
    setup: Setup,
    format: string,
  ): Promise<WholeResult & { body: Buffer }> {
    const counts = await this.#runner.run(request, isText(request), setup, (session) =>
      session.queryAsync(text, { format }),
    );
    const body = Buffer.from(counts.bytes());
    return { counts, body, bytes: body.length };
  }
}

/** The content of a result's file: small ones at once, so that a short answer costs few steps. */
function takeFile(file: string): { body: Buffer | Readable; bytes: number } {
  const fd = openSync(file, "r");
  const { size } = fstatSync(fd);
  if (size > TAKEN_AT_ONCE) return { body: createReadStream("", { fd }), bytes: size };
  const body = readFileSync(fd);
  closeSync(fd);
  return { body, bytes: size };
}

/**
 * A syntax error must speak of the statement as it came, without our INTO OUTFILE, so the engine reads it once more. It
 * is a read in any case: nothing happens if it is good after all.
 */
function isSyntaxError(error: unknown): boolean {
  return (error as { clickhouseCode?: unknown }).clickhouseCode === 62;
}
