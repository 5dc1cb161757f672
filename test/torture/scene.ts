import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ConfigInput } from "../../src/config/schema.js";
import type { EngineContext, TestEngine } from "../support/engine.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { temporaryFolder } from "../support/folder.js";
import { startMigratedEngine } from "../support/migrated.js";
import { type Random, seeded } from "../support/random.js";
import { type Lane, type LaneOptions, LibraryLane, ServiceLane } from "./lanes.js";
import { CHECK_SQL, TABLES } from "./rows.js";
import { WEAKEN_ENV, type Weakening } from "./weakened.js";

/** An engine, and recorders that share it, each in a folder of its own. */
export interface Scene extends TestEngine {
  /** Between recorders and engine. */
  readonly proxy: FaultProxy;
  readonly lanes: readonly Lane[];
  readonly randomOf: (name: string) => Random;
}

export type LaneKind = "library" | "service";

export interface SceneOptions {
  readonly seed: number;
  readonly lanes: readonly LaneKind[];
  readonly rowsPerSecond?: number;
  /** Of so many system events ClickHouse refuses one, and one more while it is young. Default none. */
  readonly poisonEvery?: number;
  /** Without the proxy between: a recorder sees at once that nobody listens. */
  readonly direct?: boolean;
  /** What the recorders have to do without. */
  readonly weakened?: readonly Weakening[];
}

const ROWS_PER_SECOND = 3000;

/** Small batches and small segments that go soon: much happens in a short life. */
const HURRY = { flush: { rows: 300, age: "20ms" } };
const LOG = { segment: "1MiB", keep_acked: "1s", max: "16MiB", reserve: "1MiB" };

export async function openScene(t: EngineContext, options: SceneOptions): Promise<Scene> {
  const test = await startMigratedEngine(t);
  const { engine, clickhouse } = test;
  await clickhouse.command(`ALTER TABLE system_events ADD CONSTRAINT torture CHECK ${CHECK_SQL}`);
  const proxy = await FaultProxy.start(t, engine.url);
  const root = await temporaryFolder(t);
  let lives = 0;
  const base = (name: string): LaneOptions => {
    const folder = join(root, name);
    mkdirSync(folder);
    const config: ConfigInput = {
      recorder: { id: name },
      data_dir: folder,
      clickhouse: { url: options.direct === true ? engine.url : proxy.url, database: "coldpath" },
      admin: { listen: "127.0.0.1:0" },
      tables: Object.fromEntries(TABLES.map((table) => [table, HURRY])),
      ...(options.direct === true ? {} : { wal: LOG }),
    };
    const configFile = join(folder, "coldpath.yaml");
    // JSON is YAML.
    writeFileSync(configFile, JSON.stringify(config));
    return {
      name,
      folder,
      config,
      configFile,
      env: {
        COLDPATH_CLICKHOUSE_PASSWORD: engine.password,
        [WEAKEN_ENV]: (options.weakened ?? []).join(),
      },
      nextLife: () => (lives += 1),
      poisonEvery: options.poisonEvery ?? 0,
    };
  };
  const randomOf = (name: string): Random => seeded(options.seed ^ hashOf(name));
  const lanes = options.lanes.map((kind) => {
    const rowsPerSecond = options.rowsPerSecond ?? ROWS_PER_SECOND;
    return kind === "library"
      ? new LibraryLane({ ...base(kind), rowsPerSecond })
      : new ServiceLane(base(kind), randomOf("requests"));
  });
  return { ...test, proxy, lanes, randomOf };
}

function hashOf(name: string): number {
  let hash = 0;
  for (const char of name) hash = (Math.imul(hash, 31) + char.charCodeAt(0)) | 0;
  return hash;
}
