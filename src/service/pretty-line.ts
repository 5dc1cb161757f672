/** What every line has; the rest is what the event is about. */
interface LogLine {
  readonly level: number;
  readonly time: string;
  readonly event?: string;
  readonly msg?: string;
}

/** pino's numbers. */
const LEVELS: Readonly<Record<number, string>> = { 20: "debug", 30: "info", 40: "warn", 50: "error" };
const LEVEL_WIDTH = 5;

/** A line of the log for people: time, level, event, message, and the fields as `key=value`, of which none can act on a terminal. */
export function prettyLine(json: string): string {
  const { level, time, event, msg, ...fields } = JSON.parse(json) as LogLine;
  const parts = [
    time,
    (LEVELS[level] ?? String(level)).padEnd(LEVEL_WIDTH),
    ...(event === undefined ? [] : [event]),
    ...(msg === undefined ? [] : [msg]),
    ...Object.entries(fields).map(([key, value]) => `${key}=${valueText(value)}`),
  ];
  return `${parts.join(" ").replace(/\p{Cc}/gu, escaped)}\n`;
}

/** A word as it is, all else as JSON. */
function valueText(value: unknown): string {
  return typeof value === "string" && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
