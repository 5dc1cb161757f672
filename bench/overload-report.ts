import type { Burned } from "../test/overload/stress/captures.js";
import type { Stressed } from "../test/overload/stress/stress.js";
import { median, quantile } from "./measure.js";
import type { Table } from "./report.js";

export interface Overload {
  readonly storm: Pick<Stressed, "samples" | "steps" | "timings" | "counted" | "account">;
  /** By speed; none where the recordings are not there. */
  readonly bursts: readonly { readonly name: string; readonly burned: Burned }[];
}

const MIB = 2 ** 20;
const shown = (rows: number): string => Math.round(rows).toLocaleString("en-US");

export function overloadTables({ storm, bursts }: Overload): Table[] {
  const tables = [phasesTable(storm), rowsTable(storm)];
  return bursts.length === 0 ? tables : [...tables, burstsTable(bursts)];
}

function phasesTable({ timings, samples }: Overload["storm"]): Table {
  const rows = timings.map(({ phase, seconds, rows, p50, p99, p999, durable }) => {
    const own = samples.filter((sample) => sample.phase === phase);
    const stored = (own.at(-1)?.stored ?? 0) - (own[0]?.stored ?? 0);
    const most = (of: (sample: (typeof own)[number]) => number): number => Math.max(0, ...own.map(of));
    return [
      phase,
      shown(rows / seconds),
      shown(stored / seconds),
      `${most(({ level }) => level)}`,
      shown(p50),
      shown(p99),
      shown(p999),
      durable.length === 0 ? "–" : shown(median(durable)),
      durable.length === 0 ? "–" : shown(quantile(durable, 1)),
      (most(({ memory }) => memory) / MIB).toFixed(1),
      (most(({ rssBytes }) => rssBytes) / MIB).toFixed(0),
    ];
  });
  const headings = [
    "phase",
    "offered/s",
    "stored/s",
    "highest level",
    "record() p50 ns",
    "p99 ns",
    "p99.9 ns",
    "durable() p50 ms",
    "longest ms",
    "rows held MiB",
    "process MiB",
  ];
  return { title: "A storm", headings, rows };
}

function rowsTable({ account }: Overload["storm"]): Table {
  const of = (rows: number): string[] => [shown(rows), `${((rows / account.offered) * 100).toFixed(2)} %`];
  const missing = Object.entries(account.byReason).sort(([, a], [, b]) => b - a);
  const rows = [
    ["offered", ...of(account.offered)],
    ["stored", ...of(account.stored)],
    ["told by `skipped` of those", ...of(account.skipped)],
    ...missing.map(([reason, count]) => [`data_gap ${reason}`, ...of(count)]),
    ["trades offered", ...of(account.tradesOffered)],
    ["trades stored", ...of(account.tradesStored)],
    ["trades that found no room in the ring", ...of(account.tradesRefused)],
    ["critical rows offered", shown(account.criticalOffered), ""],
    ["critical rows stored", shown(account.criticalStored), ""],
  ];
  return { title: "What became of the storm's rows", headings: ["market data", "rows", "share"], rows };
}

function burstsTable(bursts: Overload["bursts"]): Table {
  const rows = bursts.map(({ name, burned: { account, kinds, steps, seconds } }) => {
    const kept = (kind: string): string => {
      const { offered = 0, stored = 0 } = kinds[kind] ?? {};
      return offered === 0 ? "–" : `${((stored / offered) * 100).toFixed(1)} %`;
    };
    const told = Object.entries(account.byReason).map(([reason, count]) => `${reason} ${shown(count)}`);
    return [
      name,
      shown(account.offered),
      shown(account.offered / seconds),
      kept("quote"),
      kept("depth"),
      kept("trade"),
      `${Math.max(0, ...steps.map(({ to }) => to))}`,
      told.length === 0 ? "–" : told.join(", "),
    ];
  });
  const headings = [
    "speed",
    "rows",
    "rows/s",
    "quotes kept",
    "depth kept",
    "trades kept",
    "highest level",
    "data_gap rows",
  ];
  return { title: "Recorded bursts", headings, rows };
}
