import { ValueError } from "../../native/block.js";
import { EXEC_TYPE } from "./exec-type.js";
import { LIQUIDITY } from "./liquidity.js";
import { type Entry, Memory } from "./memory.js";
import { ORDER_TYPE } from "./order-type.js";
import { SIDE } from "./side.js";
import { isFinal, STATUS } from "./status.js";
import { symbolOf } from "./symbol.js";
import type { GivenRow, TableNormaliser } from "./table-normaliser.js";
import { TIF } from "./tif.js";

/** What an order is, which a step may leave to the steps before it. */
const ORDER_COLUMNS = ["strategy", "account_id", "symbol", "side", "qty", "limit_px", "order_type", "tif"];
const ORDER_IDS = ["client_order_id", "broker_order_id", "orig_client_order_id"];
const ORDER_KNOWN = [...ORDER_IDS, ...ORDER_COLUMNS];
const ORDER_REQUIRED = ["client_order_id", "strategy", "symbol", "side", "qty"];
/** What a fill has of its order. */
const FILL_OF_ORDER = ["client_order_id", "broker_order_id", "strategy", "account_id", "symbol", "side"];
/** What a bust or correction has of the fill it is about. */
const FILL_COLUMNS = [...FILL_OF_ORDER, "venue"];
const FILL_VALUES = ["fill_qty", "fill_px"];
const FILL_KNOWN = [...FILL_COLUMNS, ...FILL_VALUES];
const FILL_REQUIRED = ["symbol", "side", ...FILL_VALUES];
/** Ids are only unique within these: a row that says another one is about something else. */
const OWNERS = ["strategy", "account_id", "symbol", "side"];

/** What the memory of orders and fills holds. */
export interface LifeStats {
  readonly orders: number;
  readonly fills: number;
  /** Orders forgotten before they were finished, for want of room. */
  readonly forgottenOrders: number;
}

/**
 * The lives of orders and their fills: a step that carries only ids is completed by what the steps before it said, a fill by its order, a
 * bust by its fill. What a row says itself always stands.
 */
export class OrderLives {
  readonly #orders: Memory;
  readonly #fills: Memory;
  /** The order that the step normalised last belongs to. */
  #order: Entry | undefined;

  constructor(max: number) {
    this.#orders = new Memory(max);
    this.#fills = new Memory(max);
  }

  readonly orders: TableNormaliser = {
    keys: [],
    normalise: (row) => {
      read(row, "side", SIDE);
      read(row, "order_type", ORDER_TYPE);
      read(row, "tif", TIF);
      read(row, "status", STATUS);
      trimSymbol(row);
      this.#order = this.#orderOf(row);
      require(row, ORDER_REQUIRED, "step of the order");
    },
    taken: (row) => this.#learnOrder(row),
  };

