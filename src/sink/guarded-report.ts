import { messageOf } from "../base/errors.js";
import type { Report } from "./events.js";

/** A report that cannot end the recorder: what it throws becomes a warning of the process. */
export function guardedReport(report: Report): Report {
  return (event) => {
    try {
      report(event);
    } catch (error) {
      process.emitWarning(`the recorder's report threw on "${event.kind}": ${messageOf(error)}`);
    }
  };
}
