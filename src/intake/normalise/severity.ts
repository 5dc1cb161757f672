import { Vocabulary } from "./vocabulary.js";

export const SEVERITY_WORDS = {
  info: "info",
  information: "info",
  notice: "info",
  debug: "info",
  trace: "info",
  warning: "warning",
  warn: "warning",
  error: "error",
  err: "error",
  critical: "critical",
  crit: "critical",
  fatal: "critical",
  alert: "critical",
  emergency: "critical",
  emerg: "critical",
  panic: "critical",
} as const;

/** How bad a system event is. Numbers are refused: 40 is an error to one logger and a warning to another. */
export const SEVERITY: Vocabulary = new Vocabulary({
  column: "severity",
  words: SEVERITY_WORDS,
  isOpen: false,
});
