/**
 * Adapters for the messages of venues, and what replays captures of them. They show how a feed of your own is connected; the recorder
 * itself knows nothing of them.
 */
export { parseValue as parseMessage } from "../intake/json.js";
export { LineError as MessageError } from "../intake/line-error.js";
export type { Adapter, BookUpdate, LevelChange, VenueEvent } from "./adapter.js";
export { type BinanceOptions, binance } from "./binance.js";
export { bitmex } from "./bitmex.js";
export { type BitstampOptions, bitstamp } from "./bitstamp.js";
export type { Level } from "./book-side.js";
export { type BookCounts, Books } from "./books.js";
export { bybit } from "./bybit.js";
export { type CapturedMessage, readCapture } from "./capture.js";
export { coinbase } from "./coinbase.js";
export { type FeedCounts, type FeedOptions, type FeedProblem, VenueFeed } from "./feed.js";
export { hyperliquid } from "./hyperliquid.js";
export { type OwnerOptions, okx } from "./okx.js";
export { type ReplayOptions, type ReplaySource, type ReplaySummary, replay } from "./replay.js";
