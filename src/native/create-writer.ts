import { ColdpathError } from "../base/errors.js";
import { ArrayWriter } from "./array.js";
import { BoolWriter } from "./bool.js";
import type { ColumnWriter } from "./column-writer.js";
import { DateWriter } from "./date.js";
import { DateTime64Writer, DateTimeWriter } from "./date-time.js";
import { DecimalWriter } from "./decimal.js";
import { EnumWriter } from "./enum.js";
import { FloatWriter } from "./float.js";
import { SmallIntegerWriter, WideIntegerWriter } from "./integer.js";
import { LowCardinalityWriter } from "./low-cardinality.js";
import { MapWriter } from "./map.js";
import { NullableWriter } from "./nullable.js";
import { StringWriter } from "./string.js";
import { parseTypeName, type TypeArgument, type TypeName } from "./type-name.js";

/** The precision of a Decimal of so many bits. */
const PRECISION_OF_BITS: Readonly<Record<string, number>> = { 32: 9, 64: 18, 128: 38, 256: 76 };

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
      return isType(first) ? new NullableWriter(create(first)) : undefined;
    case "Array":
      return isType(first) ? new ArrayWriter(create(first)) : undefined;
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
  const text = show(type);
  if (text === "String") return new LowCardinalityWriter(false);
  return text === "Nullable(String)" ? new LowCardinalityWriter(true) : undefined;
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

/** The type as a person writes it, for messages and comparison. */
function show(type: TypeName): string {
  if (type.arguments.length === 0) return type.name;
  const list = type.arguments.map((argument) =>
    argument.kind === "type"
      ? show(argument)
      : "name" in argument
        ? `'${argument.name}'`
        : String(argument.value),
  );
  return `${type.name}(${list.join(", ")})`;
}
