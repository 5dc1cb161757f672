import { destination, type Logger, pino } from "pino";
import { MIB } from "../base/units.js";

/** Bytes of lines that could not be written; those after them are given up. */
const UNWRITTEN_MAX: number = MIB;

/** JSON lines on standard error. Written synchronously: a line that explains a crash must not die with it. */
export function createLog(level: string): Logger {
  const lines = destination({ fd: 2, sync: true, maxLength: UNWRITTEN_MAX });
  // Nobody reads it any more, and nobody could be told: recording goes on.
  lines.on("error", () => {});
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, lines);
}
