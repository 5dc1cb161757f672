import { messageOf } from "../base/errors.js";

/** A report that cannot end the recorder: what it throws becomes a warning of the process. */
export function guardedReport<E extends { readonly kind: string }>(
  report: (event: E) => void,
): (event: E) => void {
  return (event) => {
    try {
      report(event);
    } catch (error) {
      process.emitWarning(`the recorder's report threw on "${event.kind}": ${messageOf(error)}`);
    }
  };
}
