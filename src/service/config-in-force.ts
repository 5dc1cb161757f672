import { messageOf } from "../base/errors.js";
import { ConfigError } from "../config/issues.js";
import type { LoadedConfig } from "../config/load.js";
import { type ChangedValue, planReload, type ReloadReport } from "../config/reload.js";
import type { Config } from "../config/schema.js";
import type { EventLevel, Told } from "../live/recent-events.js";
import type { Recorder, RecorderChange } from "../recorder.js";
import { requirePolicyColumns } from "./policy-columns.js";

interface ConfigInForceOptions {
  /** What the service was started with. */
  readonly loaded: LoadedConfig;
  /** Reads the configuration again, as it was read at the start. @throws ConfigError */
  readonly load: () => LoadedConfig;
  readonly recorder: Pick<Recorder, "change" | "note" | "table">;
  readonly setLogLevel: (level: string) => void;
  /** Told of each reload, and of each that was refused. */
  readonly tell: (told: Told) => void;
}

/** The configuration of a running service, and how it comes to be another. */
export class ConfigInForce {
  readonly #options: ConfigInForceOptions;
  #loaded: LoadedConfig;

  constructor(options: ConfigInForceOptions) {
    this.#options = options;
    this.#loaded = options.loaded;
  }

  /** What is in force, each value with its origin. */
  get loaded(): LoadedConfig {
    return this.#loaded;
  }

  /**
   * Reads the configuration again and applies what can be; in one step, so that two never mix. A configuration with mistakes changes nothing.
   *
   * @param by who wants it, for the log and `system_events`
   * @throws ConfigError with all its mistakes, and ColdpathError RECORDER_CLOSED
   */
  reload(by: string): ReloadReport {
    const { load, recorder, setLogLevel } = this.#options;
    try {
      const { inForce, applied, needsRestart } = planReload(this.#loaded, load());
      const tables = Object.keys(inForce.config.tables).map((name) => recorder.table(name).table);
      requirePolicyColumns(inForce.config.tables, tables);
      recorder.change(recorderChange(inForce.config, applied));
      this.#loaded = inForce;
      setLogLevel(inForce.config.log.level);
      const { warnings } = inForce;
      const level = needsRestart.length > 0 || warnings.length > 0 ? "warn" : "info";
      const message = `reloaded: ${sentence({ applied, needsRestart })}`;
      this.#tell(level, message, { by, applied, needsRestart, warnings });
      return { applied, needsRestart };
    } catch (error) {
      const issues = error instanceof ConfigError ? error.issues : [];
      this.#tell("error", `not reloaded, nothing has changed: ${messageOf(error)}`, { by, issues });
      throw error;
    }
  }

  #tell(
    level: EventLevel,
    message: string,
    fields: Readonly<Record<string, unknown>> & { by: string },
  ): void {
    const { recorder, tell } = this.#options;
    tell({ kind: "reload", level, message, fields });
    const severity = level === "warn" ? "warning" : level;
    const attributes = { by: fields.by };
    recorder.note({ ts: new Date(), kind: "reload", severity, component: "config", message, attributes });
  }
}

/** What the recorder has to know of it. */
function recorderChange(config: Config, applied: readonly ChangedValue[]): RecorderChange {
  const paths = applied.map(({ path }) => path);
  const tables = Object.entries(config.tables).map(([name, { flush, policy, degrade }]) => {
    const has = (key: string): boolean =>
      paths.some((path) => `${path}.`.startsWith(`tables.${name}.${key}.`));
    return [
      name,
      {
        ...(has("flush") ? { flush } : {}),
        ...(has("policy") ? { policy } : {}),
        ...(has("degrade") ? { degrade } : {}),
      },
    ] as const;
  });
  return {
    tables: Object.fromEntries(tables.filter(([, change]) => Object.keys(change).length > 0)),
    conditions: config.conditions,
  };
}

function sentence({ applied, needsRestart }: ReloadReport): string {
  const list = (changes: readonly ChangedValue[]): string =>
    changes.map(({ path, from, to }) => `${path} ${from ?? "none"} → ${to ?? "none"}`).join(", ");
  const parts = [
    applied.length === 0 ? "nothing has changed at once" : list(applied),
    ...(needsRestart.length === 0 ? [] : [`waiting for a restart: ${list(needsRestart)}`]),
  ];
  return parts.join("; ");
}
