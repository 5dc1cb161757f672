/** What becomes known of rows in the log when it is looked which of them are needed yet. */
export type TrimEvent =
  /** Rows that were stored are not in ClickHouse, which was restarted since: they are stored again. */
  | {
      readonly kind: "wal_rows_lost";
      readonly table: string;
      readonly run: string;
      readonly firstSeq: number;
      readonly rows: number;
    }
  /**
   * ClickHouse was restarted, and what it made of the rows of a table by materialized views cannot be counted: it may lack some, if its host lost
   * power. `rows` of the table itself were lost and are stored again; of these it may have some twice.
   */
  | {
      readonly kind: "views_doubtful";
      readonly table: string;
      /** `database.view` */
      readonly views: readonly string[];
      readonly rows: number;
    }
  /** Rows that were stored are not there, and ClickHouse has not been restarted: somebody removed them, or they expired. Nothing is done. */
  | {
      readonly kind: "wal_rows_gone";
      readonly table: string;
      readonly run: string;
      readonly firstSeq: number;
      readonly rows: number;
    }
  /** It could not be looked, or a segment not be removed; it is tried again. */
  | { readonly kind: "wal_not_trimmed"; readonly message: string };
