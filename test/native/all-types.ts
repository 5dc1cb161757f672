import {
  fixedBytesCase,
  fixedStringCase,
  ipv4Case,
  ipv6Case,
  lowCardinalityOf,
  tupleCase,
  uuidCase,
} from "./more-values.js";
import {
  arrayCase,
  boolCase,
  dateCase,
  dateTime64Case,
  dateTimeCase,
  decimalCase,
  enumCase,
  floatCase,
  integerCase,
  lowCardinalityCase,
  mapCase,
  nullableCase,
  stringCase,
  type TypeCase,
} from "./values.js";

const KINDS = { quote: 1, depth: 2, "it's, (a) \\ trade": -128, "": 127 };
const KINDS_TYPE = "('quote' = 1, 'depth' = 2, 'it\\'s, (a) \\\\ trade' = -128, '' = 127)";
const price = decimalCase("Decimal(18, 8)", 18, 8);
const size = decimalCase("Decimal(38, 8)", 38, 8);
const time = dateTime64Case("DateTime64(9, 'UTC')", 9);
const text = stringCase("String");
const symbol = lowCardinalityCase("LowCardinality(String)");
const kind = enumCase(`Enum8${KINDS_TYPE}`, KINDS);

const uuid = uuidCase();
const level = tupleCase([price, size, nullableCase(symbol)], ["px", "size", "it's, a `name`"]);

const WHOLE_TYPES: TypeCase[] = [8, 16, 32, 64, 128, 256].flatMap((bits) => [
  integerCase(`Int${bits}`, bits, true),
  integerCase(`UInt${bits}`, bits, false),
]);

/** Every type that is written, alone and inside the others. */
export const TYPES: readonly TypeCase[] = [
  ...WHOLE_TYPES,
  price,
  size,
  decimalCase("Decimal(9, 2)", 9, 2),
  decimalCase("Decimal(10, 0)", 10, 0),
  decimalCase("Decimal(18, 18)", 18, 18),
  decimalCase("Decimal32(4)", 9, 4),
  decimalCase("Decimal64(8)", 18, 8),
  decimalCase("Decimal128(18)", 38, 18),
  decimalCase("Decimal(76, 30)", 76, 30),
  time,
  dateTime64Case("DateTime64(0)", 0),
  dateTime64Case("DateTime64(3, 'Asia/Tokyo')", 3),
  dateTime64Case("DateTime64(6)", 6),
  dateTime64Case("DateTime64(8)", 8),
  dateTimeCase("DateTime"),
  dateTimeCase("DateTime('America/New_York')"),
  dateCase("Date", 0, 65_535),
  dateCase("Date32", -25_567, 120_529),
  text,
  symbol,
  kind,
  enumCase("Enum16('low' = -32768, 'high' = 32767)", { low: -32_768, high: 32_767 }),
  boolCase(),
  floatCase(4),
  floatCase(8),
  ...[price, size, time, text, symbol, kind, integerCase("UInt64", 64, false), floatCase(8)].map(
    nullableCase,
  ),
  ...[price, size, time, text, symbol, kind, nullableCase(symbol), nullableCase(price), arrayCase(price)].map(
    arrayCase,
  ),
  ...[text, price, nullableCase(price), symbol, arrayCase(time)].map((inner) => mapCase(inner)),
  mapCase(price, "LowCardinality(String)"),
  uuid,
  ipv4Case(),
  ipv6Case(),
  fixedStringCase(3),
  fixedStringCase(16),
  fixedBytesCase(1),
  fixedBytesCase(33),
  ...[uuid, ipv4Case(), ipv6Case(), fixedBytesCase(5)].flatMap((each) => [
    nullableCase(each),
    arrayCase(nullableCase(each)),
    mapCase(each),
    lowCardinalityOf(each),
    nullableCase(lowCardinalityOf(each)),
  ]),
  ...[
    ...WHOLE_TYPES,
    dateCase("Date", 0, 65_535),
    dateCase("Date32", -25_567, 120_529),
    dateTimeCase("DateTime('Asia/Tokyo')"),
    boolCase(),
  ].flatMap((each) => [lowCardinalityOf(each), nullableCase(lowCardinalityOf(each))]),
  level,
  tupleCase([uuid]),
  tupleCase([text, nullableCase(time), arrayCase(symbol), tupleCase([kind, floatCase(8)])]),
  arrayCase(level),
  { ...arrayCase(level), type: level.type.replace("Tuple", "Nested") },
  mapCase(level, "LowCardinality(String)"),
  mapCase(lowCardinalityOf(uuid)),
  mapCase(symbol, "LowCardinality(String)"),
  tupleCase([symbol, mapCase(nullableCase(symbol), "LowCardinality(String)"), lowCardinalityOf(ipv4Case())]),
];
