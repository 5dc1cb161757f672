import { Command } from "commander";
import { COLOURED, type Paint, PLAIN } from "../base/paint.js";

/** Colours for a terminal; none elsewhere or with `NO_COLOR`, always with `FORCE_COLOR`: by the rule of the library that prints the help. */
export function paintFor(stream: "out" | "err"): Paint {
  const output = new Command().configureOutput();
  const hasColours = stream === "out" ? output.getOutHasColors!() : output.getErrHasColors!();
  return hasColours ? COLOURED : PLAIN;
}
