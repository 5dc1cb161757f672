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

/** What a query reads. */
export interface Reads {
  /** Where it, and all queries in it, read tables; names of WITH are among them. */
  readonly references: readonly TableReference[];
  /** Whether it brings several tables together, so that it cannot be run shard by shard. */
  readonly combines: boolean;
}

/** What the query that begins at a token reads. */
export function readsOf(statement: EditableStatement, from: number): Reads {
  const references: TableReference[] = [];
  let combines = false;
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
      const isTable = before !== "ARRAY";
      combines ||= isTable;
      Object.assign(frame, { inFrom: isTable, expects: isTable });
    } else if (word === "," && frame.inFrom) {
      combines = true;
      frame.expects = true;
    } else if (ENDS_FROM.has(word)) {
      Object.assign(frame, { inFrom: false, expects: false });
    } else if (frame.expects || before === "IN") {
      const name = statement.nameAt(index);
      const isFunction = name !== undefined && statement.word(name.to) === "(";
      if (name !== undefined && !isFunction) {
        references.push({ ...name, isSet: !frame.expects });
        index = name.to - 1;
      }
      frame.expects = false;
    }
  }
  return { references, combines: combines || asksSet(statement, from) };
}

/** Whether a query compares with what another one gives: `x IN (SELECT …)`, `x IN name`, `EXISTS (SELECT …)`. */
function asksSet(statement: EditableStatement, from: number): boolean {
  return statement.tokens.some((_, index) => {
    const word = statement.word(index);
    if (index < from || (word !== "IN" && word !== "EXISTS")) return false;
    const next = statement.has(index + 1, "(") ? statement.word(index + 2) : "";
    return (
      next === "SELECT" || next === "WITH" || (word === "IN" && statement.nameAt(index + 1) !== undefined)
    );
  });
}
