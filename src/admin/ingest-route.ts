import type { FastifyInstance } from "fastify";
import { ColdpathError } from "../base/errors.js";
import { MINUTE_MS } from "../base/units.js";
import type { BodyMemory } from "../intake/body-memory.js";
import { type RequestOptions, type RequestOutcome, recordRequest } from "../intake/http.js";
import { recordKeyedRequest } from "../intake/keyed-request.js";
import type { Normaliser } from "../intake/normalise/normaliser.js";
import type { Ledger, Recorder } from "../recorder.js";
import { failure } from "./failures.js";
import { Parameters } from "./parameters.js";

/** How long a caller waits to be told that its rows are safe; then it is told that this is not known. */
const STORE_TIMEOUT_MS: number = MINUTE_MS;
const RETRY_AFTER_SECONDS = "1";

const KEY = /^[\x21-\x7e]{1,255}$/;

interface IngestRouteOptions {
  readonly recorder: Pick<Recorder, "table" | "keys">;
  readonly normaliser: Normaliser;
  readonly bodies: BodyMemory;
  readonly maxBody: number;
  readonly maxLine: number;
}

/** `POST /v1/ingest/TABLE`: NDJSON, gzip allowed; 200 once every accepted row is in the log or, without one, in ClickHouse. */
export function ingestRoute(app: FastifyInstance, options: IngestRouteOptions): void {
  // Rows are no acts of an operator: written down one by one they would make as many rows again.
  app.post<{ Params: { table: string } }>(
    "/v1/ingest/:table",
    { config: { isAudited: false } },
    async (request, reply) => {
      const writer = options.recorder.table(request.params.table);
      const type = request.headers["content-type"] ?? "";
      if (!/^application\/(x-)?ndjson\b/.test(type)) {
        return reply.code(415).send(failure("expected Content-Type: application/x-ndjson"));
      }
      const encoding = request.headers["content-encoding"] ?? "identity";
      if (encoding !== "identity" && encoding !== "gzip") {
        return reply.code(415).send(failure(`Content-Encoding ${encoding}: expected gzip or none`));
      }
      const gone = new AbortController();
      reply.raw.on("close", () => gone.abort());
      const given: RequestOptions = {
        writer,
        normaliser: isHistory(new Parameters(request.query, ["history"]).one("history"))
          ? undefined
          : options.normaliser,
        body: request.raw,
        isGzip: encoding === "gzip",
        maxLineBytes: options.maxLine,
        maxBodyBytes: options.maxBody,
        memory: options.bodies,
        signal: AbortSignal.any([gone.signal, AbortSignal.timeout(STORE_TIMEOUT_MS)]),
      };
      const key = request.headers["idempotency-key"];
      const answer =
        key === undefined
          ? answerOf(await recordRequest(given))
          : await keyed(given, key, options.recorder.keys);
      const { status, body } = answer;
      if (status === 503 || status === 409) void reply.header("Retry-After", RETRY_AFTER_SECONDS);
      if (answer.replayed === true) void reply.header("Idempotency-Replayed", "true");
      // The rest of a body that was given up is not read.
      if (!request.raw.readableEnded) void reply.header("Connection", "close");
      return reply.code(status).type("application/json; charset=utf-8").send(body);
    },
  );
}

/** @throws ColdpathError USAGE */
function isHistory(text = "false"): boolean {
  if (text === "true" || text === "false") return text === "true";
  throw new ColdpathError("USAGE", `history=${text}: expected true or false`);
}

interface Answer {
  readonly status: number;
  /** JSON, or what becomes JSON. */
  readonly body: object | string;
  readonly replayed?: boolean;
}

async function keyed(
  given: RequestOptions,
  key: string | string[],
  keys: Ledger | undefined,
): Promise<Answer> {
  if (typeof key !== "string" || !KEY.test(key)) {
    return { status: 400, body: failure("Idempotency-Key: expected 1 to 255 visible ASCII characters") };
  }
  const group = given.writer.group();
  if (group === undefined || keys === undefined) {
    const { name } = given.writer.table;
    return {
      status: 400,
      body: failure(`Idempotency-Key needs a table with a log, and tables.${name}.durability is not wal`),
    };
  }
  const outcome = await recordKeyedRequest({ ...given, key, keys, group });
  switch (outcome.kind) {
    case "answered":
      return { status: outcome.status, body: outcome.answer, replayed: outcome.replayed };
    case "in_progress":
      return { status: 409, body: failure("a request with this Idempotency-Key has no answer yet") };
    case "other_request":
      return {
        status: 422,
        body: failure("this Idempotency-Key was used with another body or for another table"),
      };
    default:
      return answerOf(outcome);
  }
}

function answerOf(outcome: RequestOutcome): Answer {
  switch (outcome.kind) {
    case "safe": {
      const { accepted, rejected, errors } = outcome;
      return { status: 200, body: { accepted, rejected, errors } };
    }
    case "malformed":
      return { status: 400, body: failure(outcome.message) };
    case "too_large":
      return { status: 413, body: failure(outcome.message) };
    case "full":
      return { status: 503, body: failure(outcome.message) };
    case "not_stored":
      return { status: 503, body: { ...failure(outcome.message), taken: outcome.taken } };
  }
}
