import fc from "fast-check";
import { Micros } from "../../src/native/micros.js";
import { NumberText } from "../../src/native/number-text.js";

/**
 * A value in one of the shapes a column takes, and the text the engine must give for it. The text comes out of the
 * generator, never out of the code under test.
 */
export interface Sample {
  readonly given: unknown;
  readonly want: unknown;
  /** The same value as the engine's own JSON reader takes it, if that is not {@link want}. */
  readonly json?: unknown;
}

export interface TypeCase {
  readonly type: string;
  readonly samples: fc.Arbitrary<Sample>;
  /** SQL over the column `v` that gives `want`. */
  readonly read: string;
}

/** Digits as text or as a JSON number kept as text. */
function textForms(text: string): fc.Arbitrary<unknown> {
  return fc.constantFrom<unknown>(text, new NumberText(text));
}

/** Whole numbers of every magnitude up to the limits, both limits included. */
function wholes(min: bigint, max: bigint): fc.Arbitrary<bigint> {
  const bits = max.toString(2).length;
  const sized = fc.nat(bits).chain((bit) => {
    const limit = 2n ** BigInt(bit);
    return fc.bigInt(min < -limit ? -limit : min, max > limit ? limit : max);
  });
  return fc.oneof(sized, fc.constantFrom(min, max, 0n));
}

export function integerCase(type: string, bits: number, signed: boolean): TypeCase {
  const max = 2n ** BigInt(signed ? bits - 1 : bits) - 1n;
  const samples = wholes(signed ? -max - 1n : 0n, max).chain((whole) => {
    const forms: fc.Arbitrary<unknown>[] = [
      fc.constant(whole),
      textForms(`${whole}`),
      textForms(`${whole}.0`),
    ];
    if (Number.isSafeInteger(Number(whole))) forms.push(fc.constant(Number(whole)));
    return fc.oneof(...forms).map((given) => ({ given, want: `${whole}` }));
  });
  return { type, samples, read: "toString(v)" };
}

/** `units` of 10^-scale as ClickHouse prints a decimal: trailing zeros of the fraction dropped. */
function decimalText(units: bigint, scale: number): string {
  const digits = `${units < 0n ? -units : units}`.padStart(scale + 1, "0");
  const whole = digits.slice(0, digits.length - scale);
  const fraction = digits.slice(digits.length - scale).replace(/0+$/, "");
  return `${units < 0n ? "-" : ""}${whole}${fraction === "" ? "" : `.${fraction}`}`;
}

function decimalForms(units: bigint, scale: number): fc.Arbitrary<unknown> {
  const short = decimalText(units, scale);
  const padded = `${short}${short.includes(".") ? "" : "."}${"0".repeat(scale + 3)}`;
  const sign = units < 0n ? "-" : "";
  const bare = short.replace("-", "");
  const forms = [
    textForms(short),
    textForms(padded),
    textForms(`${sign}000${bare}`),
    textForms(`${units}e-${scale}`),
    textForms(`${units}00E-${scale + 2}`),
  ];
  if (bare.startsWith("0.")) forms.push(textForms(sign + bare.slice(1)));
  if (!bare.includes(".")) forms.push(fc.constant(BigInt(short)), textForms(`${short}.`));
  return fc.oneof(...forms);
}

export function decimalCase(type: string, precision: number, scale: number): TypeCase {
  const limit = 10n ** BigInt(precision) - 1n;
  const samples = wholes(-limit, limit).chain((units) =>
    decimalForms(units, scale).map((given) => ({ given, want: decimalText(units, scale) })),
  );
  return { type, samples, read: "toString(v)" };
}

/** Doubles of all sorts whose exact decimal expansion has at most 100 places, so that `toFixed(100)` is exact. */
const doubles: fc.Arbitrary<number> = fc.oneof(
  fc
    .double({ noNaN: true, noDefaultInfinity: true, min: -1e20, max: 1e20 })
    .filter((x) => x === 0 || Math.abs(x) > 1e-12),
  fc.tuple(fc.integer({ min: -1e9, max: 1e9 }), fc.integer({ min: 0, max: 10 })).map(([m, e]) => m / 10 ** e),
  // Ties and their neighbours: odd multiples of a power of two below one.
  fc
    .tuple(fc.integer({ min: -(2 ** 30), max: 2 ** 30 }), fc.integer({ min: 1, max: 40 }))
    .map(([m, e]) => m / 2 ** e),
  fc.maxSafeInteger(),
  fc.constantFrom(-0, 0, 0.5, 1.5, 2.5, -0.5, -1.5, 0.1 + 0.2, 1.005, 2 ** 53, 2 ** 53 + 2),
);

/** The exact value of a double in units of 10^-scale, rounded half to even, by way of its decimal expansion. */
function roundedUnits(value: number, scale: number): bigint {
  const [whole = "", fraction = ""] = Math.abs(value).toFixed(100).split(".");
  const kept = BigInt(whole + fraction.slice(0, scale));
  const rest = fraction.slice(scale).padEnd(101, "0");
  const half = `5${"0".repeat(100)}`;
  const up = rest > half || (rest === half && kept % 2n === 1n);
  const units = kept + (up ? 1n : 0n);
  return value < 0 ? -units : units;
}

