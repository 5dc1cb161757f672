import {
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statfsSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import type { Disk } from "../../src/wal/disk.js";
import type { Random } from "../support/random.js";

/** What was done to a file since it was last synced. */
type Change =
  | { readonly kind: "write"; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: "truncate"; readonly size: number };

/** A file as the process sees it; what a power cut leaves of it is in `fd`, or nothing as long as no folder names it. */
interface File {
  /** More than `size`, so that it need not grow with each write. */
  bytes: Buffer;
  size: number;
  changes: Change[];
  /** So many of the changes are synced, and reach the real file once there is one. */
  due: number;
  /** Of the real file, once its name is synced. */
  fd: number | undefined;
}

type Naming =
  | { readonly kind: "create"; readonly path: string; readonly file: File }
  | { readonly kind: "rename"; readonly from: string; readonly to: string }
  | { readonly kind: "unlink"; readonly path: string };

export interface PowerLossOptions {
  /** A disk may write before it has to: this part of all writes, some of them in part. */
  readonly early: number;
  readonly random: Random;
  /** A disk that lies: it says that it has synced, and has not. */
  readonly lies?: boolean;
}

const SECTOR = 512;

/**
 * A disk whose cache is this process: what was not synced, bytes as well as names, is gone when the process is killed, as it is
 * when a host loses power. Files that others read are as the disk has them.
 */
export class PowerLossDisk implements Disk {
  readonly #options: PowerLossOptions;
  readonly #names = new Map<string, File>();
  readonly #removed = new Set<string>();
  readonly #open = new Map<number, File>();
  #namings: Naming[] = [];
  #lastFd = 0;

  constructor(options: PowerLossOptions) {
    this.#options = options;
  }

  makeFolder(path: string): void {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  }

  list(path: string): string[] {
    const cached = [...this.#names.keys()].filter((name) => dirname(name) === path);
    const real = readdirSync(path).filter((name) => !this.#removed.has(join(path, name)));
    return [...new Set([...real, ...cached.map((name) => relative(path, name))])];
  }

  create(path: string): number {
    if (this.#find(path) !== undefined) throw failure("EEXIST", path);
    const file: File = { bytes: Buffer.alloc(0), size: 0, changes: [], due: 0, fd: undefined };
    this.#names.set(path, file);
    this.#name({ kind: "create", path, file });
    return this.#opened(file);
  }

  open(path: string, _mode: "read" | "write"): number {
    const file = this.#find(path);
    if (file === undefined) throw failure("ENOENT", path);
    return this.#opened(file);
  }

  write(fd: number, bytes: Uint8Array, offset: number, length: number, position: number): number {
    const file = this.#of(fd);
    const written = Uint8Array.from(bytes.subarray(offset, offset + length));
    if (position + length > file.size) resize(file, position + length);
    file.bytes.set(written, position);
    this.#change(file, { kind: "write", position, bytes: written });
    return length;
  }

  read(fd: number, bytes: Uint8Array, offset: number, length: number, position: number): number {
    const file = this.#of(fd);
    const part = file.bytes.subarray(position, Math.min(file.size, position + length));
    bytes.set(part, offset);
    return part.length;
  }

  datasync(fd: number): void {
    const file = this.#of(fd);
    if (this.#options.lies === true) return;
    file.due = file.changes.length;
    flush(file);
  }

  truncate(fd: number, size: number): void {
    resize(this.#of(fd), size);
    this.#change(this.#of(fd), { kind: "truncate", size });
  }

  size(fd: number): number {
    return this.#of(fd).size;
  }

  close(fd: number): void {
    this.#of(fd);
    this.#open.delete(fd);
  }

  rename(from: string, to: string): void {
    const file = this.#find(from);
    if (file === undefined) throw failure("ENOENT", from);
    this.#names.delete(from);
    this.#removed.add(from);
    this.#removed.delete(to);
    this.#names.set(to, file);
    this.#name({ kind: "rename", from, to });
  }

  unlink(path: string): void {
    if (this.#find(path) === undefined) throw failure("ENOENT", path);
    this.#names.delete(path);
    this.#removed.add(path);
    this.#name({ kind: "unlink", path });
  }

  syncFolder(path: string): void {
    if (this.#options.lies === true) return;
    const isIn = (naming: Naming): boolean =>
      dirname(naming.kind === "rename" ? naming.to : naming.path) === path;
    const [due, rest] = [this.#namings.filter(isIn), this.#namings.filter((each) => !isIn(each))];
    this.#namings = rest;
    for (const naming of due) apply(naming);
  }

  space(path: string): { readonly free: number; readonly total: number } {
    const { bavail, blocks, bsize } = statfsSync(path);
    return { free: bavail * bsize, total: blocks * bsize };
  }

  #find(path: string): File | undefined {
    const known = this.#names.get(path);
    if (known !== undefined || this.#removed.has(path) || !existsSync(path)) return known;
    const bytes = readFileSync(path);
    const file: File = { bytes, size: bytes.length, changes: [], due: 0, fd: openSync(path, "r+") };
    this.#names.set(path, file);
    return file;
  }

  #opened(file: File): number {
    this.#lastFd += 1;
    this.#open.set(this.#lastFd, file);
    return this.#lastFd;
  }

  #of(fd: number): File {
    const file = this.#open.get(fd);
    if (file === undefined) throw failure("EBADF", `${fd}`);
    return file;
  }

  /** The disk may write now what it need not yet, and of a write some sectors only. */
  #change(file: File, change: Change): void {
    const { random, early } = this.#options;
    file.changes.push(change);
    if (file.fd !== undefined && random() < early) make(file.fd, part(random.of(file.changes), random));
  }

  #name(naming: Naming): void {
    this.#removed.delete(naming.kind === "create" ? naming.path : "");
    this.#namings.push(naming);
    if (this.#options.random() >= this.#options.early || this.#options.lies === true) return;
    for (const each of this.#namings.splice(0)) apply(each);
  }
}

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

function resize(file: File, size: number): void {
  if (size > file.bytes.length) {
    const grown = Buffer.alloc(2 * size);
    file.bytes.copy(grown, 0, 0, file.size);
    file.bytes = grown;
  } else file.bytes.fill(0, size, file.size);
  file.size = size;
}

/** A write of which only some sectors reach the disk. */
function part(change: Change, random: Random): Change {
  if (change.kind === "truncate" || random() < 0.5) return change;
  const sectors = Math.ceil(change.bytes.length / SECTOR);
  const from = random.below(sectors) * SECTOR;
  const to = from + (1 + random.below(sectors)) * SECTOR;
  return { ...change, position: change.position + from, bytes: change.bytes.subarray(from, to) };
}

/** What is synced reaches the real file, if there is one by now. */
function flush(file: File): void {
  if (file.fd === undefined) return;
  for (const change of file.changes.splice(0, file.due)) make(file.fd, change);
  file.due = 0;
}

function make(fd: number, change: Change): void {
  if (change.kind === "truncate") ftruncateSync(fd, change.size);
  else
    for (let done = 0; done < change.bytes.length; )
      done += writeSync(fd, change.bytes, done, change.bytes.length - done, change.position + done);
}

function apply(naming: Naming): void {
  if (naming.kind === "create") {
    naming.file.fd = openSync(naming.path, "wx+", 0o600);
    flush(naming.file);
  } else if (naming.kind === "rename") renameSync(naming.from, naming.to);
  else unlinkSync(naming.path);
}
