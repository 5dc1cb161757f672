import { z } from "zod";
import { PAUSE, STATUS } from "./status-schema.js";

const COUNT = z.int().min(0);
const BY_TABLE = z.record(z.string(), COUNT);
const SERIES = z.array(z.number().nullable());

const HISTORY = z.strictObject({
  intervalSeconds: z.number(),
  at: z.array(z.number()).meta({ description: "Unix seconds" }),
  series: z.strictObject({
    offeredRowsPerSecond: SERIES,
    storedRowsPerSecond: SERIES,
    freshnessP50Seconds: SERIES,
    freshnessP99Seconds: SERIES,
    queueUsage: SERIES,
    insertP50Seconds: SERIES,
    insertP99Seconds: SERIES,
    walBytes: SERIES,
    spoolBytes: SERIES,
  }),
});

const EVENTS = z.strictObject({
  events: z.array(
    z.strictObject({
      id: z.int(),
      at: z.number().meta({ description: "Unix seconds" }),
      level: z.enum(["debug", "info", "warn", "error"]),
      kind: z.string(),
      message: z.string(),
      fields: z.record(z.string(), z.unknown()),
    }),
  ),
});

const FLUSHED = z.strictObject({
  done: z.boolean(),
  seconds: z.number(),
  tables: z.record(z.string(), z.strictObject({ held: COUNT, left: COUNT })),
});

const REPLAY = z.strictObject({ id: z.uuid(), pending: BY_TABLE, paused: z.record(z.string(), PAUSE) });

const DAMAGE = z.array(
  z.strictObject({
    segment: COUNT,
    offset: COUNT,
    bytes: COUNT,
    reason: z.string(),
    kind: z.string().nullable(),
    table: z.string().nullable(),
    run: z.string().nullable(),
    firstSeq: COUNT.nullable(),
    rows: COUNT.nullable(),
  }),
);
const REPAIRED = z.strictObject({
  dryRun: z.boolean(),
  closed: z.array(COUNT),
  damage: DAMAGE,
  torn: DAMAGE,
});

const SEGMENTS = z.array(z.strictObject({ segment: COUNT, bytes: COUNT, pending: COUNT }));
const PURGED = z.strictObject({
  forced: z.boolean(),
  removed: SEGMENTS,
  kept: SEGMENTS,
  pending: z
    .array(z.strictObject({ table: z.string(), pending: COUNT }))
    .meta({ description: "kept or, if forced, lost" }),
  sending: z
    .array(z.strictObject({ table: z.string(), rows: COUNT }))
    .meta({ description: "kept although it was forced, as they may be stored already" }),
});

const LETTERS = z.strictObject({
  letters: COUNT,
  damaged: COUNT,
  groups: z.array(
    z.strictObject({
      table: z.string(),
      code: z.string(),
      reason: z.string(),
      letters: COUNT,
      oldest: z.string(),
      newest: z.string(),
    }),
  ),
});

const RETRIED = z.strictObject({
  tables: z.array(
    z.strictObject({
      table: z.string(),
      stored: COUNT,
      found: COUNT,
      left: COUNT,
      errors: z
        .array(z.strictObject({ id: z.string(), reason: z.string() }))
        .max(100)
        .meta({ description: "the first of those that are left" }),
    }),
  ),
});

const CHOSEN = z.union([
  z.strictObject({ ids: z.array(z.string()).min(1) }),
  z.strictObject({ table: z.string() }),
  z.strictObject({ all: z.literal(true) }),
]);

const QUERY = z.strictObject({ sql: z.string().min(1) });

const TABLE_OF_ROWS = z.strictObject({
  columns: z.array(z.strictObject({ name: z.string(), type: z.string() })),
  rows: z.array(z.array(z.unknown())),
  rowsRead: COUNT,
  seconds: z.number(),
  truncated: z.boolean(),
});

const CHANGED = { path: z.string(), from: z.string().nullable(), to: z.string().nullable() };
const RELOADED = z.strictObject({
  applied: z.array(z.strictObject(CHANGED)),
  needsRestart: z.array(z.strictObject({ ...CHANGED, reason: z.string() })),
});

const CONFIG = z.strictObject({
  values: z.array(z.strictObject({ path: z.string(), value: z.string().nullable(), origin: z.string() })),
});

const INGESTED = z.strictObject({
  accepted: COUNT,
  rejected: COUNT,
  errors: z.array(z.strictObject({ line: COUNT, column: z.string().nullable(), reason: z.string() })),
});

const FAILURE = z.strictObject({ error: z.strictObject({ message: z.string() }) });
const MISTAKES = z.strictObject({
  error: z.strictObject({ message: z.string() }),
  issues: z.array(z.looseObject({ path: z.string(), message: z.string() })),
});
const NOT_SAFE = FAILURE.extend({
  taken: COUNT.optional().meta({ description: "rows that were taken and are not known to be safe" }),
});

/** The JSON of requests and answers, by name. */
export const SCHEMAS = {
  Status: STATUS,
  History: HISTORY,
  Events: EVENTS,
  Flushed: FLUSHED,
  Replay: REPLAY,
  Repaired: REPAIRED,
  Purged: PURGED,
  Letters: LETTERS,
  Chosen: CHOSEN,
  Retried: RETRIED,
  Query: QUERY,
  TableOfRows: TABLE_OF_ROWS,
  Reloaded: RELOADED,
  Config: CONFIG,
  Ingested: INGESTED,
  Failure: FAILURE,
  Mistakes: MISTAKES,
  NotSafe: NOT_SAFE,
} as const satisfies Readonly<Record<string, z.ZodType>>;
