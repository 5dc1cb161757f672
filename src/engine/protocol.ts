import type { ErrorCode } from "../base/errors.js";
import type { EngineLimits } from "./limits.js";

/** What the user's process and the engine's process tell each other. */

/** First message to the child; everything else it finds in the folder. */
export interface StartMessage {
  readonly type: "start";
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  readonly memory: number;
  readonly limits: EngineLimits;
  readonly timeouts: Timeouts;
}

/** Milliseconds after which a connection is cut that keeps the engine waiting. */
export interface Timeouts {
  /** For the head of a request to come, from its connection's start. */
  readonly headersMs: number;
  /** Without a byte of a body or a result. */
  readonly stallMs: number;
}

export type ToChild =
  | StartMessage
  /** Heartbeat: answered once the engine has answered a statement. */
  | { readonly type: "ping" }
  /** Finish what runs, then exit. */
  | { readonly type: "close"; readonly deadlineMs: number };

export type FromChild =
  | {
      readonly type: "ready";
      readonly url: string;
      readonly bootId: string;
      /** Parts that were found damaged and put aside, at this start or an earlier one, as `database.table/part`. */
      readonly brokenParts: readonly string[];
    }
  | {
      readonly type: "failed";
      readonly code: ErrorCode;
      readonly message: string;
    }
  | { readonly type: "pong" };

/** Name of one life of the engine in answers, by which a client tells it from the next. */
export function displayName(bootId: string): string {
  return `coldpath-embedded-${bootId}`;
}
