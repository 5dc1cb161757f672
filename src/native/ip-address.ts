import { FixedWriter } from "./fixed-writer.js";
import { Refusal, refuseKind } from "./refusal.js";

const IPV4 = "an IPv4 address such as 192.0.2.1";
const IPV6 = "an IPv6 address such as 2001:db8::1";
const DOTTED = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;
const GROUP = /^[0-9a-f]{1,4}$/i;
/** Eight groups of four digits and their colons, the last two as IPv4. */
const LONGEST = 45;
const GROUPS = 8;

/** IPv4: the address as one unsigned 32-bit integer; from dotted decimal text or its 4 bytes in network order. */
export class IPv4Writer extends FixedWriter {
  constructor() {
    super(4);
  }

  override append(value: unknown): void {
    this.cells.push32(value instanceof Uint8Array ? ipv4OfBytes(value) : ipv4OfValue(value));
  }

  /** Dotted decimal. */
  override textAt(index: number): string {
    const { u8 } = this.cells;
    return [3, 2, 1, 0].map((byte) => u8[index * 4 + byte]).join(".");
  }
}

/**
 * IPv6: 16 bytes in network order; from text as in RFC 4291, dotted decimal as the IPv4-mapped address (`::ffff:a.b.c.d`),
 * or from the 16 bytes themselves.
 */
export class IPv6Writer extends FixedWriter {
  constructor() {
    super(16);
  }

  override append(value: unknown): void {
    const groups = value instanceof Uint8Array ? ipv6OfBytes(value) : ipv6OfValue(value);
    const start = this.cells.next() * 16;
    for (const [index, group] of groups.entries()) {
      this.cells.u8[start + index * 2] = group >> 8;
      this.cells.u8[start + index * 2 + 1] = group;
    }
  }

  /** Eight groups without leading zeros, none left out. */
  override valueAt(index: number): string {
    return ipv6OfBytes(this.cells.u8.subarray(index * 16, index * 16 + 16))
      .map((group) => group.toString(16))
      .join(":");
  }
}

function ipv4OfBytes(bytes: Uint8Array): number {
  if (bytes.length !== 4) throw new Refusal(`has ${bytes.length} bytes where an IPv4 address has 4`, bytes);
  return (bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!;
}

function ipv4OfValue(value: unknown): number {
  if (typeof value !== "string") refuseKind(value, IPV4);
  const address = readIPv4(value);
  if (address === undefined) throw new Refusal(`is not ${IPV4}`, value);
  return address;
}

/** The 32 bits of a dotted decimal text. Leading zeros make it none: some programs read them as octal. */
function readIPv4(text: string): number | undefined {
  let address = 0;
  for (const part of DOTTED.exec(text)?.slice(1) ?? [""]) {
    const byte = Number(part);
    if (part === "" || byte > 255 || (part.length > 1 && part.startsWith("0"))) return undefined;
    address = (address << 8) | byte;
  }
  return address;
}

function ipv6OfBytes(bytes: Uint8Array): number[] {
  if (bytes.length !== 16) throw new Refusal(`has ${bytes.length} bytes where an IPv6 address has 16`, bytes);
  return Array.from({ length: GROUPS }, (_, index) => (bytes[index * 2]! << 8) | bytes[index * 2 + 1]!);
}

function ipv6OfValue(value: unknown): number[] {
  if (typeof value !== "string") refuseKind(value, IPV6);
  const groups =
    value.length > LONGEST ? undefined : readIPv6(DOTTED.test(value) ? `::ffff:${value}` : value);
  if (groups === undefined) throw new Refusal(`is not ${IPV6}`, value);
  return groups;
}

/** The eight 16-bit groups of a text; `::` stands, once at most, for as many zero groups as are missing. */
function readIPv6(text: string): number[] | undefined {
  const [left = "", right, ...more] = text.split("::");
  if (more.length > 0) return undefined;
  const before = readGroups(left, right === undefined);
  const after = right === undefined ? [] : readGroups(right, true);
  if (before === undefined || after === undefined) return undefined;
  const missing = GROUPS - before.length - after.length;
  if (right === undefined ? missing !== 0 : missing < 1) return undefined;
  return [...before, ...new Array<number>(missing).fill(0), ...after];
}

/** Groups between colons, none in an empty text; the last of an address may be IPv4 text, which counts as two. */
function readGroups(text: string, isEnd: boolean): number[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const groups: number[] = [];
  for (const [index, part] of parts.entries()) {
    const address = isEnd && index === parts.length - 1 ? readIPv4(part) : undefined;
    if (address !== undefined) groups.push(address >>> 16, address & 0xffff);
    else if (GROUP.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}
