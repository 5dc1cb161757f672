import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import { BlockBuilder, ValueError } from "../../src/native/block.js";
import { NumberText } from "../../src/native/number-text.js";
import { column } from "./through-engine.js";

const time = "DateTime64(9, 'UTC')";
const NOT_TIME = "is not a time such as 2024-08-08T23:54:15.088165267Z";
const MILLISECONDS = "looks like milliseconds: a bare integer is nanoseconds";
const NOT_NULLABLE = "is not allowed, the type is not Nullable";
const NOT_UUID = "is not a UUID such as 61f0c404-5cb3-11e7-907b-a6006ad3dba0";
const NOT_IPV4 = "is not an IPv4 address such as 192.0.2.1";
const NOT_IPV6 = "is not an IPv6 address such as 2001:db8::1";
const LEVEL = "Tuple(px Int8, size Nullable(Int8), `maker id` LowCardinality(String))";
const SURROGATE = "holds a lone surrogate, which UTF-8 cannot hold";

/** Type, value, the whole reason. */
const REFUSED: readonly (readonly [string, unknown, string])[] = [
  ["Int8", 128, "is out of range for Int8"],
  ["Int8", -129, "is out of range for Int8"],
  ["UInt8", -1, "is out of range for UInt8"],
  ["UInt8", "256", "is out of range for UInt8"],
  ["UInt8", 1.5, "is not a whole number"],
  ["UInt8", "1.5", "is not a whole number"],
  ["UInt8", Number.NaN, "is not a whole number"],
  ["UInt8", Infinity, "is out of range for UInt8"],
  ["UInt8", "", "is not a decimal number"],
  ["UInt8", " 1", "is not a decimal number"],
  ["UInt8", "0x10", "is not a decimal number"],
  ["UInt8", "1_000", "is not a decimal number"],
  ["UInt8", true, "is not an integer"],
  ["UInt8", null, NOT_NULLABLE],
  ["UInt32", 2 ** 32, "is out of range for UInt32"],
  ["UInt32", 10n ** 30n, "is out of range for UInt32"],
  ["UInt32", new NumberText("1e999999999"), "is out of range"],
  ["Int64", 2 ** 53, "is beyond 2^53, where numbers are not exact: give a bigint or text"],
  ["Int64", 2n ** 63n, "is out of range for Int64"],
  ["Int64", "9223372036854775808", "is out of range for Int64"],
  ["Int64", "-9223372036854775809", "is out of range for Int64"],
  ["Int64", Infinity, "is beyond 2^53, where numbers are not exact: give a bigint or text"],
  ["UInt64", -1, "is out of range for UInt64"],
  ["UInt64", "-1", "is out of range for UInt64"],
  ["UInt64", 2n ** 64n, "is out of range for UInt64"],
  ["UInt64", "18446744073709551616", "is out of range for UInt64"],
  ["UInt64", {}, "is not an integer"],
  ["UInt256", 2n ** 256n, "is out of range for UInt256"],
  ["Decimal(18, 8)", "1.234567891", "has more than 8 decimal places"],
  ["Decimal(18, 8)", "1e-9", "has more than 8 decimal places"],
  ["Decimal(18, 8)", "10000000000", "is out of range for Decimal(18, 8)"],
  ["Decimal(18, 8)", "-10000000000.00000000", "is out of range for Decimal(18, 8)"],
  ["Decimal(18, 8)", 10_000_000_000n, "is out of range for Decimal(18, 8)"],
  ["Decimal(18, 8)", 1e10, "is out of range for Decimal(18, 8)"],
  ["Decimal(18, 8)", 1e300, "is out of range for Decimal(18, 8)"],
  ["Decimal(18, 8)", Number.NaN, "is not a finite number"],
  ["Decimal(18, 8)", -Infinity, "is not a finite number"],
  ["Decimal(18, 8)", "1e1001", "is out of range"],
  ["Decimal(18, 8)", "1".repeat(1001), "is too long for a number"],
  ["Decimal(18, 8)", "NaN", "is not a decimal number"],
  ["Decimal(18, 8)", "1,5", "is not a decimal number"],
  ["Decimal(18, 8)", "1.2.3", "is not a decimal number"],
  ["Decimal(18, 8)", ".", "is not a decimal number"],
  ["Decimal(18, 8)", "-", "is not a decimal number"],
  ["Decimal(18, 8)", "--1", "is not a decimal number"],
  ["Decimal(18, 8)", [1], "is not a decimal number"],
  ["Decimal(9, 2)", 10_000_000, "is out of range for Decimal(9, 2)"],
  ["Decimal(9, 2)", 9_999_999.996, "is out of range for Decimal(9, 2)"],
  ["Decimal(38, 8)", 10n ** 30n, "is out of range for Decimal(38, 8)"],
  [time, 1_723_161_255_088, "is a bare number without a unit: use ms(…) or us(…)"],
  [time, "1723161255088", MILLISECONDS],
  [time, new NumberText("1723161255088165"), MILLISECONDS],
  [time, new NumberText("0"), MILLISECONDS],
  [time, "2024-02-30T00:00:00Z", "is a date that does not exist"],
  [time, "2023-02-29T00:00:00Z", "is a date that does not exist"],
  [time, "2024-13-01T00:00:00Z", "is a date that does not exist"],
  [time, "2024-00-10T00:00:00Z", "is a date that does not exist"],
  [time, "2024-01-01T24:00:00Z", "has a time of day that does not exist"],
  [time, "2016-12-31T23:59:60Z", "has a time of day that does not exist"],
  [time, "2024-01-01", NOT_TIME],
  [time, "2024-01-01T00:00Z", NOT_TIME],
  [time, "2024-01-01T00:00:00.Z", NOT_TIME],
  [time, "2024-01-01T00:00:00 UTC", NOT_TIME],
  [time, "2024-01-01T00:00:00+24:00", NOT_TIME],
  [time, "2024-1-01T00:00:00Z", NOT_TIME],
  [time, "yesterday", NOT_TIME],
  [time, "", NOT_TIME],
  [time, "2024-01-01T00:00:00.0000000001Z", "is finer than 9 decimal places of a second"],
  [time, "2262-04-11T23:47:16.854775808Z", "is out of range for DateTime64(9)"],
  [time, "1677-09-21T00:12:43.145224191Z", "is out of range for DateTime64(9)"],
  [time, 2n ** 63n, "is out of range for DateTime64(9)"],
  [time, new Date(Number.NaN), "is an invalid Date"],
  [time, new Date(8.64e15), "is out of range for DateTime64(9)"],
  [time, {}, "is not a time"],
  ["DateTime64(3)", "2024-01-01T00:00:00.0001Z", "is finer than 3 decimal places of a second"],
  ["DateTime64(3)", 1_723_161_255_088_165_267n, "is finer than 3 decimal places of a second"],
  ["DateTime64(3)", new Date(8.64e15), "is out of range for DateTime64(3)"],
  ["DateTime", "2024-01-01T00:00:00.5Z", "has a fraction of a second"],
  ["DateTime", "1969-12-31T23:59:59Z", "is out of range for DateTime"],
  ["DateTime", "2106-02-07T06:28:16Z", "is out of range for DateTime"],
  ["Date", "1969-12-31", "is out of range for Date"],
  ["Date", "2149-06-07", "is out of range for Date"],
  ["Date", "2024-02-30", "is a date that does not exist"],
  ["Date", "2024-02-29T00:00:00Z", "is not a date such as 2024-08-08"],
  ["Date", new Date("2024-02-29T00:00:01Z"), "has a time of day"],
  ["Date", 19_000, "is not a date such as 2024-08-08"],
  ["Date32", "1899-12-31", "is out of range for Date32"],
  ["String", 5, "is not a string"],
  ["String", new NumberText("5"), "is not a string"],
  ["String", "a\ud800", SURROGATE],
  ["String", `\udc00${"a".repeat(1e6)}`, SURROGATE],
  ["LowCardinality(String)", "\udfff", SURROGATE],
  ["LowCardinality(String)", Buffer.from([0xff]), "is not valid UTF-8"],
  ["LowCardinality(String)", null, NOT_NULLABLE],
  ["LowCardinality(Nullable(String))", 1, "is not a string"],
  ["Enum8('quote' = 1, 'trade' = 3)", "qoute", "is not in the Enum, did you mean 'quote'?"],
  ["Enum8('quote' = 1, 'trade' = 3)", "x".repeat(30), "is not in the Enum, which has 'quote', 'trade'"],
  ["Enum8('quote' = 1, 'trade' = 3)", 2, "is not in the Enum, which has 'quote', 'trade'"],
  ["Enum8('quote' = 1, 'trade' = 3)", 1.5, "is not in the Enum, which has 'quote', 'trade'"],
  ["Enum8('quote' = 1, 'trade' = 3)", true, "is not a name or number of the Enum"],
  ["Bool", 2, "is not true, false, 1 or 0"],
  ["Bool", "yes", "is not true, false, 1 or 0"],
  ["Bool", null, NOT_NULLABLE],
  ["Float64", "1e999", "is out of range for Float64"],
  ["Float64", 10n ** 400n, "is out of range for Float64"],
  ["Float64", `${"1".repeat(1e5)}x`, "is not a number"],
  ["Float32", 1e39, "is out of range for Float32"],
  ["Nullable(Int8)", 200, "is out of range for Int8"],
  ["Array(Int8)", [1, 2, 300], "at element 2 is out of range for Int8"],
  ["Array(Int8)", [1, null], `at element 1 ${NOT_NULLABLE}`],
  ["Array(Array(Int8))", [[], [1, "x"]], "at element 1 at element 1 is not a decimal number"],
  ["Array(Int8)", "[1]", "is not an array"],
  ["Array(Int8)", null, NOT_NULLABLE],
  ["Array(Int8)", new DataView(new ArrayBuffer(1)), "is not an array"],
  ["Map(String, Int8)", { fee: 300 }, "at key 'fee' is out of range for Int8"],
  ["Map(String, Int8)", new Map([[5, 1]]), "at key 5 is not a string"],
  ["Map(String, Int8)", [["fee", 1]], "is not an object or a Map"],
  ["Map(String, Int8)", new Date(0), "is not an object or a Map"],
  ["UUID", "61f0c404-5cb3-11e7-907b-a6006ad3dba", NOT_UUID],
  ["UUID", "{61f0c404-5cb3-11e7-907b-a6006ad3dba0}", NOT_UUID],
  ["UUID", "61f0c4045cb3-11e7-907b-a6006ad3dba0", NOT_UUID],
  ["UUID", "61f0c404-5cb3-11e7-907b-a6006ad3dbag", NOT_UUID],
  ["UUID", "", NOT_UUID],
  ["UUID", 5n, NOT_UUID],
  ["UUID", null, NOT_NULLABLE],
  ["UUID", new Uint8Array(15), "has 15 bytes where a UUID has 16"],
  ["IPv4", "256.0.0.1", NOT_IPV4],
  ["IPv4", "1.2.3", NOT_IPV4],
  ["IPv4", "01.2.3.4", NOT_IPV4],
  ["IPv4", "1.2.3.4 ", NOT_IPV4],
  ["IPv4", "::ffff:1.2.3.4", NOT_IPV4],
  ["IPv4", "", NOT_IPV4],
  ["IPv4", 16_909_060, NOT_IPV4],
  ["IPv4", new NumberText("16909060"), NOT_IPV4],
  ["IPv4", new Uint8Array(16), "has 16 bytes where an IPv4 address has 4"],
  ["IPv6", "1::2::3", NOT_IPV6],
  ["IPv6", "1:2:3:4:5:6:7", NOT_IPV6],
  ["IPv6", "1:2:3:4:5:6:7:8:9", NOT_IPV6],
  ["IPv6", "1:2:3:4::5:6:7:8", NOT_IPV6],
  ["IPv6", "1.2.3.4::", NOT_IPV6],
  ["IPv6", "12345::", NOT_IPV6],
  ["IPv6", "fe80::1%eth0", NOT_IPV6],
  ["IPv6", "[::1]", NOT_IPV6],
  ["IPv6", "::ffff:1.2.3.256", NOT_IPV6],
  ["IPv6", "1.2.3.04", NOT_IPV6],
  ["IPv6", "12", NOT_IPV6],
  ["IPv6", "dead", NOT_IPV6],
  ["IPv6", ":".repeat(1e6), NOT_IPV6],
  ["IPv6", "", NOT_IPV6],
  ["IPv6", 1n, NOT_IPV6],
  ["IPv6", new Uint8Array(4), "has 4 bytes where an IPv6 address has 16"],
  ["FixedString(3)", "abcd", "has 4 bytes, more than FixedString(3) holds"],
  ["FixedString(3)", "éé", "has 4 bytes, more than FixedString(3) holds"],
  ["FixedString(3)", Buffer.from([1, 2, 3, 4]), "has 4 bytes, more than FixedString(3) holds"],
  ["FixedString(3)", "\ud800", SURROGATE],
  ["FixedString(3)", 5, "is not a string"],
  ["FixedString(3)", null, NOT_NULLABLE],
  ["LowCardinality(UInt8)", 256, "is out of range for UInt8"],
  ["LowCardinality(UInt8)", null, NOT_NULLABLE],
  ["LowCardinality(FixedString(2))", "abc", "has 3 bytes, more than FixedString(2) holds"],
  ["LowCardinality(Nullable(Date))", "2024-02-30", "is a date that does not exist"],
  [LEVEL, { px: 1 }, "lacks the element 'maker id'"],
  [LEVEL, {}, "lacks the element 'px'"],
  [LEVEL, { px: 1, "maker-id": "a" }, "has the unknown element 'maker-id', did you mean 'maker id'?"],
  [LEVEL, { px: 1, constructor: "a", "maker id": "b" }, "has the unknown element 'constructor'"],
  [LEVEL, { px: 300, "maker id": "b" }, "at element 'px' is out of range for Int8"],
  [LEVEL, { px: null, "maker id": "b" }, `at element 'px' ${NOT_NULLABLE}`],
  [LEVEL, [1, 2], "is of length 2 where the Tuple has length 3"],
  [LEVEL, [1, 2, "a", "b"], "is of length 4 where the Tuple has length 3"],
  [LEVEL, [1, 2, 3], "at element 2 is not a string"],
  [LEVEL, "(1,2,'a')", "is not an object or an array"],
  [LEVEL, new Map([["px", 1]]), "is not an object or an array"],
  [LEVEL, null, NOT_NULLABLE],
  ["Tuple(toString String)", {}, "lacks the element 'toString'"],
  ["Tuple(Int8, Int8)", { 1: 1, 2: 2 }, "is not an array"],
  ["Array(Tuple(Int8, Int8))", [[1, 2], [3]], "at element 1 is of length 1 where the Tuple has length 2"],
  ["Nested(px Int8)", [{ px: 1 }, { px: "x" }], "at element 1 at element 'px' is not a decimal number"],
  ["Map(UUID, Int8)", { x: 1 }, `at key 'x' ${NOT_UUID}`],
];

