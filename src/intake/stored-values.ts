import { quoteName } from "../clickhouse/quote.js";
import { BlockBuilder, type Row, ValueError } from "../native/block.js";
import type { Column, Table } from "../schemas/table.js";
import { settableColumns } from "./settable-columns.js";

/** The values of a stored row as text, in the order of {@link StoredValues.sql}. */
export type ValueTexts = readonly (string | null)[];

/** Tells whether a row that was read is the row that is stored, by every column whose value has a plain text. */
export class StoredValues {
  readonly #names: readonly string[];
  readonly #builder: BlockBuilder;
  /** SQL of an array of the texts of a row. */
  readonly sql: string;

  constructor(table: Table) {
    const compared = [...settableColumns(table).values()].flatMap((column) => {
      const text = textSql(column);
      return text === undefined ? [] : [{ column, text }];
    });
    this.#names = compared.map(({ column }) => column.name);
    this.#builder = new BlockBuilder(compared.map(({ column }) => column));
    this.sql = `CAST([${compared.map(({ text }) => text).join(", ")}], 'Array(Nullable(String))')`;
  }

  /** The first column in which the row differs from what is stored; undefined if none does. */
  difference(row: Row, stored: ValueTexts): string | undefined {
    const builder = this.#builder;
    try {
      builder.append(row, {});
      return this.#names.find((name, index) => builder.valueText(name, 0) !== stored[index]);
    } catch (error) {
      // A value that does not fit its column cannot be the one stored there.
      if (error instanceof ValueError) return error.column;
      throw error;
    } finally {
      builder.clear();
    }
  }
}

/** SQL of the text that `BlockBuilder.valueText` gives; undefined for types that are not compared. */
function textSql({ name, type }: Column): string | undefined {
  const column = quoteName(name);
  const plain = type.replace(/^LowCardinality\((.*)\)$/, "$1").replace(/^Nullable\((.*)\)$/, "$1");
  if (/^(?:U?Int\d+|String|Bool|UUID|IPv4|Enum(?:8|16)\(.*\))$/.test(plain)) return `toString(${column})`;
  if (plain.startsWith("FixedString(")) return `hex(${column})`;
  if (plain.startsWith("DateTime64(")) return `toString(reinterpret(${column}, 'Int64'))`;
  const digits = Number(/^Decimal\((\d+),/.exec(plain)?.[1] ?? Number.POSITIVE_INFINITY);
  if (digits <= 18) return `toString(reinterpret(${column}, 'Int${digits <= 9 ? 32 : 64}'))`;
  return undefined;
}
