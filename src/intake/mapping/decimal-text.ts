/** Moves decimal points in text, where nothing is lost that a double would lose. */

/** What becomes of digits below the smallest unit. */
export type FractionRule = "refuse" | "round" | "truncate";

/**
 * The whole part of a plain decimal text (`46.2042`, `-0.5`) times 10^places: digits with a minus sign if negative.
 * Undefined if the text is no such number; null if digits are left below one unit and the rule refuses them. `truncate`
 * cuts them off (towards zero), `round` goes to the nearest unit, half away from zero.
 */
export function wholeUnits(text: string, places: number, rule: FractionRule): string | undefined | null {
  const match = /^(-?)(\d+)(?:\.(\d*))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign, whole, fraction = ""] = match;
  const digits = `${whole}${fraction.slice(0, places).padEnd(places, "0")}`;
  const rest = fraction.slice(places);
  if (/^0*$/.test(rest) || rule === "truncate") return `${sign}${digits}`;
  if (rule === "refuse") return null;
  return `${sign}${rest >= "5" ? (BigInt(digits) + 1n).toString() : digits}`;
}

/** A number as text times 10^places, exactly; text that is no number comes back as it is, for its column to refuse. */
export function shifted(text: string, places: number): string {
  if (places < 0 && /^\d+$/.test(text)) {
    const padded = text.padStart(1 - places, "0");
    return `${padded.slice(0, places)}.${padded.slice(places)}`;
  }
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d{1,6}))?$/.exec(text);
  return match === null ? text : `${match[1]}e${Number(match[2] ?? 0) + places}`;
}
