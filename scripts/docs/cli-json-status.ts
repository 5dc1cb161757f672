import { z } from "zod";

/** The parts of `GET /api/status` and of the account at the end: what `status` and `serve` print as JSON. */

const number = (text: string): z.ZodNumber => z.number().describe(text);
const string = (text: string): z.ZodString => z.string().describe(text);
const byName = (text: string): z.ZodRecord<z.ZodString, z.ZodNumber> =>
  z.record(z.string(), z.number()).describe(text);

const HISTOGRAM = z.strictObject({
  count: z.number(),
  sum: z.number(),
  bounds: z.array(z.number()),
  buckets: z.array(z.number()),
});

const FLOW = {
  offered: number("rows a second that came"),
  refused: number("that were not taken"),
  accepted: number("that were taken"),
  deduplicated: number("left out as repetitions"),
  sampled: number("left out by sampling"),
  dropped: number("given up"),
  logged: number("written to the log"),
  spooled: number("written to the spool"),
  stored: number("stored in ClickHouse"),
  deadLettered: number("put into the dead letters"),
};

const TABLE = {
  class: string("critical or best_effort"),
  offered: number("rows that came"),
  accepted: number("rows that were taken"),
  refused: byName("rows that were not taken, by reason"),
  dropped: byName("rows taken and given up, by reason"),
  stored: number("rows in ClickHouse"),
  deadLettered: number("rows in the dead letters"),
  inherited: z
    .strictObject({ stored: z.number(), deadLettered: z.number(), dropped: z.number(), pending: z.number() })
    .describe("rows that earlier starts left, by what became of them; in no other count"),
  paused: z
    .strictObject({ class: z.string(), code: z.string(), message: z.string() })
    .optional()
    .describe("why the table takes no batches now"),
  insertSeconds: HISTOGRAM.describe("histogram of the INSERTs that succeeded"),
  insertRows: HISTOGRAM.describe("histogram of the rows of the INSERTs that succeeded"),
  insertErrors: byName("failed attempts by class/code"),
  freshnessSeconds: number("age of the oldest row of the last batch when it was stored").optional(),
  freshness: HISTOGRAM.describe("histogram of seconds until a row was stored"),
  eventLag: HISTOGRAM.describe(
    "histogram of the seconds from the event time of a batch's first row until it was taken",
  ),
  lastStoredAt: number("when a batch was last stored, Unix seconds").optional(),
  level: z
    .strictObject({ index: z.number(), step: z.string(), since: z.number(), changes: z.number() })
    .describe("level of degradation, 0 is normal; since when, Unix seconds; how often it changed"),
  pressure: z
    .strictObject({
      value: z.number(),
      cause: z.string(),
      inputs: z.record(z.string(), z.number()),
    })
    .describe("how hard pressed it is, 1: rows have no room; what the value comes from; all inputs"),
  pending: z
    .strictObject({ rows: z.number(), held: z.number(), bytes: z.number() })
    .describe("rows whose fate is not settled; rows in memory, those of earlier starts too, and their bytes"),
  deduplicated: number("rows left out as repetitions"),
  sampled: number("rows left out by sampling"),
  oldestSeconds: number("age of the oldest row that waits").optional(),
  conservation: z
    .strictObject({
      holds: z.boolean(),
      imbalance: z.strictObject({ offered: z.number(), accepted: z.number() }),
      looks: z.number(),
      violations: z.number(),
    })
    .describe("whether all rows add up, and by how many not"),
  perSecond: z
    .strictObject({ offered: z.number(), stored: z.number() })
    .describe("rows a second in the last ten seconds"),
  usage: number("share of its room for waiting rows that is taken"),
};

