import type { BlockColumn, Row } from "../native/block.js";
import { ValueError } from "../native/block.js";
import type { Table } from "../schemas/table.js";
import type { Origin } from "./origin.js";

/** Who takes the rows: the same for all rows of one start of a recorder. */
export interface Identity {
  readonly env: string;
  readonly recorder: string;
  /** 64 random bits drawn at this start. */
  readonly run: bigint;
}

/** Columns that only the recorder writes. */
const OWNED = ["env", "recorder", "run", "seq"] as const;
/** Columns that the recorder writes from the row's origin. */
const FROM_ORIGIN = ["source", "source_seq"] as const;

/** Column that the row may set and the policy adds to. */
const SKIPPED = "skipped";

const STAMPED: ReadonlySet<string> = new Set([...OWNED, ...FROM_ORIGIN, SKIPPED]);

/** The columns that are sent, in the table's order: all but those that ClickHouse fills in. */
export function sentColumns(table: Table): BlockColumn[] {
  return table.columns
    .filter((column) => !column.filledByServer)
    .map(({ name, type, required, defaultText }) => ({
      name,
      type,
      required,
      stamped: STAMPED.has(name),
      ...(defaultText === undefined ? {} : { defaultText }),
    }));
}

/** The values of the stamped columns, one object reused for all rows of a table. */
export class Stamp {
  readonly #values: { [column: string]: unknown };
  readonly #filledByServer: readonly string[];

  constructor(identity: Identity, table: Table) {
    const { env, recorder, run } = identity;
    this.#values = {
      env,
      recorder,
      run,
      seq: 0,
      source: undefined,
      source_seq: undefined,
      skipped: undefined,
    };
    this.#filledByServer = table.columns.filter((each) => each.filledByServer).map((each) => each.name);
  }

  /**
   * The stamp of one row; good until the next call.
   *
   * @param skipped rows of its series that the policy left out before it
   * @throws ValueError if the row sets a column that is not its to set.
   */
  of(row: Row, origin: Origin | undefined, seq: number, skipped: number): Row {
    if (
      row["seq"] !== undefined ||
      row["run"] !== undefined ||
      row["recorder"] !== undefined ||
      row["env"] !== undefined
    ) {
      const column = OWNED.find((name) => row[name] !== undefined)!;
      throw new ValueError(column, "is written by the recorder, not by rows", row[column]);
    }
    for (const column of this.#filledByServer) {
      if (row[column] !== undefined)
        throw new ValueError(column, "is filled in by ClickHouse, not by rows", row[column]);
    }
    const values = this.#values;
    values["seq"] = seq;
    values["source"] = origin === undefined ? row["source"] : origin.source;
    values["source_seq"] = origin === undefined ? row["source_seq"] : origin.seq;
    values[SKIPPED] = skipped === 0 ? row[SKIPPED] : skipped + Number(row[SKIPPED] ?? 0);
    return values;
  }
}
