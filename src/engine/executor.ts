import { randomUUID } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { MIB } from "../base/units.js";
import type { ChdbResult, ChdbSession } from "./chdb.js";
import { exceptionOf } from "./exception.js";
import type { EngineFolder } from "./folder.js";
import { Lane } from "./lane.js";
import { PipeReader } from "./pipe-reader.js";
import type { ActiveRequest } from "./registry.js";
import type { Sessions, Setup } from "./sessions.js";
import { spool } from "./spool.js";
import type { InsertStatement, PlainStatement, SelectStatement } from "./statement.js";

/** What the engine counted. */
export interface Counts {
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

const INSERTS_AT_ONCE = 2;
const WRITES_AT_ONCE = 2;
/** Requests of one kind that may wait for a place. */
const WAITING_MAX = 200;
/** Bytes of a streamed result that are held back, so that an early exception still gets its status. */
const HELD_BACK = MIB;
/** Milliseconds between two attempts to stop a statement. */
const KILL_INTERVAL_MS = 100;

/** Runs statements in their lanes and stops those whose request was aborted. */
export class Executor {
  readonly #sessions: Sessions;
  readonly #folder: EngineFolder;
  readonly #inserts = new Lane<number>([...Array(INSERTS_AT_ONCE).keys()], WAITING_MAX);
  readonly #writes = new Lane<number>([...Array(WRITES_AT_ONCE).keys()], WAITING_MAX);
  readonly #reads: Lane<string>;

  /** @param pipes named pipes for streamed results; as many reads run at once */
  constructor(sessions: Sessions, folder: EngineFolder, pipes: readonly string[]) {
    this.#sessions = sessions;
    this.#folder = folder;
    this.#reads = new Lane(pipes, WAITING_MAX);
  }

  /** Receives the data of an INSERT into a file, then runs it. */
  async insert(
    request: ActiveRequest,
    statement: InsertStatement,
    setup: Setup,
    data: { readonly ahead: Buffer; readonly body: Readable | undefined; readonly compression: string },
  ): Promise<Counts> {
    const { signal } = request.abort;
    const file = await spool(this.#folder.incoming, data.ahead, data.body, signal);
    try {
      request.state = "queued";
      const { leave } = await this.#inserts.enter(signal);
      try {
        const sql = statement.fromFile(file, data.compression);
        return await this.#run(request, mentions(file), setup, (session) => session.queryAsync(sql));
      } finally {
        leave();
      }
    } finally {
      await rm(file, { force: true });
    }
  }

  /** Runs a statement with a small result or none. */
  async plain(
    request: ActiveRequest,
    statement: PlainStatement,
    setup: Setup,
    format: string,
  ): Promise<WholeResult> {
    request.state = "queued";
    const lane = statement.kind === "read" ? this.#reads : this.#writes;
    const { leave } = await lane.enter(request.abort.signal);
    try {
      return await this.#inMemory(request, statement.text, setup, format);
    } finally {
      leave();
    }
  }

  /** Runs a SELECT to its end before anything of its result is handed out. */
  async whole(
    request: ActiveRequest,
    statement: SelectStatement,
    setup: Setup,
    format: string,
  ): Promise<WholeResult> {
    request.state = "queued";
    const { leave } = await this.#reads.enter(request.abort.signal);
    const file = join(this.#folder.outgoing, randomUUID());
    try {
      const counts = await this.#run(request, mentions(file), setup, (session) =>
        session.queryAsync(statement.into(file), { format }),
      );
      const handle = await open(file, "r");
      const { size } = await handle.stat();
      return { counts, body: handle.createReadStream(), bytes: size };
    } catch (error) {
      if (!isSyntaxError(error)) throw error;
      return await this.#inMemory(request, statement.text, setup, format);
    } finally {
      await rm(file, { force: true });
      leave();
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
  ): AsyncGenerator<Buffer, Counts> {
    request.state = "queued";
    const { place: path, leave } = await this.#reads.enter(request.abort.signal);
    const reader = new PipeReader(path);
    let isOver = false;
    const result = this.#run(request, mentions(path), setup, (session) =>
      session.queryAsync(statement.into(path), { format }),
    ).finally(() => {
      isOver = true;
      reader.finish();
    });
    // Awaited below; until then a failure only ends the pipe.
    result.catch(() => {});
    try {
      yield* afterHolding(reader.chunks(), result);
      return await result;
    } catch (error) {
      if (!isSyntaxError(error)) throw error;
      const { body, counts } = await this.#inMemory(request, statement.text, setup, format);
      yield body as Buffer;
      return counts;
    } finally {
      if (!isOver) {
        reader.discard();
        request.abort.abort();
        await result.catch(() => {});
      }
      reader.close();
      leave();
    }
  }

  async #inMemory(request: ActiveRequest, text: string, setup: Setup, format: string): Promise<WholeResult> {
    const result = await this.#run(request, isExactly(request), setup, (session) =>
      session.queryAsync(text, { format }),
    );
    const body = Buffer.from(result.bytes());
    return { counts: result, body, bytes: body.length };
  }

  /** Runs one statement; when the request is aborted meanwhile, kills it and returns once it is over. */
  async #run(
    request: ActiveRequest,
    condition: string,
    setup: Setup,
    work: (session: ChdbSession) => Promise<ChdbResult>,
  ): Promise<ChdbResult> {
    const { signal } = request.abort;
    signal.throwIfAborted();
    request.state = "running";
    let isOver = false;
    const kill = async (): Promise<void> => {
      while (!isOver) {
        // It fails only if the engine does, and then the statement fails too.
        await this.#sessions.query(`KILL QUERY WHERE ${condition} ASYNC`).catch(() => {});
        if (!isOver) await delay(KILL_INTERVAL_MS);
      }
    };
    const onAbort = (): void => void kill();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await this.#sessions.with(setup, work);
    } catch (error) {
      throw exceptionOf(error) ?? error;
    } finally {
      isOver = true;
      signal.removeEventListener("abort", onAbort);
    }
  }
}

/** Passes pieces on, the first one not before a mebibyte is there or the statement has succeeded. */
async function* afterHolding(
  chunks: AsyncIterable<Buffer>,
  result: Promise<unknown>,
): AsyncGenerator<Buffer> {
  let held: Buffer[] | undefined = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    if (held === undefined) {
      yield chunk;
      continue;
    }
    held.push(chunk);
    bytes += chunk.length;
    if (bytes < HELD_BACK) continue;
    const first = Buffer.concat(held);
    held = undefined;
    yield first;
  }
  if (held === undefined) return;
  await result;
  yield Buffer.concat(held);
}

function isSyntaxError(error: unknown): boolean {
  return (error as { clickhouseCode?: unknown }).clickhouseCode === 62;
}

/**
 * Condition on `system.processes` for the statement whose text names this file. In hexadecimal, so that the KILL does
 * not mean itself.
 */
function mentions(file: string): string {
  return `position(query, ${hex(file)}) > 0`;
}

function isExactly(request: ActiveRequest): string {
  return `query = ${hex(request.text)} AND Settings['log_comment'] = ${hex(request.settings.get("log_comment") ?? "")}`;
}

function hex(text: string): string {
  return `unhex('${Buffer.from(text).toString("hex")}')`;
}
