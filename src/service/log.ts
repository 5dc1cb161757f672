import { destination, type Logger, pino } from "pino";

/** JSON lines on standard error. Written synchronously: a line that explains a crash must not die with it. */
export function createLog(level: string): Logger {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    destination({ fd: 2, sync: true }),
  );
}
