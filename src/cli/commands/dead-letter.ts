import { type Command, Option } from "commander";
import { ColdpathError } from "../../base/errors.js";
import { tableText } from "../../base/table-text.js";
import { dropLetters } from "../../letters/drop.js";
import { letterText } from "../../letters/letter-text.js";
import { type DeadLetter, type Selection, selectedLetters } from "../../letters/selection.js";
import { type LetterSummary, summarise } from "../../letters/summary.js";
import type { TableRetry } from "../../letters/table-retry.js";
import { deadLettersFolder, openClickHouse } from "../../service/open.js";
import { retryLettersOf } from "../../service/retry-letters.js";
import { Context, interruption } from "../context.js";
import { withExamples } from "../examples.js";

/** Which letters: by id, or by table, or all. */
interface Chosen {
  readonly table?: string;
  readonly all?: boolean;
}

const SHOWN = 20;

export function registerDeadLetter(program: Command): void {
  const group = program
    .command("dead-letter")
    .description("rows that were refused: look at them, try them again, drop them");
  const ls = group
    .command("ls")
    .option("-t, --table <name>", "only of this table")
    .description("count them by table and reason")
    .action(async ({ table }: Chosen, command: Command) => {
      const context = new Context(command);
      const summary = await summarise(deadLettersFolder(context.load().config), { table });
      context.result(summaryText(summary), summary);
    });
  const showing = group
    .command("show")
    .argument("[ids...]", "letters")
    .option("-t, --table <name>", "of this table")
    .addOption(new Option("--limit <n>", "letters at most").default(SHOWN).argParser(Number))
    .description("show letters with their rows")
    .action(async (ids: string[], options: Chosen & { limit: number }, command: Command) =>
      show({ ids, all: true, ...options }, options.limit, new Context(command)),
    );
  const retrying = choosing(group.command("retry"))
    .description("send rows again; the letters of those that are stored go, and no row is stored twice")
    .action(async (ids: string[], chosen: Chosen, command: Command) =>
      retry({ ids, ...chosen }, new Context(command)),
    );
  const dropping = choosing(group.command("drop"))
    .option("--force", "do it: the rows are gone for ever")
    .description("remove letters")
    .action(async (ids: string[], options: Chosen & { force?: boolean }, command: Command) =>
      drop({ ids, ...options }, options.force === true, new Context(command)),
    );
  withExamples(ls, [["coldpath dead-letter ls", "how many, of which tables, and why"]]);
  withExamples(showing, [["coldpath dead-letter show --table orders --limit 5", "the first five of orders"]]);
  withExamples(retrying, [
    ["coldpath dead-letter retry --table orders", "when what they were refused for is mended"],
  ]);
  withExamples(dropping, [["coldpath dead-letter drop --all --force", "all of them, for ever"]]);
  withExamples(group, [["coldpath dead-letter ls", "how many, of which tables, and why"]]);
}

function choosing(command: Command): Command {
  return command
    .argument("[ids...]", "letters")
    .option("-t, --table <name>", "all of this table")
    .option("--all", "all of all tables");
}

async function show(
  chosen: Chosen & { readonly ids: readonly string[] },
  limit: number,
  context: Context,
): Promise<void> {
  if (!Number.isInteger(limit) || limit < 1)
    throw new ColdpathError("USAGE", "--limit: expected a number from 1");
  const found = await lettersOf(deadLettersFolder(context.load().config), chosen, limit);
  const lines = found.first.map((letter) => {
    const { id, table, time, code, reason } = letter;
    return `${id}  ${table}  ${time}${whence(letter)}\n  ${code}: ${reason}\n  ${letterText(letter) ?? `base64 ${letter.bytes}`}`;
  });
  const more = found.ids.size - found.first.length;
  if (more > 0) lines.push(`${more} more: --limit ${found.ids.size}`);
  if (found.ids.size === 0) lines.push("there are no dead letters");
  context.result(
    lines.join("\n"),
    found.first.map((letter) => ({ ...letter, row: letterText(letter) ?? null })),
  );
}

function whence({ source, source_seq, seq, run }: DeadLetter): string {
  const origin = source === null ? "" : `  from ${source}:${source_seq}`;
  return seq === null ? origin : `${origin}  row ${seq} of run ${run}`;
}

async function retry(chosen: Chosen & { readonly ids: readonly string[] }, context: Context): Promise<void> {
  const { config } = context.load();
  const folder = deadLettersFolder(config);
  const { ids } = await lettersOf(folder, chosen, 0);
  if (ids.size === 0) return context.result("there are no dead letters", []);
  const opened = await openClickHouse(config);
  try {
    const tables = await retryLettersOf(config, opened.clickhouse, ids, interruption());
    context.result(tables.map(retryText).join("\n"), tables);
    if (tables.some(({ left }) => left > 0)) process.exitCode = 1;
  } finally {
    await opened.close();
  }
}

function retryText({ table, stored, found, left, errors }: TableRetry): string {
  const lines = errors.slice(0, SHOWN).map(({ id, reason }) => `  ${id}  ${reason}`);
  if (left > lines.length) lines.push(`  and ${left - lines.length} more`);
  const before = found === 0 ? "" : `, ${found} were stored already`;
  return [`${table}: ${stored} rows stored${before}, ${left} letters stay`, ...lines].join("\n");
}

async function drop(
  chosen: Chosen & { readonly ids: readonly string[] },
  isMeant: boolean,
  context: Context,
): Promise<void> {
  const folder = deadLettersFolder(context.load().config);
  const { ids } = await lettersOf(folder, chosen, 0);
  if (!isMeant && ids.size > 0)
    throw new ColdpathError("USAGE", `${ids.size} rows will be gone for ever: --force drops them`);
  const dropped = ids.size === 0 ? 0 : await dropLetters(folder, ids);
  context.result(`${dropped} rows dropped`, { dropped });
}

/** The letters that are meant: their ids, and the first few of them. @throws ColdpathError USAGE if none is named or one is not there */
async function lettersOf(
  folder: string,
  { ids: named, table, all }: Chosen & { readonly ids: readonly string[] },
  limit: number,
): Promise<{ readonly ids: ReadonlySet<string>; readonly first: readonly DeadLetter[] }> {
  if (named.length === 0 && table === undefined && all !== true)
    throw new ColdpathError("USAGE", "say which letters: their ids, --table NAME or --all");
  const selection: Selection = { table, ids: named.length === 0 ? undefined : new Set(named) };
  const ids = new Set<string>();
  const first: DeadLetter[] = [];
  for await (const letter of selectedLetters(folder, selection)) {
    ids.add(letter.id);
    if (first.length < limit) first.push(letter);
  }
  const missing = named.filter((id) => !ids.has(id));
  if (missing.length > 0) throw new ColdpathError("USAGE", `there is no letter ${missing.join(", ")}`);
  return { ids, first };
}

function summaryText({ letters, damaged, groups }: LetterSummary): string {
  const lines: string[] = [];
  if (letters === 0) lines.push("there are no dead letters");
  else {
    const headings = ["table", "letters", "code", "oldest", "newest", "reason"];
    lines.push(
      tableText(
        headings,
        groups.map((group) => [
          group.table,
          group.letters.toLocaleString("en-US"),
          group.code,
          group.oldest,
          group.newest,
          group.reason,
        ]),
      ),
    );
  }
  if (damaged > 0) lines.push(`${damaged} lines are damaged and no letters`);
  return lines.join("\n");
}
