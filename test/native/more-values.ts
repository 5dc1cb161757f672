import fc from "fast-check";
import { jsonOf, type Sample, type TypeCase } from "./values.js";

/** Samples as in `values.ts`, of the types that are no numbers, times or plain text, and of Tuple and LowCardinality. */

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex").toUpperCase();
}

/** So many bytes, all zeros and all ones among them. */
function bytesOf(count: number): fc.Arbitrary<Uint8Array> {
  return fc.oneof(
    fc.uint8Array({ minLength: count, maxLength: count }),
    fc.constantFrom(new Uint8Array(count), new Uint8Array(count).fill(0xff)),
  );
}

export function uuidCase(): TypeCase {
  const samples = bytesOf(16).chain((bytes) => {
    const digits = Buffer.from(bytes).toString("hex");
    const want = digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
    return fc
      .constantFrom<unknown>(want, want.toUpperCase(), digits, digits.toUpperCase(), bytes)
      .map((given) => ({ given, want }));
  });
  return { type: "UUID", samples, read: "toString(v)" };
}

export function ipv4Case(): TypeCase {
  const samples = bytesOf(4).chain((bytes) => {
    const want = bytes.join(".");
    return fc.constantFrom<unknown>(want, bytes).map((given) => ({ given, want }));
  });
  return { type: "IPv4", samples, read: "toString(v)" };
}

/** Every way to write eight groups: any one run of zero groups as `::`, the last two groups as IPv4, upper case. */
export function ipv6Texts(bytes: Uint8Array): string[] {
  const groups = Array.from({ length: 8 }, (_, at) =>
    ((bytes[at * 2]! << 8) | bytes[at * 2 + 1]!).toString(16),
  );
  const ends = [groups.slice(6), [bytes.slice(12).join(".")]];
  const texts = ends.flatMap((end) => {
    const all = [...groups.slice(0, 6), ...end];
    const shortened: string[] = [];
    for (let from = 0; from < all.length; from += 1) {
      for (let to = from + 1; to <= all.length && all[to - 1] === "0"; to += 1) {
        shortened.push(`${all.slice(0, from).join(":")}::${all.slice(to).join(":")}`);
      }
    }
    return [all.join(":"), ...shortened];
  });
  const isMapped = hex(bytes).startsWith("00000000000000000000FFFF");
  return [
    ...texts,
    ...texts.map((text) => text.toUpperCase()),
    ...(isMapped ? [bytes.slice(12).join(".")] : []),
  ];
}

export function ipv6Case(): TypeCase {
  // Half of the groups are zero, so that most addresses can be shortened; some are IPv4-mapped.
  const group = fc.oneof(fc.constant(new Uint8Array(2)), bytesOf(2));
  const mixed = fc
    .array(group, { minLength: 8, maxLength: 8 })
    .map((list) => Uint8Array.from(Buffer.concat(list)));
  const mapped = bytesOf(4).map((tail) => Uint8Array.from([...new Uint8Array(10), 0xff, 0xff, ...tail]));
  const samples = fc.oneof(bytesOf(16), mixed, mapped).chain((bytes) => {
    const texts = ipv6Texts(bytes);
    return fc
      .constantFrom<unknown>(...texts, bytes)
      .map((given) => ({ given, want: hex(bytes), json: given === bytes ? texts[0] : given }));
  });
  return { type: "IPv6", samples, read: "hex(v)" };
}

function filledUp(bytes: Uint8Array, width: number): string {
  return hex(bytes).padEnd(width * 2, "0");
}

/** Text of up to so many bytes. */
export function fixedStringCase(width: number): TypeCase {
  const samples = fc
    .string({ unit: fc.constantFrom("a", "Z", " ", "\0", "\n", '"', "\\", "é", "€", "😀"), maxLength: width })
    .filter((text) => Buffer.byteLength(text) <= width)
    .map((given): Sample => ({ given, want: filledUp(Buffer.from(given), width), json: given }));
  return { type: `FixedString(${width})`, samples, read: "hex(v)" };
}

/** Any bytes, which JSON cannot say. */
export function fixedBytesCase(width: number): TypeCase {
  const samples = fc
    .uint8Array({ maxLength: width })
    .map((given) => ({ given, want: filledUp(given, width) }));
  return { type: `FixedString(${width})`, samples, read: "hex(v)" };
}

/** Few distinct values among many, and many. */
export function lowCardinalityOf(inner: TypeCase): TypeCase {
  const common = fc.sample(inner.samples, { numRuns: 5, seed: 1 });
  return {
    ...inner,
    type: `LowCardinality(${inner.type})`,
    samples: fc.oneof(fc.constantFrom(...common), inner.samples),
  };
}

/** A Tuple of the cases; with names, given as an object too. */
export function tupleCase(cases: readonly TypeCase[], names: readonly string[] = []): TypeCase {
  const quoted = names.map((name) =>
    /^\w+$/.test(name) ? `${name} ` : `\`${name.replace(/[\\`]/g, "\\$&")}\` `,
  );
  const object = (values: readonly unknown[]): Readonly<Record<string, unknown>> =>
    Object.fromEntries(names.map((name, index) => [name, values[index]]));
  const samples = fc
    .tuple(fc.tuple(...cases.map((each) => each.samples)), fc.boolean())
    .map(([list, asObject]): Sample => {
      const given = list.map((sample) => sample.given);
      const json = list.map(jsonOf);
      return {
        given: asObject && names.length > 0 ? object(given) : given,
        want: list.map(({ want }) => want),
        json: names.length > 0 ? object(json) : json,
      };
    });
  const reads = cases.map(({ read }, index) => `arrayMap(v -> ${read}, [tupleElement(v, ${index + 1})])[1]`);
  return {
    type: `Tuple(${cases.map(({ type }, index) => `${quoted[index] ?? ""}${type}`).join(", ")})`,
    samples,
    read: `tuple(${reads.join(", ")})`,
  };
}
