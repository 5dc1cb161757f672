import type { Role } from "./access.js";
import { refusal } from "./exception.js";
import { HeldSession } from "./held-session.js";
import type { SessionHead } from "./session-head.js";
import type { Sessions } from "./sessions.js";

/** Sessions that the callers of one role may have at once. */
const SESSIONS_MAX = 100;

interface Entry {
  readonly held: HeldSession;
  isLocked: boolean;
  expiry: NodeJS.Timeout | undefined;
}

/** A session in the hands of one request. */
export interface Acquired {
  readonly held: HeldSession;
  readonly release: () => void;
}

/** The sessions that requests name by `session_id`. Those of a role are its own: nobody reaches another's. */
export class SessionStore {
  readonly #sessions: Sessions;
  readonly #entries: Readonly<Record<Role, Map<string, Entry>>> = { owner: new Map(), reader: new Map() };

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
  }

  /** Takes a session for one request. @throws ClickHouseError 372, 373 or 700 when that cannot be */
  acquire(role: Role, { id, timeoutMs, mustExist }: SessionHead): Acquired {
    const entries = this.#entries[role];
    const entry = entries.get(id) ?? this.#add(entries, id, mustExist);
    if (entry.isLocked) {
      throw refusal(373, "SESSION_IS_LOCKED", `Session ${id} is locked by a concurrent client.`);
    }
    entry.isLocked = true;
    clearTimeout(entry.expiry);
    const expire = (): void => drop(entries, id, entry);
    const release = (): void => {
      entry.isLocked = false;
      // The next request of that name must not believe to be in it.
      if (entry.held.isBroken) expire();
      else entry.expiry = setTimeout(expire, timeoutMs).unref();
    };
    return { held: entry.held, release };
  }

  #add(entries: Map<string, Entry>, id: string, mustExist: boolean): Entry {
    if (mustExist) throw refusal(372, "SESSION_NOT_FOUND", `Session ${id} not found.`);
    if (entries.size >= SESSIONS_MAX) dropBlank(entries);
    const entry = { held: new HeldSession(() => this.#sessions.open()), isLocked: false, expiry: undefined };
    entries.set(id, entry);
    return entry;
  }
}

function drop(entries: Map<string, Entry>, id: string, entry: Entry): void {
  clearTimeout(entry.expiry);
  entries.delete(id);
  entry.held.close();
}

/** Makes room. Many clients name a session and never use one: nobody misses theirs. */
function dropBlank(entries: Map<string, Entry>): void {
  for (const [id, entry] of entries) {
    if (entry.isLocked || !entry.held.isBlank) continue;
    drop(entries, id, entry);
    return;
  }
  throw refusal(
    700,
    "USER_SESSION_LIMIT_EXCEEDED",
    `There are ${SESSIONS_MAX} sessions already; one ends when it was not used for its session_timeout.`,
  );
}
