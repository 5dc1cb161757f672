import type { FastifyInstance } from "fastify";
import type { Registry } from "prom-client";

export type Scraped = Pick<Registry, "metrics" | "contentType">;

/** `GET /metrics`, in the text format of Prometheus. */
export function metricsRoute(app: FastifyInstance, registry: Scraped): void {
  app.get("/metrics", async (_request, reply) => {
    const text = await registry.metrics();
    return reply.type(registry.contentType).header("cache-control", "no-store").send(text);
  });
}
