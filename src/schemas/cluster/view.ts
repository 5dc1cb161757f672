import { type EditableStatement, type NameAt, plainName } from "./editable.js";
import { type ClusterNames, refused } from "./names.js";
import { type Reads, readsOf, type TableReference } from "./table-references.js";

const BEGINS_QUERY: ReadonlySet<string> = new Set(["SELECT", "WITH", "("]);
/** What stands behind a table's name and is no alias of it. */
const NO_ALIAS: ReadonlySet<string> = new Set([
  ...["FINAL", "SAMPLE", "PREWHERE", "WHERE", "GROUP", "HAVING", "WINDOW", "QUALIFY", "ORDER", "LIMIT"],
  ...["OFFSET", "FETCH", "UNION", "EXCEPT", "INTERSECT", "SETTINGS", "FORMAT", "COMMENT", "SELECT"],
  ...["GLOBAL", "LOCAL", "ANY", "ALL", "ASOF", "SEMI", "ANTI", "INNER", "LEFT", "RIGHT", "FULL", "CROSS"],
  ...["PASTE", "NATURAL", "ARRAY", "JOIN", "ON", "USING"],
]);

/** A view reads the tables of all shards. */
export function renderView(statement: EditableStatement, name: NameAt, names: ClusterNames): string[] {
  const query = beginOfQuery(statement, name);
  // Shards cannot join what others hold, so tables that are brought together are read apart and joined where one asks.
  const { references, combines } = ourReads(statement, query, names);
  for (const reference of references) {
    const table = names.own(reference);
    if (names.isView(table)) statement.replace(reference, names.local(table));
    else readAll(statement, reference, table, combines, names);
  }
  const view = names.own(name);
  statement.replace(name, `${names.local(view)} ${names.onCluster}`);
  names.addView(view);
  return [statement.toString()];
}

/** A materialized view stays within its shard: it is fed by what is inserted there, and so is its target. */
export function renderMaterializedView(
  statement: EditableStatement,
  name: NameAt,
  names: ClusterNames,
): string[] {
  const query = beginOfQuery(statement, name);
  const head = [...statement.outside(name.to)].filter((index) => index < query);
  if (head.some((index) => statement.word(index) === "REFRESH"))
    throw refused("REFRESH would fill its target once on each replica");
  if (head.some((index) => statement.word(index) === "POPULATE"))
    throw refused("POPULATE would fill it once on each replica");
  const to = head.find((index) => statement.word(index) === "TO");
  const target = to === undefined ? undefined : statement.nameAt(to + 1);
  if (target === undefined)
    throw refused("its rows would lie in a hidden table; name a table of yours: TO …");
  statement.replace(target, names.local(names.own(target)));
  for (const reference of ourReads(statement, query, names).references)
    statement.replace(reference, names.local(names.own(reference)));
  statement.replace(name, `${names.local(names.own(name))} ${names.onCluster}`);
  return [statement.toString()];
}

/** Index of the first token behind AS. */
function beginOfQuery(statement: EditableStatement, name: NameAt): number {
  for (const index of statement.outside(name.to)) {
    if (statement.word(index) === "AS" && BEGINS_QUERY.has(statement.word(index + 1))) return index + 1;
  }
  throw refused("no AS SELECT was found in it");
}

/** Where the query reads tables and views that were made before; other names (WITH, system tables) stay as they are. */
function ourReads(statement: EditableStatement, query: number, names: ClusterNames): Reads {
  const isOurs = (name: string): boolean => names.isTable(name) || names.isView(name);
  for (let index = query; index < statement.tokens.length; index += 1) {
    const name = statement.nameAt(index);
    if (name === undefined || !isOurs(name.name) || !statement.has(name.to, "AS", "(")) continue;
    if (BEGINS_QUERY.has(statement.word(name.to + 2)))
      throw refused(`a WITH of it has the name of table ${name.name}`);
  }
  const { references, combines } = readsOf(statement, query);
  const ours = references.filter(
    ({ database, name }) => (database === undefined || database === names.target.database) && isOurs(name),
  );
  return { references: ours, combines };
}

function readAll(
  statement: EditableStatement,
  reference: TableReference,
  table: string,
  apart: boolean,
  names: ClusterNames,
): void {
  const query = `(SELECT * FROM ${names.all(table)})`;
  if (reference.isSet) {
    statement.replace(reference, query);
    return;
  }
  const next = statement.tokens[reference.to];
  const hasAlias = (next?.kind === "word" && !NO_ALIAS.has(next.text)) || next?.kind === "quoted";
  const behind = hasAlias ? reference.to + (next!.text === "AS" ? 2 : 1) : reference.to;
  if (apart && ["FINAL", "SAMPLE", "PREWHERE"].includes(statement.word(behind)))
    throw refused(`${statement.word(behind)} of a table that is joined; put it into a subquery`);
  // Columns may be named with the table's own name.
  const alias = hasAlias ? "" : ` AS ${plainName(table)}`;
  statement.replace(reference, `${apart ? query : names.all(table)}${alias}`);
}
