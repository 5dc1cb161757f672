import { z } from "zod";
import { ACCOUNT, STATUS } from "./cli-json-status.js";

/**
 * What each command prints with `--json`, by the words that call it. The schemas in docs/reference/cli-json come from here; the
 * tests hold the output of each command against those.
 */

const strings = z.array(z.string());

const DAMAGE = z.strictObject({
  segment: z.number(),
  offset: z.number(),
  bytes: z.number(),
  reason: z.string(),
  kind: z.string().nullable().describe("of the record, if it can be told"),
  table: z.string().nullable(),
  run: z.string().nullable(),
  firstSeq: z.number().nullable(),
  rows: z.number().nullable(),
});

const REPLAYED = z.strictObject({
  table: z.string(),
  rows: z.number().describe("that were pending"),
  stored: z.number().describe("of these, in ClickHouse by now"),
  deadLettered: z.number(),
  left: z.number().describe("still pending"),
  paused: z.string().optional().describe("why they are"),
});

const BY_ITSELF = z.strictObject({
  dir: z.string().describe("folder of the log"),
  tables: z.array(REPLAYED),
});

const IN_SERVICE = z.strictObject({
  service: z.string(),
  tables: z.array(REPLAYED.omit({ stored: true, deadLettered: true })),
});

const FILE = z.strictObject({ origin: z.string(), name: z.string() });

const COUNTS = {
  rows: z.number().describe("records read; rows = stored + alreadyStored + rejected + lost"),
  stored: z.number(),
  alreadyStored: z.number().describe("found stored, by source and line"),
  rejected: z.number(),
  lost: z.number().describe("taken, and not known to be stored"),
  seconds: z.number(),
};

const LETTER_GROUP = z.strictObject({
  table: z.string(),
  code: z.string(),
  reason: z.string().describe("without the values that differ from row to row"),
  letters: z.number(),
  oldest: z.string().describe("ISO-8601"),
  newest: z.string(),
});

const LETTER = z.strictObject({
  id: z.string(),
  table: z.string(),
  time: z.string(),
  code: z.string(),
  reason: z.string(),
  source: z.string().nullable(),
  source_seq: z.string().nullable(),
  seq: z.union([z.number(), z.string()]).nullable(),
  run: z.string().nullable(),
  recorder: z.string(),
  hash: z.string().describe("of the bytes"),
  encoding: z.enum(["text", "base64"]).describe("of the bytes here"),
  bytes: z.string().describe("the row as it came"),
  row: z.string().nullable().describe("the same as text, if it is text"),
});

const CHANGE = {
  path: z.string(),
  from: z.string().nullable(),
  to: z.string().nullable(),
};

const PURGED = z.strictObject({ segment: z.number(), bytes: z.number(), pending: z.number() });

