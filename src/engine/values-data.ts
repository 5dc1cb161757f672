import { createReadStream } from "node:fs";
import { MIB } from "../base/units.js";

/** The functions of `forbidden.ts` that read files, a parameter that could name one, and quotes: “, ` and ". */
const NAMES = /file|catboost|identifier/i;
const QUOTES = /[`"]|\xe2\x80\x9c/;
/** A name or quote that two pieces share is seen in one of them. */
const OVERLAP = 16;

/**
 * Whether data in the format Values could call a function that reads files of this machine: its values may be
 * expressions, and the engine asks for no grant. Anything is taken for a call that has such a name, be it in a string, or
 * that could spell one in a quoted identifier by escapes.
 */
export async function couldReadFiles(file: string, compression: string): Promise<boolean> {
  if (compression !== "none") return true;
  let hasQuote = false;
  let hasEscape = false;
  let before = "";
  for await (const chunk of createReadStream(file, { encoding: "latin1", highWaterMark: MIB })) {
    const text = before + (chunk as string);
    hasQuote ||= QUOTES.test(text);
    hasEscape ||= text.includes("\\");
    if (NAMES.test(text) || (hasQuote && hasEscape)) return true;
    before = text.slice(-OVERLAP);
  }
  return false;
}

/** Settings without which Values evaluates no expression: one alone does not do it. */
export const LITERALS_ONLY: string =
  "input_format_values_interpret_expressions = 0, input_format_values_deduce_templates_of_expressions = 0";
