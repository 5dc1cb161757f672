#!/usr/bin/env node
import { CommanderError } from "commander";
import { ColdpathError, type ErrorCode, messageOf } from "../base/errors.js";
import { paintFor } from "./paint-for.js";
import { buildProgram } from "./program.js";

/** Failures of the caller's wording, as against failures of the work: exit code 2. */
const USAGE_CODES: ReadonlySet<ErrorCode> = new Set([
  "USAGE",
  "CONFIG_INVALID",
  "MAPPING_INVALID",
  "TABLE_UNKNOWN",
]);

function exitCodeOf(error: unknown): 0 | 1 | 2 {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  return error instanceof ColdpathError && USAGE_CODES.has(error.code) ? 2 : 1;
}

/** One line says what went wrong; the stack only on demand. */
function report(error: unknown, argv: readonly string[]): void {
  const isJson = argv.includes("--json");
  // Commander has printed its own line already.
  if (error instanceof CommanderError && (error.exitCode === 0 || !isJson)) return;
  if (isJson) process.stderr.write(`${JSON.stringify({ error: jsonOf(error) })}\n`);
  else process.stderr.write(`${paintFor("err").bad("coldpath:")} ${withoutGrammar(messageOf(error))}\n`);
  if (argv.includes("--debug") && error instanceof Error) process.stderr.write(`${error.stack}\n`);
}

function jsonOf(error: unknown): { readonly code: ErrorCode | "INTERNAL"; readonly message: string } {
  if (error instanceof ColdpathError) return { code: error.code, message: messageOf(error) };
  if (!(error instanceof CommanderError)) return { code: "INTERNAL", message: messageOf(error) };
  const isHelp = error.code === "commander.help";
  return { code: "USAGE", message: isHelp ? "name a command" : error.message.replace(/^error: /, "") };
}

/** ClickHouse follows a syntax error with all words of its grammar that would have fitted. */
function withoutGrammar(message: string): string {
  return message.replace(/ Expected one of: .*(?= \(SYNTAX_ERROR\))/s, "");
}

// Whoever reads may have enough before the end, as `head` does, or have closed the terminal: what was written after that is nobody's loss.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
  });

try {
  const program = await buildProgram(process.argv);
  await program.parseAsync();
} catch (error) {
  report(error, process.argv);
  process.exitCode = exitCodeOf(error);
}