  readonly fills: TableNormaliser = {
    keys: [],
    normalise: (row, receivedAt) => {
      read(row, "side", SIDE);
      read(row, "exec_type", EXEC_TYPE);
      read(row, "liquidity", LIQUIDITY);
      trimSymbol(row);
      if (row["ts_local"] === undefined && receivedAt !== undefined) row["ts_local"] = receivedAt;
      const execType = row["exec_type"];
      if (execType === "bust" || execType === "correct") {
        const about = this.#fillOf(row);
        if (about !== undefined) fillIn(row, about, execType === "bust" ? FILL_KNOWN : FILL_COLUMNS);
      }
      const order = find(this.#orders, row, "client_order_id") ?? find(this.#orders, row, "broker_order_id");
      if (order !== undefined) fillIn(row, order, FILL_OF_ORDER);
      require(row, FILL_REQUIRED, "step of its order, or fill it is about,");
    },
    taken: (row) => this.#learnFill(row),
  };

  stats(): LifeStats {
    return {
      orders: this.#orders.size,
      fills: this.#fills.size,
      forgottenOrders: this.#orders.forgotten,
    };
  }

  /** Completes the step and gives the order it is of, if it is a known one. */
  #orderOf(row: GivenRow): Entry | undefined {
    const known = find(this.#orders, row, "client_order_id") ?? this.#byBrokerId(row);
    if (known !== undefined) {
      // Ids come again, after a day at some venues: what is given in full after the end of an order is a new one.
      if (known.isFinished && isWhole(row) && !isFinal(String(row["status"]))) return undefined;
      fillIn(row, known, ORDER_KNOWN);
      return known;
    }
    const replaced = find(this.#orders, row, "orig_client_order_id", "client_order_id");
    if (replaced !== undefined) fillIn(row, replaced, ORDER_COLUMNS);
    return undefined;
  }

  /** A step under a client order id of its own is not of the order with that broker id, but replaces or cancels it. */
  #byBrokerId(row: GivenRow): Entry | undefined {
    const found = find(this.#orders, row, "broker_order_id");
    const own = row["client_order_id"];
    return own === undefined || own === null ? found : undefined;
  }

  #learnOrder(row: GivenRow): void {
    const orders = this.#orders;
    const status = String(row["status"]);
    // A report that comes late does not open an order again.
    const isFinished = this.#order?.isFinished === true || isFinal(status);
    const entry = orders.keep(this.#order, keysOf(row, ["client_order_id", "broker_order_id"]), isFinished);
    learn(entry, row, ORDER_KNOWN);
    if (status !== "replaced" && status !== "canceled") return;
    const before = find(orders, row, "orig_client_order_id", "client_order_id");
    if (before !== undefined && before !== entry) orders.keep(before, [], true);
  }

  #fillOf(row: GivenRow): Entry | undefined {
    return find(this.#fills, row, "corrects_fill_id", "fill_id") ?? find(this.#fills, row, "fill_id");
  }

  #learnFill(row: GivenRow): void {
    const known = this.#fillOf(row);
    const isFinished = known?.isFinished === true || row["exec_type"] === "bust";
    learn(this.#fills.keep(known, keysOf(row, ["fill_id"]), isFinished), row, FILL_KNOWN);
  }
}

function read(row: GivenRow, column: string, words: { of(value: unknown): unknown }): void {
  if (row[column] !== undefined) row[column] = words.of(row[column]);
}

function trimSymbol(row: GivenRow): void {
  if (row["symbol"] !== undefined) row["symbol"] = symbolOf(row["symbol"]);
}

/** The entry that has the row's value of `column` as its `as`. */
function find(memory: Memory, row: GivenRow, column: string, as: string = column): Entry | undefined {
  const id = row[column];
  if (typeof id !== "string" || id === "") return undefined;
  return memory.find(`${as} ${id}`, ({ values }) =>
    OWNERS.every((owner) => {
      const mine = row[owner] ?? undefined;
      const other = values[owner] ?? undefined;
      return mine === undefined || other === undefined || mine === other;
    }),
  );
}

function keysOf(row: GivenRow, columns: readonly string[]): string[] {
  return columns
    .filter((column) => typeof row[column] === "string" && row[column] !== "")
    .map((column) => `${column} ${row[column]}`);
}

function fillIn(row: GivenRow, { values }: Entry, columns: readonly string[]): void {
  for (const column of columns) if (row[column] === undefined) row[column] = values[column];
}

function learn({ values }: Entry, row: GivenRow, columns: readonly string[]): void {
  for (const column of columns) if (row[column] !== undefined) values[column] = row[column];
}

function isWhole(row: GivenRow): boolean {
  return ORDER_REQUIRED.every((column) => row[column] !== undefined);
}

function require(row: GivenRow, columns: readonly string[], who: string): void {
  const missing = columns.find((column) => row[column] === undefined);
  if (missing === undefined) return;
  throw new ValueError(missing, `is required: no earlier ${who} that is known says it`, undefined);
}
