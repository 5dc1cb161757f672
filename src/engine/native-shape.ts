import { ColdpathError } from "../base/errors.js";
import { parseTypeName, type TypeArgument, type TypeName } from "../native/type-name.js";
import { refusal } from "./exception.js";

/** How the values of a type lie in a column of the Native format, as far as one must know to find its end. */
export type Shape =
  | { readonly kind: "fixed"; readonly bytes: number }
  | { readonly kind: "string" }
  /** JSON as text, if its version says so. */
  | { readonly kind: "json" }
  | { readonly kind: "nullable"; readonly of: Shape }
  | { readonly kind: "array"; readonly of: Shape }
  | { readonly kind: "tuple"; readonly of: readonly Shape[] }
  /** LowCardinality: values of which each row names one. */
  | { readonly kind: "dictionary"; readonly of: Shape };

const BYTES: Readonly<Record<string, number>> = {
  Bool: 1,
  Int8: 1,
  UInt8: 1,
  Enum8: 1,
  Nothing: 1,
  Int16: 2,
  UInt16: 2,
  Enum16: 2,
  BFloat16: 2,
  Date: 2,
  Int32: 4,
  UInt32: 4,
  Float32: 4,
  Date32: 4,
  DateTime: 4,
  Time: 4,
  IPv4: 4,
  Int64: 8,
  UInt64: 8,
  Float64: 8,
  DateTime64: 8,
  Time64: 8,
  Int128: 16,
  UInt128: 16,
  UUID: 16,
  IPv6: 16,
  Int256: 32,
  UInt256: 32,
};

const POINT = "Tuple(Float64, Float64)";
/** Types that are another name for one of the others. */
const ALIASES: Readonly<Record<string, string>> = {
  Point: POINT,
  Ring: `Array(${POINT})`,
  LineString: `Array(${POINT})`,
  MultiLineString: `Array(Array(${POINT}))`,
  Polygon: `Array(Array(${POINT}))`,
  MultiPolygon: `Array(Array(Array(${POINT})))`,
};

/** @throws ClickHouseError 48 for a type whose end cannot be told */
export function shapeOf(name: string): Shape {
  let type: TypeName;
  try {
    type = parseTypeName(name);
  } catch (error) {
    if (error instanceof ColdpathError) throw notCarried(name);
    throw error;
  }
  return shapeOfType(type, name);
}

function shapeOfType(type: TypeName, whole: string): Shape {
  const { name } = type;
  const bytes = name.startsWith("Interval") ? 8 : BYTES[name];
  if (bytes !== undefined) return { kind: "fixed", bytes };
  const inner = (index: number): Shape => shapeOfType(typeIn(type.arguments.at(index), whole), whole);
  const elements = (): Shape => ({ kind: "tuple", of: type.arguments.map((_, index) => inner(index)) });
  const alias = ALIASES[name];
  if (alias !== undefined) return shapeOf(alias);
  switch (name) {
    case "String":
      return { kind: "string" };
    case "FixedString":
      return { kind: "fixed", bytes: numberIn(type) };
    case "Decimal":
      return { kind: "fixed", bytes: decimalBytes(numberIn(type)) };
    case "Nullable":
      return { kind: "nullable", of: inner(0) };
    case "Array":
      return { kind: "array", of: inner(0) };
    case "Tuple":
      // Without elements each row is one byte.
      return type.arguments.length === 0 ? { kind: "fixed", bytes: 1 } : elements();
    case "Nested":
    case "Map":
      return { kind: "array", of: elements() };
    case "LowCardinality": {
      const of = inner(0);
      return { kind: "dictionary", of: of.kind === "nullable" ? of.of : of };
    }
    case "SimpleAggregateFunction":
      return inner(-1);
    case "JSON":
      return { kind: "json" };
    default:
      throw notCarried(whole);
  }
}

function typeIn(argument: TypeArgument | undefined, whole: string): TypeName {
  if (argument?.kind === "type") return argument;
  if (argument?.kind === "element") return argument.type;
  throw notCarried(whole);
}

function numberIn(type: TypeName): number {
  const first = type.arguments[0];
  return first?.kind === "number" ? first.value : 0;
}

function decimalBytes(precision: number): number {
  if (precision <= 9) return 4;
  if (precision <= 18) return 8;
  return precision <= 38 ? 16 : 32;
}

/** The answer to a Native result with a type that {@link shapeOf} does not know. */
export function notCarried(type: string): Error {
  return refusal(
    48,
    "NOT_IMPLEMENTED",
    `The embedded engine does not send the type ${type} as FORMAT Native to a client that gives client_protocol_version. ` +
      "Use another format (RowBinaryWithNamesAndTypes, JSON, …), or convert the column; for JSON the setting " +
      "output_format_native_write_json_as_string=1 is enough.",
  );
}
