import { SECOND_MS } from "../base/units.js";
import { refusal } from "./exception.js";

/** What a request says about its session. */
export interface SessionHead {
  readonly id: string;
  /** How long the session is kept after this request. */
  readonly timeoutMs: number;
  /** It must be there already. */
  readonly mustExist: boolean;
}

/** Settings that change hundreds of others, which cannot be taken back after a request. */
export const SWEEPING: readonly string[] = ["compatibility", "profile"];

/** Characters of a name: sessions are kept by it. */
const ID_MAX = 1000;
const TIMEOUT_DEFAULT_S = 60;
const TIMEOUT_MAX_S = 3600;

/** Reads the session of a request. @throws ClickHouseError 36 or 374 for a name or a timeout that cannot be */
export function readSession(parameters: URLSearchParams): SessionHead | undefined {
  const id = parameters.get("session_id");
  if (!id) return undefined;
  if (id.length > ID_MAX)
    throw refusal(36, "BAD_ARGUMENTS", `session_id is longer than ${ID_MAX} characters.`);
  for (const name of SWEEPING) {
    if (!parameters.has(name)) continue;
    throw refusal(48, "NOT_IMPLEMENTED", `Beside session_id, ${name} can only be changed by SET.`);
  }
  const given = parameters.get("session_timeout") || String(TIMEOUT_DEFAULT_S);
  if (!/^\d+$/.test(given))
    throw refusal(374, "INVALID_SESSION_TIMEOUT", `Invalid session timeout: '${given}'.`);
  const seconds = Number(given);
  if (seconds > TIMEOUT_MAX_S) {
    throw refusal(
      374,
      "INVALID_SESSION_TIMEOUT",
      `Session timeout '${given}' is larger than max_session_timeout: ${TIMEOUT_MAX_S}.`,
    );
  }
  return { id, timeoutMs: seconds * SECOND_MS, mustExist: parameters.get("session_check") === "1" };
}
