import type { FastifyInstance, FastifyReply } from "fastify";
import { durationText } from "../base/duration-text.js";
import type { Live } from "../live/live.js";
import type { Recorder } from "../recorder.js";

export interface HealthRoutesOptions {
  readonly recorder: Pick<Recorder, "stats" | "table">;
  readonly live: Pick<Live, "notLanding">;
}

/**
 * For who asks by status alone: `GET /healthz` the process is up, `/readyz` rows are taken under the promises of their tables, `/landingz`
 * they land in ClickHouse.
 */
export function healthRoutes(app: FastifyInstance, { recorder, live }: HealthRoutesOptions): void {
  app.get("/healthz", (_request, reply) => answer(reply, []));
  app.get("/readyz", (_request, reply) => {
    // A best-effort table at its limit drops its oldest rows and tells of it, as was promised.
    const refusing = Object.entries(recorder.stats().tables).flatMap(([name, table]) =>
      table.class === "critical" && recorder.table(name).full ? [name] : [],
    );
    return answer(reply, refusing.length === 0 ? [] : [`at their limit: ${refusing.join(", ")}`]);
  });
  app.get("/landingz", (_request, reply) =>
    answer(
      reply,
      live.notLanding.map(
        ({ table, rows, seconds }) =>
          `${rows} rows of ${table} wait, none was stored for ${durationText(seconds)}`,
      ),
    ),
  );
}

function answer(reply: FastifyReply, complaints: readonly string[]): FastifyReply {
  const lines = complaints.length === 0 ? ["ok"] : complaints;
  return reply
    .code(complaints.length === 0 ? 200 : 503)
    .type("text/plain; charset=utf-8")
    .send(`${lines.join("\n")}\n`);
}
