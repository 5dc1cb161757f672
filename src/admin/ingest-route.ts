import type { FastifyInstance } from "fastify";
import { MINUTE_MS } from "../base/units.js";
import type { BodyMemory } from "../intake/body-memory.js";
import { type RequestOutcome, recordRequest } from "../intake/http.js";
import type { Normaliser } from "../intake/normalise/normaliser.js";
import type { Recorder } from "../recorder.js";

/** How long a caller waits to be told that its rows are stored; then it is told that this is not known. */
const STORE_TIMEOUT_MS: number = MINUTE_MS;
const RETRY_AFTER_SECONDS = "1";

/** `POST /v1/ingest/TABLE`: NDJSON, gzip allowed; 200 once every accepted row is in ClickHouse. */
export function ingestRoute(
  app: FastifyInstance,
  options: {
    readonly recorder: Pick<Recorder, "table">;
    readonly normaliser: Normaliser;
    readonly bodies: BodyMemory;
    readonly maxBody: number;
    readonly maxLine: number;
  },
): void {
  app.post<{ Params: { table: string } }>("/v1/ingest/:table", async (request, reply) => {
    // Whoever sends one relies on it: taking the rows as if it were not there would store them twice.
    if (request.headers["idempotency-key"] !== undefined) {
      return reply.code(400).send({ error: { message: "Idempotency-Key is not supported yet" } });
    }
    const writer = options.recorder.table(request.params.table);
    const type = request.headers["content-type"] ?? "";
    if (!/^application\/(x-)?ndjson\b/.test(type)) {
      return reply.code(415).send({ error: { message: "expected Content-Type: application/x-ndjson" } });
    }
    const encoding = request.headers["content-encoding"] ?? "identity";
    if (encoding !== "identity" && encoding !== "gzip") {
      return reply
        .code(415)
        .send({ error: { message: `Content-Encoding ${encoding}: expected gzip or none` } });
    }
    const gone = new AbortController();
    reply.raw.on("close", () => gone.abort());
    const outcome = await recordRequest({
      writer,
      normaliser: options.normaliser,
      body: request.raw,
      isGzip: encoding === "gzip",
      maxLineBytes: options.maxLine,
      maxBodyBytes: options.maxBody,
      memory: options.bodies,
      signal: AbortSignal.any([gone.signal, AbortSignal.timeout(STORE_TIMEOUT_MS)]),
    });
    const [status, body] = answerOf(outcome);
    if (status === 503) void reply.header("Retry-After", RETRY_AFTER_SECONDS);
    // The rest of a body that was given up is not read.
    if (!request.raw.readableEnded) void reply.header("Connection", "close");
    return reply.code(status).send(body);
  });
}

function answerOf(outcome: RequestOutcome): [status: number, body: object] {
  switch (outcome.kind) {
    case "stored": {
      const { accepted, rejected, errors } = outcome;
      return [200, { accepted, rejected, errors }];
    }
    case "malformed":
      return [400, { error: { message: outcome.message } }];
    case "too_large":
      return [413, { error: { message: outcome.message } }];
    case "full":
      return [503, { error: { message: outcome.message } }];
    case "not_stored":
      return [503, { error: { message: outcome.message }, taken: outcome.taken }];
  }
}
