import type { FastifyInstance } from "fastify";
import type { Logger } from "pino";
import { ColdpathError, type ErrorCode, messageOf } from "../base/errors.js";

/** The body of every answer that is no success. */
export interface Failure {
  readonly error: { readonly message: string };
}

export function failure(message: string): Failure {
  return { error: { message } };
}

/** Answers what a route throws, and what no route is for. */
export function answerFailures(app: FastifyInstance, log: Pick<Logger, "error">): void {
  app.setErrorHandler((error, { method, url }, reply) => {
    const status = (error as { statusCode?: number }).statusCode ?? statusOf(error);
    if (status === 500) log.error({ event: "request_failed", method, url, err: error });
    // What is made for people helps whoever asks; of a fault of ours the log alone tells.
    const isTold = status !== 500 || error instanceof ColdpathError;
    void reply.code(status).send(failure(isTold ? messageOf(error) : "internal error"));
  });
  app.setNotFoundHandler(({ method, url }, reply) =>
    reply.code(404).send(failure(`there is no ${method} ${url}`)),
  );
}

/** Operating errors that are no fault of the service. */
const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  USAGE: 400,
  TABLE_UNKNOWN: 404,
  DEAD_LETTERS_LOCKED: 409,
  WAL_ABSENT: 404,
  WAL_LOCKED: 409,
  CLICKHOUSE_ANSWER: 502,
  CLICKHOUSE_UNREACHABLE: 503,
  DEADLINE: 503,
  RECORDER_CLOSED: 503,
};

function statusOf(error: unknown): number {
  return (error instanceof ColdpathError ? STATUS[error.code] : undefined) ?? 500;
}
