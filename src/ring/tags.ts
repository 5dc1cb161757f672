/**
 * How a value stands in a ring record: four bits per column, eight columns to a tag word. The payloads are listed in
 * `docs/reference/formats/ring.md`.
 */
export const TAG = {
  /** undefined: the column's DEFAULT, or a row that is refused later. No payload. */
  absent: 0,
  null: 1,
  /** A JS number as it came. */
  number: 2,
  /** A bigint of 64 bits. */
  int64: 3,
  /** A bigint beyond 64 bits: its digits as text. */
  wideInteger: 4,
  /** Number of a text in the ring's dictionary. */
  interned: 5,
  /** Text of characters below 128: length, then a byte each. */
  ascii: 6,
  /** Any other text: length, then UTF-16 units, so that a lone surrogate arrives as it was. */
  utf16: 7,
  true: 8,
  false: 9,
  /** A time: microseconds since the Unix epoch, as a number. */
  micros: 10,
  /** A time: as `micros`, and a number of nanoseconds on top. */
  nanos: 11,
  /** A list of numbers: count, then the numbers. */
  numbers: 12,
  /** A list of values, each with a tag of its own. */
  list: 13,
  /** Keys and values in turn, each with a tag of its own. */
  map: 14,
  /** What no column takes: the name of its kind as text. */
  other: 15,
} as const;

/** Columns whose tags share a word of 32 bits. */
export const TAGS_PER_WORD = 8;