describe("a value that does not fit is refused with its reason and costs its row alone", () => {
  for (const [type, value, reason] of REFUSED) {
    test(`${type}: ${inspect(value, { maxStringLength: 40 })} ${reason}`, () => {
      const builder = new BlockBuilder([
        column("before", "String"),
        column("v", type),
        column("after", "UInt8"),
      ]);
      const empty = builder.encode();
      assert.throws(
        () => builder.append({ before: "x", v: value, after: 1 }, {}),
        (error) => {
          assert(error instanceof ValueError);
          assert.deepEqual([error.code, error.column, error.reason], ["VALUE_REJECTED", "v", reason]);
          assert(error.value.length <= 100, "the preview is short");
          return true;
        },
      );
      assert.equal(builder.rows, 0);
      assert.deepEqual(builder.encode(), empty);
    });
  }
});

test("a refusal names the column and shows the value as a person would write it", () => {
  const builder = new BlockBuilder([column("px", "Decimal(18, 8)")]);
  const message = (px: unknown): string => {
    try {
      builder.append({ px }, {});
    } catch (error) {
      return (error as Error).message;
    }
    return "taken";
  };
  assert.equal(message(new NumberText("1e-9")), "column px: 1e-9 has more than 8 decimal places");
  assert.equal(message("abc"), "column px: 'abc' is not a decimal number");
  assert.equal(message(undefined), "column px is required");
  assert.equal(message(null), "column px: null is not allowed, the type is not Nullable");
});

test("text that would make a careless parser slow is refused at once", { timeout: 60_000 }, () => {
  const builder = new BlockBuilder([column("d", "Decimal(38, 8)"), column("f", "Float64")]);
  for (const text of [
    `1${"0".repeat(1e6)}1`,
    `${"1".repeat(1e6)}x`,
    `0.${"0".repeat(1e6)}1e`,
    `1e${"9".repeat(1e6)}`,
  ]) {
    assert.throws(() => builder.append({ d: text, f: 1 }, {}), ValueError);
    assert.throws(() => builder.append({ d: 1, f: `${text}x` }, {}), ValueError);
  }
});
