import type { FastifyInstance } from "fastify";
import { ConfigError } from "../config/issues.js";
import type { LoadedConfig } from "../config/load.js";
import type { ReloadReport } from "../config/reload.js";
import { showConfig } from "../config/show.js";
import { failure } from "./failures.js";

/** The configuration of a running service. */
export interface ReloadableConfig {
  readonly loaded: LoadedConfig;
  /** @param by who wants it */
  reload(by: string): ReloadReport;
}

/** `POST /api/reload` reads the configuration again and tells what of it holds now; `GET /api/config` tells what is in force, secrets hidden. */
export function reloadRoute(app: FastifyInstance, config: ReloadableConfig): void {
  // The reload itself writes down who wanted it and what became of it.
  app.post("/api/reload", { config: { isAudited: false } }, (request, reply) => {
    try {
      return config.reload(`POST /api/reload from ${request.ip}`);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const { message, issues } = error;
      return reply.code(422).send({ ...failure(message), issues });
    }
  });
  app.get("/api/config", () => ({ values: showConfig(config.loaded) }));
}
