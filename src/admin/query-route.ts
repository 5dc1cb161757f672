import type { FastifyInstance } from "fastify";
import { ColdpathError } from "../base/errors.js";
import { KIB } from "../base/units.js";
import { ClickHouseError } from "../clickhouse/error.js";
import { failure } from "./failures.js";
import { answerTo, type Reader, requireQuestion } from "./question.js";

/** Questions at once: each may hold an answer in memory. */
const QUESTIONS_MAX = 4;
const STATEMENT_MAX: number = 64 * KIB;

/** `POST /api/query` `{"sql": "SELECT …"}`: a small answer for a person. */
export function queryRoute(app: FastifyInstance, reader: Reader): void {
  let asked = 0;
  app.register(async (scope) => {
    scope.addContentTypeParser(
      "application/json",
      { parseAs: "string", bodyLimit: STATEMENT_MAX },
      scope.getDefaultJsonParser("error", "error"),
    );
    const config = { needsToken: !reader.isOpen, isAudited: false };
    scope.post("/api/query", { config }, async (request, reply) => {
      const sql = statementIn(request.body);
      if (asked >= QUESTIONS_MAX) {
        const message = `${QUESTIONS_MAX} questions are being answered already`;
        return reply.code(503).header("Retry-After", "1").send(failure(message));
      }
      const gone = new AbortController();
      reply.raw.on("close", () => gone.abort());
      asked += 1;
      try {
        return await answerTo(sql, reader, gone.signal);
      } catch (error) {
        // What ClickHouse says of a question is for who asked it.
        if (error instanceof ClickHouseError) return reply.code(400).send(failure(error.message));
        throw error;
      } finally {
        asked -= 1;
      }
    });
  });
}

function statementIn(body: unknown): string {
  const sql = (body as { sql?: unknown } | null | undefined)?.sql;
  if (typeof sql !== "string" || sql.trim() === "")
    throw new ColdpathError("USAGE", 'expected a body such as {"sql": "SELECT 1"}');
  requireQuestion(sql);
  return sql;
}
