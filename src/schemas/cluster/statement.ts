import { EditableStatement, type NameAt } from "./editable.js";
import { type ClusterNames, refused } from "./names.js";
import { renderMaterializedView, renderView } from "./view.js";

const MERGE_TREE =
  /^(?:Replacing|Summing|Aggregating|Collapsing|VersionedCollapsing|Coalescing|Graphite)?MergeTree$/;

/** Plain tables count the blocks they remember under another name, and for a time of the server's choice. */
const WINDOW = "NON_REPLICATED_DEDUPLICATION_WINDOW";
const REPLICATED_WINDOW = "replicated_deduplication_window";
const WINDOW_SECONDS = `replicated_deduplication_window_seconds = ${7 * 24 * 3600}`;

/** A kind of statement: the words it begins with, and how it is rendered from the name behind them. */
interface Form {
  readonly words: readonly string[];
  readonly render: (statement: EditableStatement, name: NameAt, names: ClusterNames) => string[];
}

const FORMS: readonly Form[] = [
  { words: ["CREATE", "TABLE"], render: renderTable },
  { words: ["CREATE", "VIEW"], render: renderView },
  { words: ["CREATE", "OR", "REPLACE", "VIEW"], render: renderView },
  { words: ["CREATE", "MATERIALIZED", "VIEW"], render: renderMaterializedView },
  { words: ["ALTER", "TABLE"], render: renderAlter },
  { words: ["DROP", "TABLE"], render: renderDrop },
  { words: ["DROP", "VIEW"], render: renderDrop },
];

/**
 * What one statement of a migration becomes on a cluster.
 * @throws ColdpathError with the reason, for what must not or cannot run on every node
 */
export function renderStatement(sql: string, names: ClusterNames): string[] {
  const statement = new EditableStatement(sql);
  const form = FORMS.find(({ words }) => statement.has(0, ...words));
  if (form === undefined) throw refused(whyNot(statement));
  let at = form.words.length;
  if (statement.has(at, "IF", "NOT", "EXISTS")) at += 3;
  else if (statement.has(at, "IF", "EXISTS")) at += 2;
  const name = statement.nameAt(at);
  if (name === undefined) throw refused("a name was expected behind its first words");
  if (statement.has(name.to, "ON", "CLUSTER"))
    throw refused("it has an ON CLUSTER of its own; leave that out, it is added");
  names.own(name);
  return form.render(statement, name, names);
}

function whyNot(statement: EditableStatement): string {
  const first = statement.word(0);
  if (first === "INSERT")
    return "an INSERT would store its rows in one shard; run it by hand where it belongs";
  const known = FORMS.map(({ words }) => words.join(" ")).join(", ");
  return `${first} … is none of the statements that are rendered: ${known}`;
}

function renderTable(statement: EditableStatement, name: NameAt, names: ClusterNames): string[] {
  const outside = [...statement.outside(name.to)];
  if (outside.some((index) => statement.word(index) === "AS"))
    throw refused(
      "CREATE TABLE … AS shows no columns or engine, and a SELECT would run once on each replica",
    );
  const engine = outside.find((index) => statement.word(index) === "ENGINE");
  if (engine === undefined) throw refused("it names no ENGINE");
  const table = names.own(name);
  replicate(statement, statement.word(engine + 1) === "=" ? engine + 2 : engine + 1, names.replicated(table));
  renameWindow(statement);
  statement.replace(name, `${names.local(table)} ${names.onCluster}`);
  names.addTable(table);
  return [statement.toString(), `CREATE TABLE IF NOT EXISTS ${names.all(table)} ${readsAll(table, names)}`];
}

/** Makes the engine at a token the replicated one of its family. */
function replicate(statement: EditableStatement, at: number, args: string): void {
  const engine = statement.slice(at, at + 1);
  const plain = /^(?:Replicated|Shared)(\w*MergeTree)$/.exec(engine)?.[1];
  if (plain !== undefined)
    throw refused(`its engine is ${engine}; write ${plain}, Keeper path and replica are added`);
  if (!MERGE_TREE.test(engine))
    throw refused(
      `its engine is ${engine}, which has no replicated form: its rows would differ from replica to replica`,
    );
  const hasArguments = statement.word(at + 1) === "(";
  statement.replace({ from: at, to: at + 1 }, `Replicated${engine}${hasArguments ? "" : `(${args})`}`);
  if (hasArguments) statement.insertAfter(at + 1, statement.word(at + 2) === ")" ? args : `${args}, `);
}

function renameWindow(statement: EditableStatement): void {
  for (const [index, { kind, text }] of statement.tokens.entries()) {
    if (kind !== "word" || text !== WINDOW) continue;
    statement.replace({ from: index, to: index + 1 }, REPLICATED_WINDOW);
    if (statement.word(index + 1) === "=") statement.insertAfter(index + 2, `, ${WINDOW_SECONDS}`);
  }
}

function readsAll(table: string, names: ClusterNames): string {
  return `${names.onCluster} AS ${names.local(table)} ENGINE = ${names.distributed(table)}`;
}

function renderAlter(statement: EditableStatement, name: NameAt, names: ClusterNames): string[] {
  const outside = [...statement.outside(name.to)];
  if (outside.some((index) => statement.has(index, "MODIFY", "QUERY")))
    throw refused("MODIFY QUERY is not rendered; create the view anew");
  const table = names.own(name);
  renameWindow(statement);
  statement.replace(name, `${names.local(table)} ${names.onCluster}`);
  const changesColumns = outside.some((index) => statement.word(index) === "COLUMN");
  return changesColumns && names.isTable(table)
    ? [statement.toString(), `CREATE OR REPLACE TABLE ${names.all(table)} ${readsAll(table, names)}`]
    : [statement.toString()];
}

/** SYNC frees the Keeper path, so that the table can be created again. */
function renderDrop(statement: EditableStatement, name: NameAt, names: ClusterNames): string[] {
  if (statement.tokens.length > name.to) throw refused("DROP of one name and nothing else is rendered");
  const table = names.own(name);
  statement.replace(name, `${names.local(table)} ${names.onCluster} SYNC`);
  if (!names.isTable(table)) return [statement.toString()];
  names.dropTable(table);
  return [`DROP TABLE IF EXISTS ${names.all(table)} ${names.onCluster} SYNC`, statement.toString()];
}
