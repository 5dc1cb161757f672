import { dirname } from "node:path";
import type { Disk } from "../../src/wal/disk.js";
import type { Random } from "./random.js";

type Change =
  | { readonly kind: "write"; readonly position: number; readonly bytes: Buffer }
  | { readonly kind: "truncate"; readonly size: number };

type NameChange = (names: Map<string, Inode>) => void;

interface Inode {
  /** What a read gives. */
  live: Buffer;
  /** What is on the platters. */
  synced: Buffer;
  /** On their way there. */
  changes: Change[];
}

/** The code of the error that this call shall fail with; undefined lets it through. */
export type Fault = (call: number, operation: keyof Disk, path: string) => string | undefined;

const SECTOR = 64;

/** How unsynced writes fare when the power goes. */
const FATES = ["dropped", "kept", "prefix", "some", "torn", "zeroed"] as const;

/**
 * A disk in memory that tells what is synced from what is not. `kill()` ends the process: the kernel has everything.
 * `losePower()` ends the machine: of what was not synced anything may be there, none of it, or garbage.
 */
export class ScriptedDisk implements Disk {
  /** Calls so far; `fault` sees the number of its call, from 1 on. */
  calls = 0;
  fault: Fault = () => undefined;
  /** How many of the bytes a write takes. */
  taken: (length: number) => number = (length) => length;
  /** Bytes that fit; beyond them a write is short, and the next one fails with ENOSPC. */
  capacity = Number.POSITIVE_INFINITY;
  /** Says that it synced, and does not. */
  lying = false;
  #names = new Map<string, Inode>();
  #syncedNames = new Map<string, Inode>();
  #nameChanges = new Map<string, NameChange[]>();
  readonly #folders = new Set<string>();
  #open = new Map<
    number,
    { readonly inode: Inode; readonly path: string; readonly mode: "read" | "write" }
  >();
  #nextFd = 100;

  makeFolder(path: string): void {
    this.#enter("makeFolder", path);
    this.#folders.add(path);
  }

