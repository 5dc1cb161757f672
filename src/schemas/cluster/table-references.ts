import type { EditableStatement, NameAt } from "./editable.js";

/** A place of a query that reads a table by name. */
export interface TableReference extends NameAt {
  /** `x IN name`, where no alias can follow. */
  readonly isSet: boolean;
}

/** One pair of parentheses, or the query itself. */
interface Frame {
  isQuery: boolean;
  /** Between FROM and the clause behind it, where a comma is followed by another table. */
  inFrom: boolean;
  /** The next token begins a table, a table function or a subquery. */
  expects: boolean;
}

/** Clauses that end a FROM. A comma in USING is followed by a column. */
const ENDS_FROM: ReadonlySet<string> = new Set([
  ...["SELECT", "PREWHERE", "WHERE", "GROUP", "HAVING", "WINDOW", "QUALIFY", "ORDER", "LIMIT", "OFFSET"],
  ...["FETCH", "UNION", "EXCEPT", "INTERSECT", "SETTINGS", "FORMAT", "INTO", "USING", "COMMENT"],
]);
const BEGINS_QUERY: ReadonlySet<string> = new Set(["SELECT", "WITH", "FROM"]);

/** Where the query that begins at a token, and all queries in it, read tables; names of WITH are among them. */
export function tableReferences(statement: EditableStatement, from: number): TableReference[] {
  const found: TableReference[] = [];
  const frames: Frame[] = [];
  const open = (first: number, expects: boolean): void => {
    const isQuery = BEGINS_QUERY.has(statement.word(first));
    frames.push({ isQuery, inFrom: expects && !isQuery, expects: expects && !isQuery });
  };
  open(from, false);
  for (let index = from; index < statement.tokens.length; index += 1) {
    const frame = frames.at(-1);
    if (frame === undefined) break;
    const word = statement.word(index);
    const before = statement.word(index - 1);
    if (word === "(") {
      open(index + 1, frame.expects);
      frame.expects = false;
    } else if (word === ")") {
      frames.pop();
    } else if (word === "FROM" && frame.isQuery && before !== "DISTINCT") {
      Object.assign(frame, { inFrom: true, expects: true });
    } else if (word === "JOIN") {
      Object.assign(frame, { inFrom: true, expects: before !== "ARRAY" });
    } else if (word === "," && frame.inFrom) {
      frame.expects = true;
    } else if (ENDS_FROM.has(word)) {
      Object.assign(frame, { inFrom: false, expects: false });
    } else if (frame.expects || before === "IN") {
      const name = statement.nameAt(index);
      const isFunction = name !== undefined && statement.word(name.to) === "(";
      if (name !== undefined && !isFunction) {
        found.push({ ...name, isSet: !frame.expects });
        index = name.to - 1;
      }
      frame.expects = false;
    }
  }
  return found;
}

/** Whether a query brings several tables together, so that it cannot be run shard by shard. */
export function combinesTables(statement: EditableStatement, from: number): boolean {
  return statement.tokens.some((_, index) => {
    if (index < from) return false;
    if (statement.word(index) === "JOIN") return statement.word(index - 1) !== "ARRAY";
    if (statement.word(index) !== "IN") return false;
    const next = statement.has(index + 1, "(") ? statement.word(index + 2) : "";
    return next === "SELECT" || next === "WITH" || statement.nameAt(index + 1) !== undefined;
  });
}
