import { ColdpathError } from "../base/errors.js";
import { ArrayWriter } from "./array.js";
import { BoolWriter } from "./bool.js";
import type { ColumnWriter } from "./column-writer.js";
import { DateWriter } from "./date.js";
import { DateTime64Writer, DateTimeWriter } from "./date-time.js";
import { DecimalWriter } from "./decimal.js";
import { EnumWriter } from "./enum.js";
import { FixedStringWriter } from "./fixed-string.js";
import { FloatWriter } from "./float.js";
import { SmallIntegerWriter, WideIntegerWriter } from "./integer.js";
import { IPv4Writer, IPv6Writer } from "./ip-address.js";
import { LowCardinalityTextWriter } from "./low-cardinality-text.js";
import { LowCardinalityValueWriter } from "./low-cardinality-value.js";
import { MapWriter } from "./map.js";
import { NullableWriter } from "./nullable.js";
import { StringWriter } from "./string.js";
import { TupleWriter } from "./tuple.js";
import { parseTypeName, type TypeArgument, type TypeName } from "./type-name.js";
import { UuidWriter } from "./uuid.js";

/** The precision of a Decimal of so many bits. */
const PRECISION_OF_BITS: Readonly<Record<string, number>> = { 32: 9, 64: 18, 128: 38, 256: 76 };
/** `MAX_FIXEDSTRING_SIZE` of ClickHouse. */
const MAX_FIXED_STRING = 0xff_ffff;
/** What stands inside LowCardinality, String aside. Not floats: of 0 and -0 ClickHouse would keep one for both. */
const IN_LOW_CARDINALITY = /^(?:U?Int\d+|Bool|Date|Date32|DateTime|UUID|IPv4|IPv6|FixedString)$/;
/** What ClickHouse does not allow inside Nullable. */
const NOT_IN_NULLABLE = /^(?:Nullable|LowCardinality|Array|Map|Tuple|Nested)$/;

/**
 * The writer of a ClickHouse type.
 * @throws ColdpathError TYPE_UNSUPPORTED
 */
export function createWriter(typeText: string): ColumnWriter {
  return create(parseTypeName(typeText));
}

function create(type: TypeName): ColumnWriter {
  const writer = type.arguments.length === 0 ? createPlain(type.name) : createWithArguments(type);
  if (writer === undefined)
    throw new ColdpathError("TYPE_UNSUPPORTED", `the type ${show(type)} is not supported`);
  return writer;
}

function createPlain(name: string): ColumnWriter | undefined {
  switch (name) {
    case "Bool":
      return new BoolWriter();
    case "Float32":
      return new FloatWriter(4);
    case "Float64":
      return new FloatWriter(8);
    case "String":
      return new StringWriter();
    case "Date":
      return new DateWriter(2);
    case "Date32":
      return new DateWriter(4);
    case "DateTime":
      return new DateTimeWriter();
    case "UUID":
      return new UuidWriter();
    case "IPv4":
      return new IPv4Writer();
    case "IPv6":
      return new IPv6Writer();
  }
  const integer = /^(U?)Int(8|16|32|64|128|256)$/.exec(name);
  if (!integer) return undefined;
  const bits = Number(integer[2]);
  const signed = integer[1] === "";
  return bits <= 32 ? new SmallIntegerWriter(bits, signed) : new WideIntegerWriter(bits, signed);
}

function createWithArguments({ name, arguments: list }: TypeName): ColumnWriter | undefined {
  const [first, second] = list;
  switch (name) {
    case "DateTime":
      return first?.kind === "text" ? new DateTimeWriter() : undefined;
    case "DateTime64":
      return isNumber(first, 0, 9) ? new DateTime64Writer(first.value) : undefined;
    case "Enum8":
      return createEnum(1, list);
    case "Enum16":
      return createEnum(2, list);
    case "Nullable":
      return isType(first) && !NOT_IN_NULLABLE.test(first.name)
        ? new NullableWriter(create(first))
        : undefined;
    case "FixedString":
      return isNumber(first, 1, MAX_FIXED_STRING) ? new FixedStringWriter(first.value) : undefined;
    case "Array":
      return isType(first) ? new ArrayWriter(create(first)) : undefined;
    case "Tuple":
      return createTuple(list);
    case "Nested": {
      const elements = createTuple(list);
      return elements === undefined ? undefined : new ArrayWriter(elements);
    }
    case "Map":
      return isType(first) && isType(second) ? new MapWriter(create(first), create(second)) : undefined;
    case "LowCardinality":
      return isType(first) ? createLowCardinality(first) : undefined;
    case "Decimal":
      return isNumber(first, 1, 76) ? createDecimal(first.value, second) : undefined;
  }
  const precision = PRECISION_OF_BITS[/^Decimal(\d+)$/.exec(name)?.[1] ?? ""];
  return precision === undefined ? undefined : createDecimal(precision, first);
}

function createDecimal(precision: number, scale: TypeArgument | undefined): ColumnWriter | undefined {
  if (scale === undefined) return new DecimalWriter(precision, 0);
  return isNumber(scale, 0, precision) ? new DecimalWriter(precision, scale.value) : undefined;
}

function createLowCardinality(type: TypeName): ColumnWriter | undefined {
  const [inside] = type.arguments;
  const nullable = type.name === "Nullable";
  const value = nullable ? inside : type;
  if (!isType(value)) return undefined;
  if (value.name === "String") return new LowCardinalityTextWriter(nullable);
  return IN_LOW_CARDINALITY.test(value.name)
    ? new LowCardinalityValueWriter(create(value), nullable)
    : undefined;
}

/** Elements all with names or all without, at least one. */
function createTuple(list: readonly TypeArgument[]): TupleWriter | undefined {
  const names = list.flatMap((argument) => (argument.kind === "element" ? [argument.name] : []));
  if (names.length !== 0 && names.length !== list.length) return undefined;
  const types = list.map((argument) => (argument.kind === "element" ? argument.type : argument));
  if (!types.every(isType)) return undefined;
  const [first, ...others] = types.map(create);
  return first === undefined ? undefined : new TupleWriter([first, ...others], names);
}

function createEnum(width: 1 | 2, list: readonly TypeArgument[]): ColumnWriter | undefined {
  const entries = new Map<string, number>();
  for (const entry of list) {
    if (entry.kind !== "entry") return undefined;
    entries.set(entry.name, entry.value);
  }
  return new EnumWriter(width, entries);
}

function isType(argument: TypeArgument | undefined): argument is TypeName {
  return argument?.kind === "type";
}

function isNumber(
  argument: TypeArgument | undefined,
  min: number,
  max: number,
): argument is { readonly kind: "number"; readonly value: number } {
  return argument?.kind === "number" && argument.value >= min && argument.value <= max;
}

/** The type as a person writes it, for messages. */
function show({ name, arguments: list }: TypeName): string {
  return list.length === 0 ? name : `${name}(${list.map(showArgument).join(", ")})`;
}

function showArgument(argument: TypeArgument): string {
  switch (argument.kind) {
    case "type":
      return show(argument);
    case "element":
      return `${argument.name} ${show(argument.type)}`;
    case "entry":
      return `'${argument.name}' = ${argument.value}`;
    case "text":
      return `'${argument.value}'`;
    case "number":
      return String(argument.value);
  }
}