  list(path: string): string[] {
    this.#enter("list", path);
    if (!this.#folders.has(path)) throw failure("ENOENT", path);
    return [...this.#names.keys(), ...this.#folders]
      .filter((name) => name !== path && dirname(name) === path)
      .map((name) => name.slice(path.length + 1));
  }

  create(path: string): number {
    this.#enter("create", path);
    if (!this.#folders.has(dirname(path))) throw failure("ENOENT", path);
    if (this.#names.has(path)) throw failure("EEXIST", path);
    const inode: Inode = { live: Buffer.alloc(0), synced: Buffer.alloc(0), changes: [] };
    this.#rename(dirname(path), (names) => names.set(path, inode));
    return this.#descriptor(inode, path, "write");
  }

  open(path: string, mode: "read" | "write"): number {
    this.#enter("open", path);
    const inode = this.#names.get(path);
    if (inode === undefined) throw failure("ENOENT", path);
    return this.#descriptor(inode, path, mode);
  }

  write(fd: number, bytes: Uint8Array, offset: number, length: number, position: number): number {
    const { inode, path, mode } = this.#enterFile("write", fd);
    if (mode === "read") throw failure("EBADF", path);
    const room = this.capacity - this.#used() + Math.max(inode.live.length - position, 0);
    if (room <= 0 && length > 0) throw failure("ENOSPC", path);
    const taken = Math.min(this.taken(length), room);
    const change: Change = {
      kind: "write",
      position,
      bytes: Buffer.from(bytes.subarray(offset, offset + taken)),
    };
    inode.live = applied(inode.live, change);
    inode.changes.push(change);
    return taken;
  }

  read(fd: number, bytes: Uint8Array, offset: number, length: number, position: number): number {
    const { inode } = this.#enterFile("read", fd);
    // Short like a write, but never 0 before the end of the file.
    const most = Math.max(this.taken(length), 1);
    return inode.live.copy(bytes, offset, position, Math.min(position + most, inode.live.length));
  }

  datasync(fd: number): void {
    let file: { inode: Inode };
    try {
      file = this.#enterFile("datasync", fd);
    } catch (error) {
      // Linux calls the pages clean after a failed sync: they are readable, and no later sync writes them.
      const inode = this.#open.get(fd)?.inode;
      if (inode !== undefined) inode.changes = [];
      throw error;
    }
    if (this.lying) return;
    for (const change of file.inode.changes) file.inode.synced = applied(file.inode.synced, change);
    file.inode.changes = [];
  }

  truncate(fd: number, size: number): void {
    const { inode } = this.#enterFile("truncate", fd);
    const change: Change = { kind: "truncate", size };
    inode.live = applied(inode.live, change);
    inode.changes.push(change);
  }

  size(fd: number): number {
    return this.#enterFile("size", fd).inode.live.length;
  }

  close(fd: number): void {
    this.#enterFile("close", fd);
    this.#open.delete(fd);
  }

  rename(from: string, to: string): void {
    this.#enter("rename", from);
    const inode = this.#names.get(from);
    if (inode === undefined) throw failure("ENOENT", from);
    this.#rename(dirname(from), (names) => {
      names.delete(from);
      names.set(to, inode);
    });
  }

  unlink(path: string): void {
    this.#enter("unlink", path);
    if (!this.#names.has(path)) throw failure("ENOENT", path);
    this.#rename(dirname(path), (names) => names.delete(path));
  }

  syncFolder(path: string): void {
    this.#enter("syncFolder", path);
    if (this.lying) return;
    for (const change of this.#nameChanges.get(path) ?? []) change(this.#syncedNames);
    this.#nameChanges.delete(path);
  }

  space(path: string): { readonly free: number; readonly total: number } {
    this.#enter("space", path);
    return { free: this.capacity - this.#used(), total: this.capacity };
  }

  /** Descriptors that were not closed. */
  get descriptors(): number {
    return this.#open.size;
  }

  /** The process dies; what it wrote is in the kernel. */
  kill(): void {
    this.#open.clear();
    this.#heal();
  }

  /** The machine dies: each unsynced write, and each unsynced change of a folder, meets a fate of its own. */
  losePower(random: Random): void {
    for (const changes of this.#nameChanges.values()) {
      for (const change of changes.slice(0, random.below(changes.length + 1))) change(this.#syncedNames);
    }
    this.#nameChanges.clear();
    this.#names = new Map(this.#syncedNames);
    for (const inode of new Set(this.#names.values())) {
      inode.synced = survivor(inode.synced, inode.changes, random);
      inode.live = inode.synced;
      inode.changes = [];
    }
    this.kill();
  }

  /** The bytes of a file. */
  bytes(path: string): Buffer {
    const inode = this.#names.get(path);
    if (inode === undefined) throw failure("ENOENT", path);
    return Buffer.from(inode.live);
  }

  /** Puts these bytes on the disk, as somebody else would. */
  put(path: string, bytes: Buffer): void {
    const inode: Inode = { live: Buffer.from(bytes), synced: Buffer.from(bytes), changes: [] };
    this.#names.set(path, inode);
    this.#syncedNames.set(path, inode);
  }

  /** Another disk with the same files, all synced. */
  copy(): ScriptedDisk {
    const other = new ScriptedDisk();
    for (const folder of this.#folders) other.#folders.add(folder);
    for (const path of this.#names.keys()) other.put(path, this.bytes(path));
    return other;
  }

  /** Removes a folder with all that is in it. */
  remove(folder: string): void {
    for (const path of this.#names.keys()) if (path.startsWith(`${folder}/`)) this.#names.delete(path);
    for (const path of this.#folders)
      if (path === folder || path.startsWith(`${folder}/`)) this.#folders.delete(path);
  }

  #heal(): void {
    this.fault = () => undefined;
    this.taken = (length) => length;
  }

  #used(): number {
    return [...new Set(this.#names.values())].reduce((sum, { live }) => sum + live.length, 0);
  }

  #descriptor(inode: Inode, path: string, mode: "read" | "write"): number {
    this.#open.set(this.#nextFd, { inode, path, mode });
    return this.#nextFd++;
  }

  #rename(folder: string, change: NameChange): void {
    change(this.#names);
    this.#nameChanges.set(folder, [...(this.#nameChanges.get(folder) ?? []), change]);
  }

  #enterFile(operation: keyof Disk, fd: number): { inode: Inode; path: string; mode: "read" | "write" } {
    const file = this.#open.get(fd);
    if (file === undefined) throw failure("EBADF", String(fd));
    // A close that fails has closed all the same.
    if (operation === "close") this.#open.delete(fd);
    this.#enter(operation, file.path);
    return file;
  }

  #enter(operation: keyof Disk, path: string): void {
    this.calls += 1;
    const code = this.fault(this.calls, operation, path);
    if (code !== undefined) throw failure(code, path);
  }
}

/** What is on the platters when the power went before these changes were synced. */
function survivor(synced: Buffer, changes: readonly Change[], random: Random): Buffer {
  const fate = random.of(FATES);
  if (fate === "dropped") return synced;
  if (fate === "some") return changes.filter(() => random() < 0.5).reduce(applied, synced);
  if (fate === "kept") return changes.reduce(applied, synced);
  const prefix = changes.slice(0, random.below(changes.length + 1));
  const last = prefix.at(-1);
  if (fate === "prefix" || last?.kind !== "write") return prefix.reduce(applied, synced);
  const before = prefix.slice(0, -1).reduce(applied, synced);
  const after = applied(before, last);
  // A sector is old or new, and what a file grew by is zeros before it is written; sectors are small here, as records are.
  const old = Buffer.concat([before, Buffer.alloc(after.length - before.length)]);
  const from = fate === "zeroed" ? last.position + random.below(last.bytes.length + 1) : 0;
  for (let at = 0; at < after.length; at += SECTOR) {
    if (fate === "zeroed" ? at >= from : random() < 0.3)
      old.copy(after, at, at, Math.min(at + SECTOR, old.length));
  }
  return after;
}

function applied(data: Buffer, change: Change): Buffer {
  if (change.kind === "truncate") {
    return Buffer.concat([
      data.subarray(0, change.size),
      Buffer.alloc(Math.max(change.size - data.length, 0)),
    ]);
  }
  const grown = Buffer.alloc(Math.max(data.length, change.position + change.bytes.length));
  data.copy(grown);
  change.bytes.copy(grown, change.position);
  return grown;
}

function failure(code: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${path}`), { code, path });
}
