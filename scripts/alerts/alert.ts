/** Writes a duration of so many seconds into a rule; for a proof with real faults all of them are shortened alike. */
export type Span = (seconds: number) => string;

/** Samples of a unit test, one a minute, in promtool's notation, and when the alert fires and when it does not. */
interface AlertCase {
  readonly series: Readonly<Record<string, string>>;
  /** Minutes at which it fires, and by which labels beside its own. */
  readonly fires: Readonly<Record<number, Readonly<Record<string, string>>>>;
  /** Minutes at which it does not. */
  readonly quiet: readonly number[];
}

export interface Alert {
  /** Also the name of its page under `docs/runbooks/`, in lower case with hyphens. */
  readonly name: `Coldpath${string}`;
  /** `critical`: rows that must not be lost are at stake, or nothing lands; `warning`: look at it today. */
  readonly severity: "critical" | "warning";
  /** One line with the labels of the alert filled in. */
  readonly summary: string;
  /** Seconds for which the expression holds before the alert fires. */
  readonly for: number;
  readonly expr: (span: Span) => string;
  readonly test: AlertCase;
}
