import assert from "node:assert/strict";
import { test } from "node:test";
import { times } from "./mapping-support.js";

test("a count since 1970 is taken in its unit, to the last digit", () => {
  assert.deepEqual(times("{ time: t, unit: ns }", ["1723161255088165267"]), [
    "2024-08-08T23:54:15.088165267Z",
  ]);
  assert.deepEqual(times("{ time: t, unit: us }", ["1723161255088165", "1723161255088165.267"]), [
    "2024-08-08T23:54:15.088165000Z",
    "2024-08-08T23:54:15.088165267Z",
  ]);
  assert.deepEqual(times("{ time: t, unit: ms }", ["1430438404518", "0", "-1"]), [
    "2015-05-01T00:00:04.518000000Z",
    "1970-01-01T00:00:00.000000000Z",
    "1969-12-31T23:59:59.999000000Z",
  ]);
  assert.deepEqual(times("{ time: t, unit: s }", ["1430438404", "1430438404.000000001"]), [
    "2015-05-01T00:00:04.000000000Z",
    "2015-05-01T00:00:04.000000001Z",
  ]);
});

test("digits below a nanosecond are refused, rounded or cut as the mapping says", () => {
  const values = ["1430438404518.1234564", "1430438404518.1234565", "1430438404518.1234560", "-0.0000015"];
  const refused = "is finer than a nanosecond: set fraction to round or truncate";
  assert.deepEqual(times("{ time: t, unit: ms }", values), [
    `'1430438404518.1234564' ${refused}`,
    `'1430438404518.1234565' ${refused}`,
    "2015-05-01T00:00:04.518123456Z",
    `'-0.0000015' ${refused}`,
  ]);
  assert.deepEqual(times("{ time: t, unit: ms, fraction: round }", values), [
    "2015-05-01T00:00:04.518123456Z",
    "2015-05-01T00:00:04.518123457Z",
    "2015-05-01T00:00:04.518123456Z",
    "1969-12-31T23:59:59.999999998Z",
  ]);
  assert.deepEqual(times("{ time: t, unit: ms, fraction: truncate }", values), [
    "2015-05-01T00:00:04.518123456Z",
    "2015-05-01T00:00:04.518123456Z",
    "2015-05-01T00:00:04.518123456Z",
    "1969-12-31T23:59:59.999999999Z",
  ]);
});

test("rounding carries into the next second, minute and day", () => {
  assert.deepEqual(times("{ time: t, zone: UTC, fraction: round }", ["2023-12-31 23:59:59.9999999999"]), [
    "2024-01-01T00:00:00.000000000Z",
  ]);
  const next = "2024-01-01T00:00:00.000000000Z";
  const spec = "{ time: t, date: d, zone: UTC, fraction: round }";
  assert.deepEqual(times(spec, ["23:59:59.9999999999;2023-12-31"]), [next]);
  assert.deepEqual(
    times(spec.replace("date: d", "unit: ms, date: d"), ["86399999.9999999;20231231", "86400000;20231231"]),
    [next, "'86400000' is outside the 24 hours of a day"],
  );
  assert.deepEqual(
    times(
      "{ time: t, date: { file: date }, zone: UTC, fraction: round, rollover: 1h }",
      ["23:59:59.9999999999", "00:00:01"],
      "tape-2023-12-31.csv",
    ),
    [next, "2024-01-01T00:00:01.000000000Z"],
  );
});

test("times of day in UTC lie on the day of the file's name", () => {
  const spec = "{ time: t, unit: ms, date: { file: date }, zone: UTC }";
  assert.deepEqual(times(spec, ["46.2042", "45000000", "75600000"], "oanda-20140502.csv"), [
    "2014-05-02T00:00:00.046204200Z",
    "2014-05-02T12:30:00.000000000Z",
    "2014-05-02T21:00:00.000000000Z",
  ]);
});

