import { z } from "zod";

/** Of `GET /api/status` and of the stream's `status`: the JSON of a `StatusReport`. What is absent is not known, or not there. */

const COUNT = z.int().min(0);
/** Rows that were counted twice or nowhere make it less than nothing. */
const ROWS = z.int();
const SECONDS = z.number().min(0);
const SHARE = z.number().min(0);
const BYTES = z.number().min(0);
const UNIX = z.number().meta({ description: "Unix seconds" });
const BY_NAME = z.record(z.string(), COUNT);

const HISTOGRAM = z
  .strictObject({ count: COUNT, sum: z.number(), bounds: z.array(z.number()), buckets: z.array(COUNT) })
  .meta({
    description: "seconds, or rows; buckets are not cumulative, the last one is what is above all bounds",
  });

const LINK = z.strictObject({
  state: z.enum(["up", "degraded", "down", "recovering"]),
  reason: z.string(),
  seconds: SECONDS.meta({ description: "for how long it is so" }),
  life: z
    .strictObject({ endpoint: z.string(), host: z.string(), startedAt: UNIX })
    .optional()
    .meta({ description: "of the ClickHouse process that answered last; absent before the first answer" }),
  probeError: z.string().optional(),
});

export const PAUSE: z.ZodType = z.strictObject({ class: z.string(), code: z.string(), message: z.string() });

const TABLE = z.strictObject({
  class: z.enum(["critical", "best_effort"]),
  offered: COUNT,
  accepted: COUNT,
  refused: BY_NAME,
  dropped: BY_NAME,
  stored: COUNT,
  deadLettered: COUNT,
  deduplicated: COUNT,
  sampled: COUNT,
  inherited: z.strictObject({ stored: COUNT, deadLettered: COUNT, dropped: COUNT, pending: COUNT }).meta({
    description: "rows that earlier starts left in the log or the spool; they are in no other count",
  }),
  pending: z.strictObject({ rows: COUNT, held: COUNT, bytes: BYTES }),
  paused: PAUSE.optional(),
  insertSeconds: HISTOGRAM,
  insertRows: HISTOGRAM,
  insertErrors: BY_NAME,
  freshnessSeconds: SECONDS.optional(),
  freshness: HISTOGRAM,
  eventLag: HISTOGRAM,
  lastStoredAt: UNIX.optional(),
  oldestSeconds: SECONDS.optional(),
  conservation: z.strictObject({
    holds: z.boolean(),
    imbalance: z.strictObject({ offered: ROWS, accepted: ROWS }),
    looks: COUNT,
    violations: COUNT,
  }),
  perSecond: z.strictObject({ offered: z.number(), stored: z.number() }),
  usage: SHARE,
  level: z.strictObject({ index: COUNT, step: z.string(), since: UNIX, changes: COUNT }),
  pressure: z.strictObject({
    value: SHARE,
    cause: z.string(),
    inputs: z.record(z.string(), SHARE),
  }),
});

const LOG = z.strictObject({
  state: z.string(),
  reason: z.string(),
  refusing: z.string().optional(),
  bytes: BYTES,
  max: BYTES.nullable(),
  segments: COUNT,
  oldestSeconds: SECONDS.optional(),
  syncSeconds: HISTOGRAM,
  unsyncedBytes: BYTES,
  freeBytes: BYTES,
  secondsUntilFull: SECONDS.optional(),
  quarantined: COUNT,
  damaged: COUNT,
  restarts: COUNT,
  unsyncedRows: COUNT,
  logged: BY_NAME,
  pending: BY_NAME,
  missing: BY_NAME,
  oldestPendingSeconds: SECONDS.optional(),
  behind: z.array(z.string()),
  keys: z.strictObject({ answers: COUNT, bytes: BYTES, forgottenEarly: COUNT }),
});

const SPOOL = z.strictObject({
  state: z.string(),
  reason: z.string(),
  bytes: BYTES,
  max: BYTES.nullable().meta({ description: "null: without a limit" }),
  rows: COUNT,
  spooled: COUNT,
  writing: COUNT,
  batches: COUNT,
  oldestSeconds: SECONDS.optional(),
  dropped: BY_NAME,
});

const RATE = z.number().min(0);
const EDGES = {
  offered: RATE,
  refused: RATE,
  accepted: RATE,
  deduplicated: RATE,
  sampled: RATE,
  dropped: RATE,
  logged: RATE,
  spooled: RATE,
  stored: RATE,
  deadLettered: RATE,
};

export const STATUS: z.ZodType = z.strictObject({
  at: UNIX,
  service: z.strictObject({
    version: z.string(),
    pid: z.int(),
    startedAt: UNIX,
    uptimeSeconds: SECONDS,
    adminUrl: z.url(),
  }),
  recorder: z.string(),
  run: z.string(),
  link: LINK,
  memory: z.strictObject({ used: BYTES, peak: BYTES, max: BYTES }),
  tables: z.record(z.string(), TABLE),
  conditions: z.array(
    z.strictObject({
      name: z.string(),
      table: z.string(),
      since: UNIX,
      value: z.number(),
      limit: z.number(),
      message: z.string(),
    }),
  ),
  wal: LOG.optional(),
  spool: z.record(z.string(), SPOOL).optional(),
  replay: z.strictObject({ cause: z.string(), rows: COUNT, left: COUNT, seconds: SECONDS }).optional(),
  rates: z
    .strictObject({ ...EDGES, tables: z.record(z.string(), z.strictObject(EDGES)) })
    .meta({ description: "rows a second over the last two seconds on each edge of the pipeline" }),
  notLanding: z.array(z.strictObject({ table: z.string(), rows: COUNT, seconds: SECONDS })),
  lives: z.strictObject({ orders: COUNT, fills: COUNT, forgottenOrders: COUNT }),
});
