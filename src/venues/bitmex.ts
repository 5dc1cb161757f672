import type { TimeValue } from "../schemas/values.js";
import type { Adapter, BookUpdate, LevelChange, VenueEvent } from "./adapter.js";
import { decimalAt, type Fields, fieldsOf, integerAt, levelOf, objectsAt, sideAt, textAt } from "./fields.js";

const VENUE = "bitmex";
const ACTIONS: ReadonlySet<unknown> = new Set(["partial", "insert", "update", "delete"]);

/**
 * BitMEX: `orderBookL2` (or `orderBookL2_25`), `quote` and `trade`. Levels are named by id; updates and deletes do not repeat the price. The
 * partial of `trade` is a trade from before the subscription and is left out.
 *
 * ```
 * {"table":"orderBookL2","action":"partial","data":[{"symbol":"UNIUSDT","id":519,"side":"Sell","size":8,"price":17.3}]}
 * {"table":"orderBookL2","action":"update","data":[{"symbol":"UNIUSDT","id":519,"side":"Sell","size":123}]}
 * {"table":"quote","action":"insert","data":[{"timestamp":"2021-07-22T22:36:10.014Z","symbol":"UNIUSDT","bidSize":750,
 *  "bidPrice":17.277,"askPrice":17.297,"askSize":123}]}
 * {"table":"trade","action":"insert","data":[{"timestamp":"2021-07-22T22:36:10.014Z","symbol":"UNIUSDT","side":"Buy",
 *  "size":52,"price":17.297,"trdMatchID":"39744121-c20e"}]}
 * ```
 */
export function bitmex(): Adapter {
  return (message, received) => {
    const outer = fieldsOf(message);
    if (outer === undefined) return undefined;
    const { table, action } = outer as { table?: unknown; action?: unknown };
    if (table === undefined) return outer["info"] !== undefined || outer["success"] === true ? [] : undefined;
    if (!ACTIONS.has(action)) return undefined;
    const rows = objectsAt(outer, "data");
    switch (table) {
      case "orderBookL2":
      case "orderBookL2_25":
        return [...groupBySymbol(rows)].map(([symbol, levels]) => book(symbol, levels, action, received));
      case "quote":
        return rows.map((row) => quote(row, received));
      case "trade":
        return action === "partial" ? [] : rows.map((row) => trade(row, received));
      default:
        return undefined;
    }
  };
}

function groupBySymbol(rows: readonly Fields[]): Map<string, Fields[]> {
  const groups = new Map<string, Fields[]>();
  for (const row of rows) {
    const symbol = textAt(row, "symbol");
    const group = groups.get(symbol);
    if (group === undefined) groups.set(symbol, [row]);
    else group.push(row);
  }
  return groups;
}

function book(symbol: string, rows: readonly Fields[], action: unknown, received: TimeValue): BookUpdate {
  const bids: LevelChange[] = [];
  const asks: LevelChange[] = [];
  for (const row of rows) {
    const level = levelOf(row["price"] ?? "0", action === "delete" ? "0" : row["size"]);
    const px = row["price"] === undefined ? undefined : level.px;
    (sideAt(row, "side") === "buy" ? bids : asks).push({ px, sz: level.sz, id: integerAt(row, "id") });
  }
  return {
    type: "book",
    venue: VENUE,
    symbol,
    ts_local: received,
    action: action === "partial" ? "snapshot" : "change",
    bids,
    asks,
  };
}

function quote(row: Fields, received: TimeValue): VenueEvent {
  return {
    type: "quote",
    ts_exchange: textAt(row, "timestamp"),
    ts_local: received,
    symbol: textAt(row, "symbol"),
    bid_px1: decimalAt(row, "bidPrice"),
    bid_sz1: decimalAt(row, "bidSize"),
    ask_px1: decimalAt(row, "askPrice"),
    ask_sz1: decimalAt(row, "askSize"),
    venue: VENUE,
  };
}

function trade(row: Fields, received: TimeValue): VenueEvent {
  return {
    type: "trade",
    ts_exchange: textAt(row, "timestamp"),
    ts_local: received,
    symbol: textAt(row, "symbol"),
    last_px: decimalAt(row, "price"),
    last_qty: decimalAt(row, "size"),
    last_side: sideAt(row, "side"),
    venue: VENUE,
  };
}
