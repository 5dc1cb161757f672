import type { ClickHouse } from "../clickhouse/client.js";
import type { Config } from "../config/schema.js";
import { Normaliser } from "../intake/normalise/normaliser.js";
import { alone } from "../letters/alone.js";
import { retryLetters } from "../letters/retry.js";
import type { TableRetry } from "../letters/table-retry.js";
import { deadLettersFolder, walFolder } from "./open.js";

/**
 * Tries dead letters again as this configuration records rows, beside its recorder if one runs.
 * @throws ColdpathError DEAD_LETTERS_LOCKED, and what `retryLetters` throws
 */
export async function retryLettersOf(
  config: Config,
  clickhouse: ClickHouse,
  ids: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<TableRetry[]> {
  const folder = deadLettersFolder(config);
  return await alone(folder, () =>
    retryLetters({
      folder,
      ids,
      log: walFolder(config),
      clickhouse,
      recorder: config.recorder.id,
      env: config.recorder.env,
      accept: config.accept,
      normaliser: new Normaliser({ depth: config.tables.market_data.policy.depth }),
      waitsForQuorum: (table) =>
        config.tables[table]?.class === "critical" && config.clickhouse.cluster !== undefined,
      signal,
    }),
  );
}
