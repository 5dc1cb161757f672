import { createHash, randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { utimes } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ColdpathError } from "../base/errors.js";
import { startOfProcess } from "../base/process.js";
import { SECOND_MS } from "../base/units.js";
import { LogDiskError } from "./disk-error.js";

const FILE = "lock";
/** The holder touches its file this often. */
const BEAT_MS: number = SECOND_MS;
/** A file older than this is nobody's, whoever wrote it. */
const STALE_MS: number = 5 * SECOND_MS;
/** So long a younger file is watched for a beat. */
const WATCH_MS = 3.5 * BEAT_MS;
const WATCH_STEP_MS = 100;

/** What the lock file says of who holds the folder. */
interface Holder {
  readonly pid: number;
  /** When that process started: tells it from a later one with the same id. */
  readonly started: string;
  /** Of the machine's boot and the process's namespace; ids of processes mean something within the same only. */
  readonly world: string;
  /** Drawn for each lock taken. */
  readonly owner: string;
  /** ISO time. */
  readonly since: string;
}

/**
 * A folder's single writer. On Linux an abstract socket named by the folder is the lock: the kernel frees it however its
 * holder dies. The file beside it tells who holds it, and keeps out who does not see the socket: other containers on the same
 * volume, and systems without abstract sockets.
 */
export class FolderLock {
  readonly #file: string;
  readonly #text: string;
  readonly #socket: Server | undefined;
  readonly #timer: NodeJS.Timeout;
  #beating = false;
  #released = false;

  private constructor(file: string, text: string, socket: Server | undefined) {
    this.#file = file;
    this.#text = text;
    this.#socket = socket;
    this.#timer = setInterval(() => void this.#beat(), BEAT_MS).unref();
  }

  /**
   * Takes the folder, which is made if need be.
   *
   * @param platform for tests: another than Linux has no abstract sockets
   * @throws ColdpathError `WAL_LOCKED` while somebody holds it; LogDiskError
   */
  static async take(dir: string, platform: NodeJS.Platform = process.platform): Promise<FolderLock> {
    try {
      return await FolderLock.#take(dir, platform);
    } catch (error) {
      throw LogDiskError.isOfDisk(error) ? LogDiskError.of(dir, error) : error;
    }
  }

  static async #take(dir: string, platform: NodeJS.Platform): Promise<FolderLock> {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const file = join(dir, FILE);
    const socket = platform === "linux" ? await bind(realpathSync(dir)) : undefined;
    if (socket === "taken") throw locked(dir, read(file).holder);
    const self = describeSelf();
    const text = `${JSON.stringify(self)}\n`;
    try {
      while (!create(file, text)) {
        const found = read(file);
        if (!(await isGone(file, found, self, socket !== undefined))) throw locked(dir, found.holder);
        remove(file, found.text, self.owner);
      }
    } catch (error) {
      await close(socket);
      throw error;
    }
    return new FolderLock(file, text, socket);
  }

  /** Lets the next one have the folder. */
  async release(): Promise<void> {
    clearInterval(this.#timer);
    this.#released = true;
    try {
      if (read(this.#file).text === this.#text) rmSync(this.#file, { force: true });
    } catch {
      // On a disk that fails it stays; the next opener finds its holder gone.
    }
    await close(this.#socket);
  }

  /** One at a time: on a disk that hangs they would fill the pool of threads. */
  async #beat(): Promise<void> {
    if (this.#beating) return;
    this.#beating = true;
    try {
      const now = new Date();
      await utimes(this.#file, now, now);
    } catch {
      this.#restore();
    } finally {
      this.#beating = false;
    }
  }

  /** The log makes a folder again that was removed; any other trouble of the disk is the log's to tell. */
  #restore(): void {
    try {
      if (!this.#released) create(this.#file, this.#text);
    } catch {
      // The next beat tries again.
    }
  }
}

/** Holds the abstract socket of the folder, or finds it held; where a sandbox forbids sockets the file has to do. */
async function bind(realPath: string): Promise<Server | "taken" | undefined> {
  const name = `\0coldpath-wal-${createHash("sha256").update(realPath).digest("hex").slice(0, 32)}`;
  const server = createServer((connection) => connection.destroy()).unref();
  return await new Promise((resolve) => {
    server.once("error", ({ code }: NodeJS.ErrnoException) =>
      resolve(code === "EADDRINUSE" ? "taken" : undefined),
    );
    server.listen(name, () => resolve(server));
  });
}

async function close(socket: Server | undefined): Promise<void> {
  if (socket !== undefined) await new Promise((resolve) => socket.close(resolve));
}

/** Whether there was none: the file is never written over. On a full disk an empty one has to do. */
function create(file: string, text: string): boolean {
  try {
    writeFileSync(file, text, { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    if (code === "ENOSPC" && existsSync(file)) return true;
    throw error;
  }
}

interface Found {
  readonly text: string | undefined;
  readonly holder: Holder | undefined;
}

function read(file: string): Found {
  try {
    const text = readFileSync(file, "utf8");
    return { text, holder: parse(text) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { text: undefined, holder: undefined };
    throw error;
  }
}

/** A file cut short by a crash names nobody. */
function parse(text: string): Holder | undefined {
  try {
    const { pid, started, world, owner, since } = JSON.parse(text) as Holder;
    return typeof pid === "number" ? { pid, started, world, owner, since } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the file's holder is no more. `alone`: the folder's socket is ours, so no other thread of this process has it. */
async function isGone(file: string, found: Found, self: Holder, alone: boolean): Promise<boolean> {
  const { holder } = found;
  if (found.text === undefined) return true;
  if (holder === undefined || holder.world !== self.world) return !(await beats(file, found.text, self));
  if (holder.pid === self.pid && holder.started === self.started)
    return alone || !(await beats(file, found.text, self));
  return startOfProcess(holder.pid) !== holder.started;
}

/** Whether somebody touches the file, where the ids of processes say nothing. Compares times of the same file system only. */
async function beats(file: string, text: string, self: Holder): Promise<boolean> {
  const probe = `${file}.${self.owner}`;
  writeFileSync(probe, "", { mode: 0o600 });
  const now = statSync(probe).mtimeMs;
  rmSync(probe);
  const first = modified(file);
  if (first === undefined || now - first > STALE_MS) return false;
  for (let waited = 0; waited < WATCH_MS; waited += WATCH_STEP_MS) {
    await delay(WATCH_STEP_MS);
    if (modified(file) !== first || read(file).text !== text) return modified(file) !== undefined;
  }
  return false;
}

function modified(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs;
}

/** Takes a dead holder's file away; one that another opener has put there since is put back. */
function remove(file: string, text: string | undefined, owner: string): void {
  const aside = `${file}.${owner}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  const moved = read(aside).text;
  rmSync(aside);
  if (moved !== undefined && moved !== text) create(file, moved);
}

function describeSelf(): Holder {
  return {
    pid: process.pid,
    started: startOfProcess(process.pid) ?? "",
    world: describeWorld(),
    owner: randomBytes(8).toString("hex"),
    since: new Date().toISOString(),
  };
}

function describeWorld(): string {
  if (process.platform !== "linux") return process.platform;
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
}

function locked(dir: string, holder: Holder | undefined): ColdpathError {
  const who =
    holder === undefined
      ? "another process"
      : `${holder.pid === process.pid ? "this process" : `process ${holder.pid}`}, since ${holder.since}`;
  return new ColdpathError(
    "WAL_LOCKED",
    `the log in ${dir} is held by ${who}: stop that recorder, or give this one a data_dir (or wal.dir) of its own`,
  );
}
