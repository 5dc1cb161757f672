import type { DecimalValue } from "../../schemas/values.js";
import type { EXEC_TYPE_CODES, EXEC_TYPE_WORDS } from "./exec-type.js";
import type { LIQUIDITY_CODES, LIQUIDITY_WORDS } from "./liquidity.js";
import type { SEVERITY_WORDS } from "./severity.js";
import type { LAST_SIDE_CODES, LAST_SIDE_WORDS, SIDE_CODES, SIDE_WORDS } from "./side.js";

/** What rows may say where a table has a closed set of words: the types of what the vocabularies read. */

/** `sell_short` → `SellShort` */
type Pascal<W extends string> = W extends `${infer Head}_${infer Tail}`
  ? `${Capitalize<Head>}${Pascal<Tail>}`
  : Capitalize<W>;

/** `sell_short`, `SELL_SHORT`, `Sell_short`, `SellShort` */
type Spelled<W extends string> = W | Uppercase<W> | Capitalize<W> | Pascal<W>;

/** `"1"`, and the number 1 */
type Code<C extends string> = C | (C extends `${infer N extends number}` ? N : never);

export type Side = Spelled<keyof typeof SIDE_WORDS> | Code<keyof typeof SIDE_CODES>;
export type LastSide = Spelled<keyof typeof LAST_SIDE_WORDS> | Code<keyof typeof LAST_SIDE_CODES>;
export type Liquidity = Spelled<keyof typeof LIQUIDITY_WORDS> | Code<keyof typeof LIQUIDITY_CODES>;
export type ExecType = Spelled<keyof typeof EXEC_TYPE_WORDS> | keyof typeof EXEC_TYPE_CODES;
export type Severity = Spelled<keyof typeof SEVERITY_WORDS>;

/** A level of a book: price and size, and whatever the venue says behind them; or both by name. */
export type Level =
  | readonly [px: DecimalValue, sz: DecimalValue, ...more: unknown[]]
  | { readonly px: DecimalValue; readonly sz: DecimalValue }
  | { readonly price: DecimalValue; readonly size: DecimalValue };