const WAL = z.strictObject({
  state: string("ok, slow, nearly_full, full and other troubles of the disk"),
  reason: z.string(),
  refusing: z.string().optional().describe("why critical rows are refused"),
  bytes: z.number(),
  max: z.number(),
  segments: z.number(),
  oldestSeconds: number("age of the oldest segment").optional(),
  syncSeconds: HISTOGRAM.describe("histogram of fdatasync"),
  unsyncedBytes: z.number(),
  unsyncedRows: z.number(),
  freeBytes: number("of the disk"),
  secondsUntilFull: number("until rows are refused, as the last minute went").optional(),
  quarantined: number("files put aside"),
  damaged: number("damaged places found since the start"),
  restarts: number("threads of the log that died"),
  logged: byName("rows of this start on disk, by table"),
  pending: byName("rows whose fate is not known, by table"),
  missing: byName("of these, damaged or missing, by table"),
  oldestPendingSeconds: number("age of the oldest of them").optional(),
  behind: z.array(z.string()).describe("tables of which rows are in the log alone"),
  keys: z
    .strictObject({ answers: z.number(), bytes: z.number(), forgottenEarly: z.number() })
    .describe("answers to requests with a key"),
});

const SPOOL = z.strictObject({
  state: z.string(),
  reason: z.string(),
  bytes: z.number(),
  max: z.number().nullable().describe("null: no limit"),
  rows: z.number(),
  spooled: number("rows put there since the start"),
  writing: number("rows on their way to the disk"),
  batches: z.number(),
  oldestSeconds: z.number().optional(),
  dropped: byName("rows given up, by reason"),
});

/** `status` beside a running service. */
const RUNNING = z.strictObject({
  at: number("when this was told, Unix seconds"),
  service: z.strictObject({
    version: z.string(),
    pid: z.number(),
    startedAt: number("Unix seconds"),
    uptimeSeconds: z.number(),
    adminUrl: z.string(),
  }),
  recorder: string("recorder.id"),
  run: string("number of this start"),
  link: z.strictObject({
    state: string("up, degraded, down, recovering"),
    reason: string("what brought it into this state"),
    seconds: number("for how long"),
    life: z
      .strictObject({ endpoint: z.string(), host: z.string(), startedAt: z.number() })
      .optional()
      .describe("of the server that answered last"),
    probeError: z.string().optional(),
  }),
  memory: z
    .strictObject({ used: z.number(), peak: z.number(), max: z.number() })
    .describe("bytes of rows held, and the most that ever were and that may be"),
  rates: z
    .strictObject({ ...FLOW, tables: z.record(z.string(), z.strictObject(FLOW)) })
    .describe("rows a second on each edge of the pipeline, in the last two seconds; whole and by table"),
  tables: z.record(z.string(), z.strictObject(TABLE)).describe("by table, since the start"),
  conditions: z
    .array(
      z.strictObject({
        name: z.string(),
        table: z.string(),
        since: number("Unix seconds"),
        value: z.number(),
        limit: z.number(),
        message: z.string(),
      }),
    )
    .describe("what to look after now"),
  notLanding: z
    .array(z.strictObject({ table: z.string(), seconds: z.number(), limit: z.number() }))
    .describe("tables of which rows wait and none has landed for long"),
  wal: WAL.optional().describe("the log"),
  spool: z.record(z.string(), SPOOL).optional().describe("by table"),
  replay: z
    .strictObject({ cause: z.string(), rows: z.number(), left: z.number(), seconds: z.number() })
    .optional()
    .describe("of what waited in the log for ClickHouse"),
  lives: z.record(z.string(), z.number()).describe("orders and fills remembered to complete rows"),
});

/** `status` without one. */
const AT_REST = z.strictObject({
  service: z.null(),
  files: z.strictObject({
    log: z
      .strictObject({ dir: z.string(), pending: byName("rows that are not known to be stored, by table") })
      .nullable(),
    spool: z.strictObject({ dir: z.string(), bytes: z.number() }).nullable(),
    deadLetters: byName("by table"),
  }),
});

/** `status`. */
export const STATUS: z.ZodType = z
  .union([RUNNING, AT_REST])
  .describe("of a running service; or, with exit code 1, what the files hold of one that does not answer");

/** `serve` and `demo`, at their end. */
export const ACCOUNT: z.ZodType = z.strictObject({
  tables: z
    .record(
      z.string(),
      z.strictObject({
        ...TABLE,
        unsent: number("rows pending at the end that were never sent"),
        unconfirmed: number("rows sent without an answer that can be believed"),
        logged: number(
          "rows pending at the end that are in the log or the spool: the next start stores them",
        ),
      }),
    )
    .describe("by table"),
});
