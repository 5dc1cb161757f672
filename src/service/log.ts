import { destination, type Logger, pino } from "pino";
import { MIB } from "../base/units.js";
import type { Config } from "../config/schema.js";
import { prettyLine } from "./pretty-line.js";

/** Bytes of lines that could not be written; those after them are given up. */
const UNWRITTEN_MAX: number = MIB;

/** Lines on standard error. Written synchronously: a line that explains a crash must not die with it. */
export function createLog({ level, format }: Config["log"]): Logger {
  const lines = destination({ fd: 2, sync: true, maxLength: UNWRITTEN_MAX });
  // Nobody reads it any more, and nobody could be told: recording goes on.
  lines.on("error", () => {});
  const pretty = { write: (json: string): void => void lines.write(prettyLine(json)) };
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  return pino(options, format === "pretty" ? pretty : lines);
}