export function decimalNumberCase(type: string, precision: number, scale: number): TypeCase {
  const limit = 10n ** BigInt(precision);
  const samples = doubles
    .map((given) => ({ given, units: roundedUnits(given, scale) }))
    .filter(({ units }) => units < limit && units > -limit)
    .map(({ given, units }) => ({ given, want: decimalText(units, scale) }));
  return { type, samples, read: "toString(v)" };
}

/** What the engine's JSON reader is to be given for a sample. */
export function jsonOf(sample: Sample): unknown {
  return sample.json === undefined ? sample.want : sample.json;
}

const NS_PER_SECOND = 10n ** 9n;

/** ISO text of a time by way of JavaScript's own calendar. */
function isoText(
  nanoseconds: bigint,
  digits: number,
  separator: string,
  offsetMinutes: number | undefined,
): string {
  const local = nanoseconds + BigInt(offsetMinutes ?? 0) * 60n * NS_PER_SECOND;
  const fraction = ((local % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND;
  const date = new Date(Number((local - fraction) / 1_000_000n)).toISOString().slice(0, 19);
  const decimals = `${fraction}`.padStart(9, "0").slice(0, digits);
  const zone = offsetMinutes === undefined ? "" : offsetMinutes === 0 ? "Z" : offsetText(offsetMinutes);
  return `${date.replace("T", separator)}${digits === 0 ? "" : `.${decimals}`}${zone}`;
}

function offsetText(minutes: number): string {
  const size = Math.abs(minutes);
  const two = (part: number): string => `${Math.trunc(part)}`.padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${two(size / 60)}:${two(size % 60)}`;
}

/** Times as counts of 10^-digits seconds within [min, max] nanoseconds, in every shape that can say them. */
function timeSamples(
  digits: number,
  min: bigint,
  max: bigint,
  want: (ticks: bigint) => string,
): fc.Arbitrary<Sample> {
  const tick = 10n ** BigInt(9 - digits);
  const offsets = fc.oneof(fc.constantFrom(undefined, 0), fc.integer({ min: -14 * 60, max: 14 * 60 }));
  return fc
    .tuple(fc.bigInt(min / tick, max / tick), fc.constantFrom("T", " ", "t"), offsets, fc.nat(9))
    .chain(([ticks, separator, offset, places]) => {
      const nanoseconds = ticks * tick;
      const shown = Math.max(digits, places);
      const forms: fc.Arbitrary<unknown>[] = [fc.constant(nanoseconds)];
      const year = new Date(Number(nanoseconds / 1_000_000n)).getUTCFullYear();
      if (year > 0 && year < 9999) forms.push(fc.constant(isoText(nanoseconds, shown, separator, offset)));
      if (nanoseconds % 1_000_000n === 0n)
        forms.push(fc.constant(new Date(Number(nanoseconds / 1_000_000n))));
      const rest = ((nanoseconds % 1000n) + 1000n) % 1000n;
      const micros = (nanoseconds - rest) / 1000n;
      if (micros < 9n * 10n ** 15n && micros > -9n * 10n ** 15n)
        forms.push(fc.constant(new Micros(Number(micros), Number(rest))));
      if (nanoseconds >= 10n ** 17n || nanoseconds <= -(10n ** 17n)) forms.push(textForms(`${nanoseconds}`));
      return fc.oneof(...forms).map((given) => ({ given, want: want(ticks) }));
    });
}

export function dateTime64Case(type: string, digits: number): TypeCase {
  // What an Int64 of ticks holds, within the years 1 to 9999.
  const limit = (2n ** 63n - 1n) * 10n ** BigInt(9 - digits);
  const [first, last] = [-62_135_596_800n * NS_PER_SECOND, 253_402_300_799n * NS_PER_SECOND];
  const [min, max] = [first < -limit ? -limit : first, last > limit ? limit : last];
  return {
    type,
    samples: timeSamples(digits, min, max, (ticks) => `${ticks}`),
    read: "toString(reinterpretAsInt64(v))",
  };
}

export function dateTimeCase(type: string): TypeCase {
  const samples = timeSamples(0, 0n, (2n ** 32n - 1n) * NS_PER_SECOND, (ticks) => `${ticks}`);
  return { type, samples, read: "toString(toUnixTimestamp(v))" };
}

export function dateCase(type: string, minDay: number, maxDay: number): TypeCase {
  const samples = fc.integer({ min: minDay, max: maxDay }).chain((day) => {
    const date = new Date(day * 86_400_000);
    const text = date.toISOString().slice(0, 10);
    return fc.constantFrom<unknown>(text, date).map((given) => ({ given, want: text }));
  });
  return { type, samples, read: "toString(v)" };
}

const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: "binary", maxLength: 100 }),
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary-ascii", maxLength: 300 }),
  fc.constantFrom(
    "",
    "\n\n;DROP TABLE t",
    "\0",
    "é".repeat(63),
    "é".repeat(64),
    "a".repeat(127),
    "a".repeat(128),
  ),
);

function hex(value: string | Uint8Array): string {
  return Buffer.from(value as Uint8Array)
    .toString("hex")
    .toUpperCase();
}

export function stringCase(type: string): TypeCase {
  const texts = anyText.map((given) => ({ given, want: hex(given), json: given }));
  const bytes = fc
    .uint8Array()
    .map((given) => ({ given, want: Buffer.from(given).toString("hex").toUpperCase() }));
  return { type, samples: fc.oneof(texts, bytes), read: "hex(v)" };
}

export function lowCardinalityCase(type: string): TypeCase {
  const texts = fc.oneof(fc.constantFrom("", "BTCUSDT", "ETHUSDT"), anyText);
  const samples = texts.chain((text) =>
    fc
      .constantFrom<unknown>(text, Buffer.from(text))
      .map((given) => ({ given, want: hex(text), json: text })),
  );
  return { type, samples, read: "hex(v)" };
}

export function enumCase(type: string, entries: Readonly<Record<string, number>>): TypeCase {
  const samples = fc
    .constantFrom(...Object.entries(entries))
    .chain(([name, number]) =>
      fc
        .constantFrom<unknown>(name, number, BigInt(number), new NumberText(`${number}`))
        .map((given) => ({ given, want: name })),
    );
  return { type, samples, read: "toString(v)" };
}

export function boolCase(): TypeCase {
  const forms = (want: boolean, digit: number): fc.Arbitrary<Sample> =>
    fc
      .constantFrom<unknown>(want, digit, BigInt(digit), `${want}`, `${digit}`, new NumberText(`${digit}`))
      .map((given) => ({ given, want: `${want}`, json: want }));
  return { type: "Bool", samples: fc.oneof(forms(true, 1), forms(false, 0)), read: "toString(v)" };
}

/** Bits of a float as an unsigned integer, by way of a DataView; every NaN counts as one. */
function floatBits(value: number, width: 4 | 8): string {
  const view = new DataView(new ArrayBuffer(8));
  if (width === 4) view.setFloat32(0, value);
  else view.setFloat64(0, value);
  return `${width === 4 ? view.getUint32(0) : view.getBigUint64(0)}`;
}

export function floatCase(width: 4 | 8): TypeCase {
  const special = fc.constantFrom(Number.NaN, Infinity, -Infinity, -0, 0, Number.MIN_VALUE);
  const numbers = fc.oneof(width === 4 ? fc.float() : fc.double(), special);
  const samples = numbers.chain((value) => {
    const forms: unknown[] = [value];
    // JavaScript writes -0 as 0.
    const text = Object.is(value, -0) ? "-0" : `${value}`;
    forms.push(text, new NumberText(text));
    return fc.constantFrom(...forms).map((given) => ({ given, want: floatBits(value, width) }));
  });
  return { type: `Float${width * 8}`, samples, read: `toString(reinterpretAsUInt${width * 8}(v))` };
}

export function nullableCase(inner: TypeCase): TypeCase {
  const none: Sample = { given: null, want: null, json: null };
  const type = inner.type.startsWith("LowCardinality(")
    ? `LowCardinality(Nullable(${inner.type.slice(15, -1)}))`
    : `Nullable(${inner.type})`;
  return { ...inner, type, samples: fc.oneof(inner.samples, fc.constant(none)) };
}

export function arrayCase(inner: TypeCase): TypeCase {
  return {
    type: `Array(${inner.type})`,
    samples: fc.array(inner.samples, { maxLength: 6 }).map((list) => ({
      given: list.map(({ given }) => given),
      want: list.map(({ want }) => want),
      json: list.map(jsonOf),
    })),
    read: `arrayMap(v -> ${inner.read}, v)`,
  };
}

export function mapCase(inner: TypeCase, keyType = "String"): TypeCase {
  const entries = fc.uniqueArray(fc.tuple(anyText, inner.samples), {
    maxLength: 5,
    selector: ([key]) => key,
  });
  return {
    type: `Map(${keyType}, ${inner.type})`,
    samples: fc.tuple(entries, fc.boolean()).map(([list, plain]) => {
      const pairs = list.map(([key, { given }]): [string, unknown] => [key, given]);
      const map = new Map(pairs);
      // A plain object moves keys that look like indexes to the front.
      const given = plain ? Object.fromEntries(pairs) : map;
      const order = plain ? Object.keys(given) : [...map.keys()];
      const wants = new Map(list.map(([key, { want }]) => [key, want]));
      return { given, want: order.map((key) => [hex(key), wants.get(key)]) };
    }),
    read: `arrayMap((k, v) -> tuple(hex(k), ${inner.read}), mapKeys(v), mapValues(v))`,
  };
}
