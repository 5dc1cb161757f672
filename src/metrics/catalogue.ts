import { HEALTH } from "./health.js";
import { LINK } from "./link.js";
import { LOG } from "./log.js";
import type { Metric } from "./metric.js";
import { OVERLOAD } from "./overload.js";
import { ROWS } from "./rows.js";

/**
 * Every metric of coldpath, in the order of a row's way. Names and labels are part of what is promised to users: the reference page is
 * generated from here, and dashboards, alerts and runbooks are checked against it.
 */
export const CATALOGUE: readonly Metric[] = [...ROWS, ...LINK, ...LOG, ...OVERLOAD, ...HEALTH];
