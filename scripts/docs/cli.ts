import type { Command } from "commander";
import { z } from "zod";
import { examplesOf } from "../../src/cli/examples.js";
import { buildProgram } from "../../src/cli/program.js";
import { CLI_JSON, ERROR_JSON } from "./cli-json.js";

/** A JSON schema, as far as the page shows it. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly string[];
  readonly const?: unknown;
}

const FOLDER = "docs/reference/cli-json";

/** The schema of each command's JSON, by the path of its file. */
export function cliSchemas(): (readonly [path: string, text: string])[] {
  return [...Object.entries(CLI_JSON), ["error", ERROR_JSON] as const].map(([name, schema]) => [
    fileOf(name),
    `${JSON.stringify({ title: `coldpath ${name} --json`, ...z.toJSONSchema(schema) }, undefined, 2)}\n`,
  ]);
}

/** The page of the command line, from the tree that parses it. */
export async function cliPage(): Promise<string> {
  const program = await buildProgram();
  const sections = leaves(program).map(({ name, command }) => section(name, command));
  return `# Command line

Source: \`src/cli\`. \`coldpath COMMAND --help\` says the same.

Exit codes: 0 fine, 1 failed, 2 wrong usage or configuration. An error is one line on standard error, with \`--json\` an object
\`{"error":{"code","message"}}\` ([codes](errors.md)); \`--debug\` adds the stack. Results go to standard output, what happens meanwhile to
standard error. Colours come on a terminal, not with \`NO_COLOR\`, always with \`FORCE_COLOR\`. With \`--json\` every command prints one JSON value,
whose keys stay as the schemas in [cli-json](cli-json) say; keys may be added.

\`status\`, \`flush\`, \`reload\` and \`replay\` find the running service of the configured \`data_dir\`, wherever it listens, and its token; \`--set admin.listen=HOST:PORT\`
names another one. Without a running service \`status\` tells what its files hold, and \`replay\` stores what is in its log; \`flush\` fails, as nothing is held then.
\`wal ls\`, \`inspect\`, \`verify\` and all of \`dead-letter\` read the files, which is safe beside a running recorder; \`wal repair\`,
\`purge\` and \`replay\` of a running service's log have that service do it, and refuse one that another program holds. \`ingest\` hands its rows to the service that runs in \`data_dir\`, if one does, and asks ClickHouse what is stored; \`query\` talks to
ClickHouse itself: through the engine that runs, if it is embedded.

\`serve\` and \`demo\` end at Ctrl-C or SIGTERM: they take no more, store what they hold for as long as \`--drain\` says, and tell what is left in the log,
which the next start stores. A second signal ends them at once: what was acknowledged is in the log.

Options of every command:

${optionTable(program)}

${sections.join("\n\n")}
`;
}

interface Named {
  readonly name: string;
  readonly command: Command;
}

/** Commands that do something, in their order. */
function leaves(command: Command, path: readonly string[] = []): Named[] {
  if (command.commands.length === 0) return [{ name: path.join(" "), command }];
  return command.commands.flatMap((each) => leaves(each, [...path, each.name()]));
}

function section(name: string, command: Command): string {
  const help = command.createHelp();
  const usage = help.commandUsage(command);
  const examples = examplesOf(command).map(([line, does]) => `# ${does}\n${line}`);
  const declared = CLI_JSON[name];
  if (declared === undefined)
    throw new Error(`scripts/docs/cli-json.ts does not say what coldpath ${name} prints with --json`);
  const schema = z.toJSONSchema(declared) as Schema;
  const twin = Object.keys(CLI_JSON).find((other) => CLI_JSON[other] === declared)!;
  const options = help.visibleOptions(command).some(({ long }) => long !== "--help");
  return [
    `## ${name}`,
    `${capital(command.description())}.`,
    `\`\`\`\n${usage}\n\`\`\``,
    ...(command.registeredArguments.length === 0 ? [] : [argumentTable(command)]),
    ...(options ? [optionTable(command)] : []),
    `\`\`\`sh\n${examples.join("\n")}\n\`\`\``,
    `JSON ([schema](cli-json/${fileName(name)})): ${schema.description ?? ""}`.trim(),
    twin === name ? keyTable(schema) : `Keys as of [${twin}](#${twin}).`,
  ].join("\n\n");
}

function argumentTable(command: Command): string {
  const rows = command.registeredArguments.map(
    (each) => `| \`${each.name()}\` | ${cell(each.description)} |`,
  );
  return `| argument | meaning |\n|---|---|\n${rows.join("\n")}`;
}

function optionTable(command: Command): string {
  const help = command.createHelp();
  const rows = help
    .visibleOptions(command)
    .filter(({ long }) => long !== "--help")
    .map((option) => `| \`${option.flags}\` | ${cell(help.optionDescription(option))} |`);
  return `| option | meaning |\n|---|---|\n${rows.join("\n")}`;
}

/** The keys of an object, each by its path; those of maps and lists as `*` and `[]`. */
function keyTable(schema: Schema): string {
  const rows = keysOf(schema, "").map(
    ({ path, type, text }) => `| \`${path}\` | ${cell(type)} | ${cell(text)} |`,
  );
  return `| key | type | meaning |\n|---|---|---|\n${rows.join("\n")}`;
}

interface Key {
  readonly path: string;
  readonly type: string;
  readonly text: string;
}

function keysOf(schema: Schema, path: string): Key[] {
  const below = (inner: Schema, name: string): Key[] => [
    ...(name === "" ? [] : [{ path: name, type: typeOf(inner), text: inner.description ?? "" }]),
    ...keysOf(inner, name),
  ];
  const dotted = path === "" ? "" : `${path}.`;
  const properties = Object.entries(schema.properties ?? {}).flatMap(([key, inner]) =>
    below(inner, `${dotted}${key}${schema.required?.includes(key) === true ? "" : "?"}`),
  );
  const map = schema.additionalProperties;
  const values = typeof map === "object" ? keysOf(map, `${dotted}*`) : [];
  const items = schema.items === undefined ? [] : keysOf(schema.items, `${path}[]`);
  return [...properties, ...values, ...items, ...(schema.anyOf ?? []).flatMap((each) => keysOf(each, path))];
}

function typeOf({ type, anyOf, items, additionalProperties, enum: values, const: only }: Schema): string {
  if (only !== undefined) return JSON.stringify(only);
  if (values !== undefined) return values.join(", ");
  if (anyOf !== undefined) return [...new Set(anyOf.map(typeOf))].join(" or ");
  if (type === "array") return `list of ${items === undefined ? "anything" : typeOf(items)}`;
  if (type === "object" && typeof additionalProperties === "object")
    return `map of ${typeOf(additionalProperties)}`;
  return type === undefined ? "anything" : [type].flat().join(" or ");
}

function fileOf(name: string): string {
  return `${FOLDER}/${fileName(name)}`;
}

function fileName(name: string): string {
  return `${name.replaceAll(" ", "-")}.json`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
