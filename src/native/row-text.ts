import type { Row } from "./block-column.js";

/** A row as one line of JSON for people to read: what JSON cannot say is text, so that nothing hides the rest. */
export function rowText(row: Row): string {
  return JSON.stringify(row, (_key, value: unknown) =>
    typeof value === "bigint" || (typeof value === "number" && !Number.isFinite(value))
      ? String(value)
      : value,
  );
}
