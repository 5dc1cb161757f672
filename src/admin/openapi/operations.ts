import type { SCHEMAS } from "./answers.js";

/** A schema, or the media type of what is no JSON. */
export type Content =
  | keyof typeof SCHEMAS
  | "text/plain"
  | "text/html"
  | "text/event-stream"
  | "application/x-ndjson"
  | "application/json";

interface Answer {
  readonly description: string;
  /** More than one where it depends on what the caller accepts. */
  readonly content: Content | readonly Content[];
}

export interface Operation {
  readonly method: "get" | "post";
  readonly path: string;
  readonly summary: string;
  /** Whether no token is needed on loopback. */
  readonly isOpen: boolean;
  readonly parameters?: readonly { readonly name: string; readonly description: string }[];
  readonly body?: Content;
  readonly answers: Readonly<Record<number, Answer>>;
}

const failure = (description: string): Answer => ({ description, content: "Failure" });
const TABLE = { name: "table", description: "of this table alone" };
const DIR = { name: "dir", description: "folder of the log that is meant" };
const NO_LOG = failure("the recorder has no log");
const OTHER_LOG = failure("the recorder's log is in another folder");
const NO_TABLE = failure("no such table, with the nearest name");

/** Each route of the admin API, as `docs/reference/http.md` tells it. */
export const OPERATIONS: readonly Operation[] = [
  {
    ...{ method: "get", path: "/", isOpen: true },
    summary: "the status page for browsers, how the tables stand as text for others",
    answers: { 200: { description: "how the recorder stands", content: ["text/plain", "text/html"] } },
  },
  ...(
    [
      ["/healthz", "the process is up", undefined],
      ["/readyz", "rows are taken under the promises of their tables", "critical tables at their limit"],
      ["/landingz", "rows land in ClickHouse", "tables whose rows wait while none is stored"],
    ] as const
  ).map(
    ([path, summary, trouble]): Operation => ({
      ...{ method: "get", path, isOpen: true, summary },
      answers: {
        200: { description: "it is so", content: "text/plain" },
        ...(trouble === undefined ? {} : { 503: { description: trouble, content: "text/plain" } }),
      },
    }),
  ),
  {
    ...{ method: "get", path: "/metrics", isOpen: true },
    summary: "the metrics of docs/reference/metrics.md, in the text format of Prometheus",
    answers: { 200: { description: "as of now", content: "text/plain" } },
  },
  {
    ...{ method: "get", path: "/api/status", isOpen: true },
    summary: "how the recorder and each of its tables stand",
    answers: { 200: { description: "as of now", content: "Status" } },
  },
  {
    ...{ method: "get", path: "/api/history", isOpen: true },
    summary: "the last hour, by columns",
    answers: { 200: { description: "oldest first", content: "History" } },
  },
  {
    ...{ method: "get", path: "/api/events", isOpen: true },
    summary: "the last events",
    answers: { 200: { description: "newest last", content: "Events" } },
  },
  {
    ...{ method: "get", path: "/api/stream", isOpen: true },
    summary: "status, history and events as they happen: server-sent events `status`, `sample` and `event`",
    answers: {
      200: { description: "until either side ends it", content: "text/event-stream" },
      503: failure("as many streams are open as may be; with Retry-After"),
    },
  },
  {
    ...{ method: "get", path: "/api/openapi.json", isOpen: true },
    summary: "this description",
    answers: { 200: { description: "OpenAPI 3.1", content: "application/json" } },
  },
  {
    ...{ method: "get", path: "/api/config", isOpen: true },
    summary: "the configuration in force, and where each value came from",
    answers: { 200: { description: "secrets are ***", content: "Config" } },
  },
  {
    ...{ method: "post", path: "/api/reload", isOpen: false },
    summary: "reads the configuration again; what can be changed holds at once",
    answers: {
      200: { description: "what holds now, and what needs a restart", content: "Reloaded" },
      422: { description: "it has mistakes: nothing has changed", content: "Mistakes" },
    },
  },
  {
    ...{ method: "post", path: "/api/flush", isOpen: false },
    summary: "sends at once what is held",
    parameters: [
      TABLE,
      { name: "wait", description: "seconds until it is answered at the latest, 0 to 60; 10 by default" },
    ],
    answers: {
      200: { description: "what was held, and what of it is left", content: "Flushed" },
      400: failure("a wait that is no number of seconds"),
      404: NO_TABLE,
    },
  },
  {
    ...{ method: "post", path: "/api/replay", isOpen: false },
    summary: "tries at once what waits in the log, also of paused tables",
    parameters: [
      { name: "without", description: "TABLE.COLUMN that was dropped, whose values go to the dead letters" },
      DIR,
    ],
    answers: {
      200: { description: "what is tried", content: "Replay" },
      400: failure("the table has that column"),
      404: failure("no such table, with the nearest name; or no log"),
      409: OTHER_LOG,
    },
  },
  {
    ...{ method: "get", path: "/api/replay/{id}", isOpen: true },
    summary: "how far the rows of a replay are",
    answers: {
      200: { description: "what of it waits still", content: "Replay" },
      404: failure("it is not known, or not any more"),
    },
  },
  {
    ...{ method: "post", path: "/api/wal/repair", isOpen: false },
    summary:
      "reads the closed segments of the log, puts damaged bytes in quarantine, and waits no more for the rows lost with them",
    parameters: [{ name: "dryRun", description: "true: only tells what would be done" }, DIR],
    answers: {
      200: { description: "what was put aside", content: "Repaired" },
      400: failure("a dryRun that is neither true nor false"),
      404: NO_LOG,
      409: OTHER_LOG,
    },
  },
  {
    ...{ method: "post", path: "/api/wal/purge", isOpen: false },
    summary: "removes the closed segments of the log of which nothing is needed",
    parameters: [
      {
        name: "force",
        description: "true: also what is not known to be stored, which is lost, but for what is being sent",
      },
      DIR,
    ],
    answers: {
      200: {
        description: "what was removed, what was kept, and the rows that are pending",
        content: "Purged",
      },
      400: failure("a force that is neither true nor false"),
      404: NO_LOG,
      409: OTHER_LOG,
    },
  },
  {
    ...{ method: "get", path: "/api/dead-letters", isOpen: true },
    summary: "how many rows were refused, by table and reason",
    parameters: [TABLE],
    answers: { 200: { description: "the most frequent reasons of each table first", content: "Letters" } },
  },
  {
    ...{ method: "post", path: "/api/dead-letters/retry", isOpen: false, body: "Chosen" },
    summary: "tries refused rows again",
    answers: {
      200: { description: "what became of them", content: "Retried" },
      400: failure("it is not said which"),
      409: failure("others are being tried, or a command changes them"),
      413: failure("the body is too large"),
      502: failure("ClickHouse refuses"),
      503: failure("ClickHouse does not answer"),
    },
  },
  {
    ...{ method: "post", path: "/api/query", isOpen: true, body: "Query" },
    summary:
      "answers a question in SQL; the token is needed unless the embedded ClickHouse lets anybody read",
    answers: {
      200: { description: "1,000 rows at most", content: "TableOfRows" },
      400: failure("no question, one that may not be asked, or too much of an answer"),
      401: failure("no token, or a wrong one, where it is needed"),
      413: failure("the statement is too long"),
      429: failure("too many wrong tokens"),
      503: failure("ClickHouse does not answer, or four questions are being answered; then with Retry-After"),
    },
  },
  {
    ...{ method: "post", path: "/v1/ingest/{table}", isOpen: false, body: "application/x-ndjson" },
    summary: "records the rows of the body, one JSON object a line; gzip allowed",
    parameters: [
      { name: "history", description: "true: rows are taken as they are, and no policy leaves any out" },
    ],
    answers: {
      200: { description: "every accepted row is safe", content: "Ingested" },
      400: failure("the body cannot be read, or history or the Idempotency-Key cannot be used"),
      404: NO_TABLE,
      409: failure("the first request with this Idempotency-Key has no answer yet; with Retry-After"),
      413: failure("the body is too large"),
      415: failure("another content type or encoding"),
      422: failure("this Idempotency-Key was used for something else"),
      503: { description: "no room now, or not known to be safe; with Retry-After", content: "NotSafe" },
    },
  },
];
