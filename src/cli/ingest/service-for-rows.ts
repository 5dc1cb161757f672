import type { StatusReport } from "../../admin/status-report.js";
import { ColdpathError } from "../../base/errors.js";
import { parseDuration, parseSize } from "../../base/units.js";
import type { LoadedConfig } from "../../config/load.js";
import { type ShownValue, showConfig } from "../../config/show.js";
import { unknownTable } from "../../recorder.js";
import type { RemoteRecorderOptions } from "../../remote/remote-recorder.js";
import { RunningService } from "../running-service.js";

/** What is to be known of a service before rows are handed to it. */
export interface ServiceForRows
  extends Pick<RemoteRecorderOptions, "post" | "maxBody" | "accept" | "recorder"> {
  readonly url: string;
}

/** Where rows end: a file's lines are looked for there. */
const DESTINATION = ["clickhouse.url", "clickhouse.database"];

/**
 * The service of this data folder, if one runs.
 * @throws ColdpathError SERVICE_ABSENT while it starts or ends, TABLE_UNKNOWN, USAGE if it stores rows elsewhere than this configuration says
 */
export async function serviceForRows(
  loaded: LoadedConfig,
  table: string,
): Promise<ServiceForRows | undefined> {
  const service = new RunningService(loaded);
  if (!service.isThere) return undefined;
  const { url } = service;
  const status = (await service.ask("GET", "/api/status")) as StatusReport | undefined;
  const config = (await service.ask("GET", "/api/config")) as
    | { readonly values: readonly ShownValue[] }
    | undefined;
  if (status === undefined || config === undefined)
    throw new ColdpathError(
      "SERVICE_ABSENT",
      `the service of this folder, at ${url}, is starting or ending: run it again when it has`,
    );
  if (!Object.hasOwn(status.tables, table)) throw unknownTable(table, Object.keys(status.tables));
  const its = valuesOf(config.values);
  const ours = valuesOf(showConfig(loaded));
  const other = DESTINATION.find((path) => its.get(path) !== ours.get(path));
  if (other !== undefined) {
    const [theirs, mine] = [its, ours].map((values) => values.get(other) ?? "none, the embedded ClickHouse");
    throw new ColdpathError(
      "USAGE",
      `${other}: the service at ${url} has ${theirs}, and this command ${mine}; give it what the service was started with`,
    );
  }
  return {
    url,
    recorder: status.recorder,
    maxBody: parseSize(its.get("intake.http.max_body")!)!,
    accept: {
      past: parseDuration(its.get("accept.past")!)!,
      future: parseDuration(its.get("accept.future")!)!,
    },
    post: (path, body, signal) => service.post(path, body, signal),
  };
}

function valuesOf(values: readonly ShownValue[]): ReadonlyMap<string, string | null> {
  return new Map(values.map(({ path, value }) => [path, value]));
}
