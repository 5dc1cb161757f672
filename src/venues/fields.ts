import { LineError } from "../intake/line-error.js";
import { type InstantNumber, ms, us } from "../native/instant-number.js";
import { NumberText } from "../native/number-text.js";
import type { LevelChange } from "./adapter.js";

/** Reading parsed messages field by field; each function throws a LineError that names the field. */

export type Fields = Readonly<Record<string, unknown>>;

/** Books are ordered by price as a double, which tells prices of this many digits apart. */
const PRICE_DIGITS_MAX = 15;
const DECIMAL = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const LEADING_ZEROS = /^[-0.]+/;
const INTEGER = /^\d{1,20}$/;

/** An object's fields; undefined for anything else. */
export function fieldsOf(value: unknown): Fields | undefined {
  const isObject = typeof value === "object" && value !== null;
  return isObject && !Array.isArray(value) && !(value instanceof NumberText) ? (value as Fields) : undefined;
}

export function objectAt(fields: Fields, name: string): Fields {
  return fieldsOf(fields[name]) ?? missing(name, "an object");
}

export function listAt(fields: Fields, name: string): readonly unknown[] {
  const value = fields[name];
  return Array.isArray(value) ? value : missing(name, "a list");
}

/** The objects of a list. */
export function objectsAt(fields: Fields, name: string): readonly Fields[] {
  return listAt(fields, name).map((each) => fieldsOf(each) ?? missing(name, "a list of objects"));
}

export function textAt(fields: Fields, name: string): string {
  const value = fields[name];
  return typeof value === "string" && value !== "" ? value : missing(name, "text");
}

/** Text that may be absent or empty, which both mean that there is none. */
export function optionalTextAt(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return value === undefined || value === null || value === "" ? undefined : textAt(fields, name);
}

/** The digits of a decimal, sent as a number or as text. */
export function decimalAt(fields: Fields, name: string): string {
  return decimalOf(fields[name]) ?? missing(name, "a decimal");
}

/** The digits of a whole number of 64 bits, sent as a number or as text. */
export function integerAt(fields: Fields, name: string): string {
  const digits = digitsOf(fields[name]);
  return digits !== undefined && INTEGER.test(digits) ? digits : missing(name, "a whole number");
}

/** A time in milliseconds since the Unix epoch. */
export function millisAt(fields: Fields, name: string): InstantNumber {
  return ms(Number(integerAt(fields, name)));
}

/** A time in microseconds since the Unix epoch. */
export function microsAt(fields: Fields, name: string): InstantNumber {
  return us(Number(integerAt(fields, name)));
}

/** `buy` or `sell`, whatever the case and the words the venue has for them. */
export function sideAt(
  fields: Fields,
  name: string,
  words: Readonly<Record<string, "buy" | "sell">> = SIDES,
): "buy" | "sell" {
  const value = fields[name];
  const word = value instanceof NumberText ? value.text : value;
  return (typeof word === "string" ? words[word.toLowerCase()] : undefined) ?? missing(name, "a side");
}

const SIDES = { buy: "buy", sell: "sell" } as const;

/** A level of a book, checked so that taking it cannot fail half-way through an update. */
export function levelOf(px: unknown, sz: unknown): LevelChange {
  const [price, size] = [decimalOf(px), decimalOf(sz)];
  if (price === undefined || size === undefined)
    throw new LineError("has a level that is not price and size");
  if (size.startsWith("-")) throw new LineError("has a level of negative size", size);
  if (price.length > PRICE_DIGITS_MAX && digitsIn(price) > PRICE_DIGITS_MAX)
    throw new LineError(`has a price of more than ${PRICE_DIGITS_MAX} digits`, price);
  return { px: price, sz: size };
}

function digitsIn(price: string): number {
  return price.replace(LEADING_ZEROS, "").replace(".", "").length;
}

/** Levels sent as `[price, size]`, or with more behind. */
export function levelsAt(fields: Fields, name: string): readonly LevelChange[] {
  return listAt(fields, name).map((level) => {
    if (!Array.isArray(level)) missing(name, "a list of levels");
    return levelOf(level[0], level[1]);
  });
}

function decimalOf(value: unknown): string | undefined {
  const digits = digitsOf(value);
  return digits !== undefined && DECIMAL.test(digits) ? digits : undefined;
}

function digitsOf(value: unknown): string | undefined {
  if (value instanceof NumberText) return value.text;
  return typeof value === "string" ? value : undefined;
}

function missing(name: string, expected: string): never {
  throw new LineError(`has no ${name} that is ${expected}`);
}