test("times of day in UTC-5 lie five hours later in UTC, the evening on the next day", () => {
  const spec = "{ time: t, unit: ms, date: { file: date }, zone: UTC-5 }";
  assert.deepEqual(times(spec, ["17007", "68400000", "86399235"], "fxcm-2014-05-08.csv"), [
    "2014-05-08T05:00:17.007000000Z",
    "2014-05-09T00:00:00.000000000Z",
    "2014-05-09T04:59:59.235000000Z",
  ]);
});

test("New York is five hours behind in winter and four in summer", () => {
  assert.deepEqual(
    times("{ time: t, zone: America/New_York }", [
      "2024-03-08T16:00:00",
      "2024-03-11 09:30:00.000000001",
      "2024-11-03T03:00:00",
    ]),
    ["2024-03-08T21:00:00.000000000Z", "2024-03-11T13:30:00.000000001Z", "2024-11-03T08:00:00.000000000Z"],
  );
});

test("a local time that happens twice or not at all is refused unless the mapping says which is meant", () => {
  const values = ["2024-11-03 01:30:00", "2024-03-10 02:30:00", "2024-11-03 00:59:59", "2024-03-10 03:00:00"];
  const plain = ["2024-11-03T04:59:59.000000000Z", "2024-03-10T07:00:00.000000000Z"];
  const zone = "zone: America/New_York";
  assert.deepEqual(times(`{ time: t, ${zone} }`, values), [
    "'2024-11-03 01:30:00' happens twice in America/New_York, where the clock is set back: set dst to earlier or later",
    "'2024-03-10 02:30:00' does not happen in America/New_York, where the clock is set forward: set dst to earlier or later",
    ...plain,
  ]);
  assert.deepEqual(times(`{ time: t, ${zone}, dst: earlier }`, values), [
    "2024-11-03T05:30:00.000000000Z",
    "2024-03-10T06:30:00.000000000Z",
    ...plain,
  ]);
  assert.deepEqual(times(`{ time: t, ${zone}, dst: later }`, values), [
    "2024-11-03T06:30:00.000000000Z",
    "2024-03-10T07:30:00.000000000Z",
    ...plain,
  ]);
});

test("a zone east of Greenwich, one with a half hour and one south of the equator", () => {
  const at = (zone: string, text: string): string[] => times(`{ time: t, zone: ${zone} }`, [text]);
  assert.deepEqual(at("Europe/Berlin", "2024-07-01 12:00:00"), ["2024-07-01T10:00:00.000000000Z"]);
  assert.deepEqual(at("UTC+05:30", "2024-07-01 02:00:00"), ["2024-06-30T20:30:00.000000000Z"]);
  assert.deepEqual(at("Australia/Sydney", "2024-01-15 10:00:00"), ["2024-01-14T23:00:00.000000000Z"]);
});

test("an offset in the text counts before the zone, and text without either is refused", () => {
  const values = ["2024-05-01T12:00:00+02:00", "2024-05-01T12:00:00Z", "2024-05-01T12:00:00"];
  assert.deepEqual(times("{ time: t, zone: UTC-5 }", values), [
    "2024-05-01T10:00:00.000000000Z",
    "2024-05-01T12:00:00.000000000Z",
    "2024-05-01T17:00:00.000000000Z",
  ]);
  assert.match(
    times("{ time: t }", values)[2] ?? "",
    /has no offset from UTC, and the mapping gives no zone$/,
  );
});

test("an offset that no clock has is no time", () => {
  const offsets = ["+99:99", "+14:01", "-02:60", "+14:00", "-1400"];
  assert.deepEqual(
    times(
      "{ time: t }",
      offsets.map((offset) => `2024-05-01T12:00:00${offset}`),
    ),
    [
      "'2024-05-01T12:00:00+99:99' is not a time",
      "'2024-05-01T12:00:00+14:01' is not a time",
      "'2024-05-01T12:00:00-02:60' is not a time",
      "2024-04-30T22:00:00.000000000Z",
      "2024-05-02T02:00:00.000000000Z",
    ],
  );
});

