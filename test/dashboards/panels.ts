import { readFileSync } from "node:fs";

export interface ShippedPanel {
  readonly title: string;
  /** PromQL. */
  readonly exprs: readonly string[];
  readonly sql: readonly string[];
}

/** The panels of a dashboard as it is shipped, rows left out. */
export function panelsOf(name: string): ShippedPanel[] {
  const { panels } = JSON.parse(readFileSync(`deploy/grafana/${name}.json`, "utf8")) as {
    panels: readonly {
      type: string;
      title: string;
      targets?: readonly { expr?: string; rawSql?: string }[];
    }[];
  };
  return panels
    .filter(({ type }) => type !== "row")
    .map(({ title, targets = [] }) => ({
      title,
      exprs: targets.flatMap(({ expr }) => expr ?? []),
      sql: targets.flatMap(({ rawSql }) => rawSql ?? []),
    }));
}