export const CLI_JSON: Readonly<Record<string, z.ZodType>> = {
  init: z.strictObject({ file: z.string().describe("that was written") }),
  serve: ACCOUNT,
  demo: ACCOUNT,
  ingest: z.strictObject({
    service: z
      .string()
      .nullable()
      .describe("address of the service that recorded the rows; null if there was none"),
    table: z.string(),
    ...COUNTS,
    rowsPerSecond: z.number(),
    interrupted: z.boolean().describe("whether a signal ended it"),
    files: z.array(
      z.strictObject({
        file: z.string(),
        source: z.string().describe("first half of its rows' identity"),
        ...COUNTS,
        reasons: z.record(z.string(), z.number()).describe("rejected rows by reason"),
        rejections: z.array(z.looseObject({ line: z.number() })).describe("the first rejected rows"),
        error: z
          .strictObject({ code: z.string(), message: z.string() })
          .optional()
          .describe("why it was not read to its end"),
        notes: strings,
      }),
    ),
  }),
  db: z.strictObject({
    url: z.string(),
    user: z.string(),
    secretFile: z.string().describe("file with the password"),
    brokenParts: strings.describe("parts that were put aside: their rows are missing"),
  }),
  query: z
    .looseObject({
      meta: z.array(z.strictObject({ name: z.string(), type: z.string() })),
      data: z.array(z.record(z.string(), z.unknown())).describe("64-bit integers and decimals as text"),
      rows: z.number(),
    })
    .describe("ClickHouse's output format JSON, or the one that --format names"),
  status: STATUS,
  flush: z.strictObject({
    service: z.string().describe("its address"),
    done: z.boolean().describe("whether the fate of all rows held is known"),
    seconds: z.number(),
    tables: z
      .record(z.string(), z.strictObject({ held: z.number(), left: z.number() }))
      .describe("rows held when it was asked, and how many of them at most are left"),
  }),
  replay: z
    .union([
      z.strictObject({ service: z.string(), pending: z.record(z.string(), z.number()) }),
      IN_SERVICE,
      BY_ITSELF,
    ])
    .describe("of a running service, of one with --wait, of a log that no recorder runs on"),
  reload: z.strictObject({
    service: z.string(),
    applied: z.array(z.strictObject(CHANGE)).describe("what holds now"),
    needsRestart: z
      .array(z.strictObject({ ...CHANGE, reason: z.string() }))
      .describe("what holds after a restart"),
  }),
  "wal ls": z.strictObject({
    dir: z.string(),
    logId: z.string().nullable(),
    bytes: z.number(),
    rows: z.number(),
    pending: z.number().describe("rows that are not known to be stored"),
    oldestPending: z.strictObject({ segment: z.number(), made: z.string().nullable() }).nullable(),
    cursor: z.strictObject({ upTo: z.number() }).nullable(),
    segments: z.array(
      z.strictObject({
        segment: z.number(),
        state: z.enum(["open", "closed"]),
        bytes: z.number(),
        made: z.string().nullable(),
        firstOrdinal: z.number(),
        lastOrdinal: z.number(),
        rows: z.number(),
        pending: z.number(),
      }),
    ),
    tables: z.array(
      z.strictObject({ table: z.string(), run: z.string(), rows: z.number(), pending: z.number() }),
    ),
    damage: z.array(DAMAGE),
    torn: z.array(DAMAGE).describe("unfinished at the end, as a crash leaves it"),
  }),
  "wal inspect": z.strictObject({
    total: z.number().describe("records that fit, shown or not"),
    records: z.array(
      z.looseObject({
        ordinal: z.number(),
        segment: z.number(),
        offset: z.number(),
        length: z.number(),
        kind: z.string(),
        values: z.array(z.record(z.string(), z.unknown())).optional().describe("the rows, with --rows"),
      }),
    ),
  }),
  "wal verify": z.strictObject({
    segments: z.number(),
    bytes: z.number(),
    records: z.number().describe("sound ones"),
    damage: z.array(DAMAGE.extend({ pending: z.number().describe("rows lost unless ClickHouse has them") })),
    torn: z.array(DAMAGE),
  }),
  "wal repair": z.strictObject({
    dryRun: z.boolean(),
    closed: z.array(z.number()).describe("segments"),
    damage: z.array(DAMAGE).describe("put aside"),
    torn: z.array(DAMAGE).describe("cut"),
  }),
  "wal purge": z.strictObject({
    forced: z.boolean(),
    removed: z.array(PURGED),
    kept: z.array(PURGED),
    pending: z
      .array(z.looseObject({ table: z.string(), pending: z.number() }))
      .describe("kept or, if forced, lost"),
    sending: z
      .array(z.strictObject({ table: z.string(), rows: z.number() }))
      .describe("kept by a running service though it was forced: they may be stored already"),
  }),
  "wal replay": z
    .union([BY_ITSELF, IN_SERVICE])
    .describe("of a log that no recorder runs on, of that of a running service"),
  "dead-letter ls": z.strictObject({
    letters: z.number(),
    damaged: z.number().describe("lines that are no letter"),
    groups: z.array(LETTER_GROUP),
  }),
  "dead-letter show": z.array(LETTER),
  "dead-letter retry": z.array(
    z.strictObject({
      table: z.string(),
      stored: z.number(),
      found: z.number().describe("stored already"),
      left: z.number().describe("letters that stay"),
      errors: z
        .array(z.strictObject({ id: z.string(), reason: z.string() }))
        .describe("the first 100 of those"),
    }),
  ),
  "dead-letter drop": z.strictObject({ dropped: z.number() }),
  migrate: z
    .union([
      z.strictObject({ applied: z.array(FILE), unknown: z.array(FILE) }),
      z.strictObject({ migrations: z.array(z.looseObject({ name: z.string() })) }),
      z.strictObject({
        roles: z.array(
          z.strictObject({ role: z.string(), rights: z.array(z.looseObject({ right: z.string() })) }),
        ),
      }),
    ])
    .describe("of the work, of --print, of --print-grants"),
  "config check": z.strictObject({ ok: z.literal(true), warnings: strings }),
  "config show": z.strictObject({
    values: z.array(
      z.strictObject({
        path: z.string(),
        value: z.string().nullable().describe("secrets as ***"),
        origin: z.string().describe("default, FILE:LINE, name of the variable, --set"),
      }),
    ),
  }),
  completion: z.strictObject({ shell: z.string(), script: z.string() }),
};

/** What every command prints on standard error with `--json` if it fails. */
export const ERROR_JSON: z.ZodType = z.strictObject({
  error: z.strictObject({ code: z.string().describe("see errors.md"), message: z.string() }),
});