test("date and time of day from two columns, in formats of their own", () => {
  const spec = "{ time: t, format: 'HHmmssfff', date: d, date_format: 'DD.MM.YYYY', zone: UTC }";
  assert.deepEqual(times(spec, ["000000123;01.05.2014", "235959999;29.02.2024"]), [
    "2014-05-01T00:00:00.123000000Z",
    "2024-02-29T23:59:59.999000000Z",
  ]);
  assert.deepEqual(times("{ time: t, date: d, zone: UTC }", ["09:30:00.5;20240501"]), [
    "2024-05-01T09:30:00.500000000Z",
  ]);
  assert.deepEqual(
    times("{ time: t, format: 'MM/DD/YYYY HH:mm:ss.f', zone: UTC }", ["05/01/2014 00:00:00.1"]),
    ["2014-05-01T00:00:00.100000000Z"],
  );
});

test("what is no time, no date or no number says so", () => {
  const zone = "zone: UTC";
  assert.deepEqual(
    times(`{ time: t, ${zone} }`, ["yesterday", "2023-02-29 00:00:00", "2024-01-01 24:00:00"]),
    [
      "'yesterday' is not a time",
      "'2023-02-29 00:00:00' is not a time",
      "'2024-01-01 24:00:00' is not a time",
    ],
  );
  assert.deepEqual(times("{ time: t, unit: ms }", ["1e12", "12:30"]), [
    "'1e12' is not a number of ms",
    "'12:30' is not a number of ms",
  ]);
  assert.deepEqual(
    times(`{ time: t, unit: ms, date: d, ${zone} }`, ["86400000;2024-01-01", "1;20240132", "-1;20240101"]),
    [
      "'86400000' is outside the 24 hours of a day",
      "'20240132' is not a date",
      "'-1' is outside the 24 hours of a day",
    ],
  );
});

test("days roll over when the time of day goes back beyond the disorder allowed", () => {
  const spec = "{ time: t, date: { file: date }, zone: UTC, rollover: 1h }";
  const values = [
    "22:00:00",
    "21:30:00",
    "23:59:59",
    "00:00:01",
    "23:59:59.5",
    "12:00:00",
    "11:30:00",
    "03:00:00",
  ];
  assert.deepEqual(times(spec, values, "tape-2024-02-28.csv"), [
    "2024-02-28T22:00:00.000000000Z",
    // Half an hour back is disorder, not a day.
    "2024-02-28T21:30:00.000000000Z",
    "2024-02-28T23:59:59.000000000Z",
    "2024-02-29T00:00:01.000000000Z",
    // A late row of the day before.
    "2024-02-28T23:59:59.500000000Z",
    "2024-02-29T12:00:00.000000000Z",
    "2024-02-29T11:30:00.000000000Z",
    "2024-03-01T03:00:00.000000000Z",
  ]);
});

test("a day that rolls over in New York at the clock change is still the next day there", () => {
  const spec = "{ time: t, date: { file: date }, zone: America/New_York, rollover: 1h }";
  assert.deepEqual(times(spec, ["23:30:00", "04:00:00"], "tape-2024-03-09.csv"), [
    "2024-03-10T04:30:00.000000000Z",
    "2024-03-10T08:00:00.000000000Z",
  ]);
});

test("a quiet stretch of more than half a day does not change the day", () => {
  const spec = "{ time: t, date: { file: date }, zone: UTC, rollover: 12h }";
  assert.deepEqual(times(spec, ["01:00:00", "23:00:00", "00:30:00", "23:30:00"], "tape-20240101.csv"), [
    "2024-01-01T01:00:00.000000000Z",
    "2024-01-01T23:00:00.000000000Z",
    "2024-01-02T00:30:00.000000000Z",
    "2024-01-01T23:30:00.000000000Z",
  ]);
});
