import { ValueError } from "../../native/block.js";
import type { InstantNumber } from "../../native/instant-number.js";
import { type BookSide, normaliseSide } from "./book-side.js";
import { LAST_SIDE } from "./side.js";
import { symbolOf } from "./symbol.js";
import type { GivenRow, TableNormaliser } from "./table-normaliser.js";

const BIDS: BookSide = {
  levels: "bids",
  px: "bid_px",
  sz: "bid_sz",
  px1: "bid_px1",
  sz1: "bid_sz1",
  isFalling: true,
};
const ASKS: BookSide = {
  levels: "asks",
  px: "ask_px",
  sz: "ask_sz",
  px1: "ask_px1",
  sz1: "ask_sz1",
  isFalling: false,
};

/** @param depth levels of a book that are stored, of each side */
export function marketData(depth: number): TableNormaliser {
  return {
    keys: [BIDS.levels, ASKS.levels],
    normalise(row, receivedAt) {
      const symbol = row["symbol"];
      const trimmed = symbolOf(symbol);
      if (trimmed !== symbol) row["symbol"] = trimmed;
      const side = row["last_side"];
      if (side !== undefined && side !== "buy" && side !== "sell") row["last_side"] = LAST_SIDE.of(side);
      stamp(row, receivedAt);
      normaliseSide(row, BIDS, depth);
      normaliseSide(row, ASKS, depth);
    },
    taken() {},
  };
}

function stamp(row: GivenRow, receivedAt: InstantNumber | undefined): void {
  if (row["ts_local"] === undefined && receivedAt !== undefined) row["ts_local"] = receivedAt;
  if (row["ts_exchange"] !== undefined) return;
  if (row["ts_exchange_src"] === "venue")
    throw new ValueError("ts_exchange", "is required where ts_exchange_src says venue", undefined);
  row["ts_exchange"] = row["ts_local"];
  row["ts_exchange_src"] = "local";
}
