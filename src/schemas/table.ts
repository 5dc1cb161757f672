/**
 * What the recorder knows of a table: the columns as ClickHouse describes them and how rows are cut into partitions.
 * Learned from the live server (`introspect.ts`), never written by hand.
 */

export interface Column {
  readonly name: string;
  /** ClickHouse type name as DESCRIBE prints it, such as `LowCardinality(Nullable(String))`. */
  readonly type: string;
  /** True exactly if the column is neither Nullable nor has a DEFAULT: a row without it is rejected. */
  readonly required: boolean;
  /**
   * The constant DEFAULT as text that the column's encoder reads back (`venue`, `0`, `2024-01-01T00:00:00Z`);
   * undefined when there is none. Nullable columns without DEFAULT default to NULL.
   */
  readonly defaultText?: string;
  /** What stands behind the type in SQL: `DEFAULT 'venue'`, `MATERIALIZED seq + 1`; undefined when nothing does. */
  readonly defaultClause?: string;
  /** ClickHouse fills it in (MATERIALIZED, ALIAS, or a DEFAULT that is not constant): never sent, refused in rows. */
  readonly filledByServer: boolean;
  readonly comment: string;
}

/** How a table is partitioned; anything else is refused at start, because a batch must know its partition. */
export type PartitionKey =
  | { readonly kind: "none" }
  | { readonly kind: "column"; readonly column: string }
  | { readonly kind: "day" | "month"; readonly column: string };

export interface Table {
  readonly database: string;
  readonly name: string;
  readonly columns: readonly Column[];
  readonly partitionKey: PartitionKey;
  /** Other servers may hold it too, and what one of them has comes to this one later. */
  readonly replicated: boolean;
}

/** What this version of coldpath expects of a live column: all but what it says for people. */
export type ExpectedColumn = Omit<Column, "comment">;

/** What this version of coldpath expects of a live table. */
export interface ExpectedTable {
  readonly name: string;
  readonly columns: readonly ExpectedColumn[];
  /** How our file cuts it; a live table may be cut otherwise. */
  readonly partitionKey: PartitionKey;
}
