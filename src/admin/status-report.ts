import { packageVersion } from "../base/version.js";
import type { Normaliser } from "../intake/normalise/normaliser.js";
import type { Live, LiveReport } from "../live/live.js";

/** What `GET /api/status` answers. */
export interface StatusReport extends LiveReport {
  /** Unix seconds. */
  readonly at: number;
  readonly service: {
    readonly version: string;
    readonly pid: number;
    /** Unix seconds. */
    readonly startedAt: number;
    readonly uptimeSeconds: number;
    readonly adminUrl: string;
  };
  /** Orders and fills remembered to complete the rows that follow. */
  readonly lives: ReturnType<Normaliser["stats"]>;
}

/** Makes the report of a service that starts now. @param adminUrl known once somebody can ask */
export function statusReports(parts: {
  readonly live: Pick<Live, "report">;
  readonly normaliser: Normaliser;
  readonly adminUrl: () => string;
}): () => StatusReport {
  const version = packageVersion();
  const startedAt = Date.now() / 1000;
  const startedMs = performance.now();
  return () => ({
    at: Date.now() / 1000,
    service: {
      version,
      pid: process.pid,
      startedAt,
      uptimeSeconds: (performance.now() - startedMs) / 1000,
      adminUrl: parts.adminUrl(),
    },
    ...parts.live.report,
    lives: parts.normaliser.stats(),
  });
}
