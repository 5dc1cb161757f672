import { z } from "zod";
import { parseDuration } from "../../base/units.js";
import { isFormat } from "./time-format.js";
import { isZone } from "./zone.js";

/**
 * The mapping file, declared once. Every scalar is read as text, so no constant loses a digit and `no` is not false.
 * `docs/reference/mapping.md` explains each key.
 */

const HALF_DAY_MS = 12 * 3600 * 1000;

const name = z.string({ error: "a name" }).min(1, { error: "a name" });
const character = z.string().regex(/^[^\r\n]$/, { error: 'one character, such as ";" or "\\t"' });

/** A text that the mapping gives, or `{ file: GROUP }` for one that the file's name gives. */
const orFromName = (plain: z.ZodType<string>, what: string) =>
  z.union([plain.transform((text) => ({ text })), z.strictObject({ file: name })], {
    error: `${what}, or { file: NAME } for a part of the file's name`,
  });

const values = z.record(z.string(), z.string(), { error: "source texts with the text each becomes" });

const scale = z
  .string()
  .regex(/^1e[+-]?\d{1,2}$/, { error: "a power of ten such as 1e-8" })
  .transform((text) => Number(text.slice(2)));

const change = {
  values: values.optional(),
  case: z.enum(["upper", "lower"]).optional(),
  scale: scale.optional(),
};

/** What a column is made of; the key that names the kind is its first. */
const KINDS = {
  from: z.strictObject({ from: name, ...change }),
  file: z.strictObject({ file: name, values: change.values, case: change.case }),
  constant: z.strictObject({ constant: z.string({ error: "one text or number" }) }),
  array: z.strictObject({
    array: z
      .union([name, z.array(name).min(1)], { error: "columns, as a list or as name_{1..10}" })
      .transform((given) => (typeof given === "string" ? expandRange(given) : given)),
    scale: change.scale,
  }),
  time: z
    .strictObject({
      time: name,
      unit: z.enum(["s", "ms", "us", "ns"]).optional(),
      format: z
        .string()
        .refine(isFormat, { error: "built of YYYY MM DD HH mm ss f Z and separators" })
        .optional(),
      fraction: z.enum(["refuse", "round", "truncate"]).prefault("refuse"),
      date: orFromName(name, "a column").optional(),
      date_format: z.string().refine(isFormat, { error: "built of YYYY MM DD and separators" }).optional(),
      zone: orFromName(
        z.string().refine(isZone),
        "a time zone such as UTC, UTC-5 or America/New_York",
      ).optional(),
      dst: z.enum(["refuse", "earlier", "later"]).prefault("refuse"),
      rollover: z
        .string()
        .transform((text) => parseDuration(text) ?? Number.NaN)
        .refine((ms) => ms <= HALF_DAY_MS, { error: "a duration up to 12h" })
        .optional(),
    })
    .superRefine((time, context) => {
      for (const [path, message] of contradictions(time)) {
        context.addIssue({ code: "custom", path: [path], message, params: { whole: true } });
      }
    }),
} as const;

type Kind = keyof typeof KINDS;

/** How one column is made, after checks. */
export type ColumnSpec = { [K in Kind]: { readonly kind: K } & Readonly<z.output<(typeof KINDS)[K]>> }[Kind];
export type TimeSpec = Extract<ColumnSpec, { kind: "time" }>;

interface TimeKeys {
  readonly unit?: string | undefined;
  readonly format?: string | undefined;
  readonly date?: { readonly text: string } | { readonly file: string } | undefined;
  readonly date_format?: string | undefined;
  readonly zone?: unknown;
  readonly rollover?: number | undefined;
}

function* contradictions(time: TimeKeys): Generator<[key: string, message: string]> {
  if (time.unit !== undefined && time.format !== undefined) {
    yield ["format", "is for text, not beside unit"];
    return;
  }
  const hasDate = (format: string | undefined): boolean => format?.includes("YYYY") ?? true;
  if (!hasDate(time.date_format)) yield ["date_format", "has no YYYY"];
  if (time.date === undefined) {
    if (!hasDate(time.format)) yield ["format", "has no YYYY, and there is no date"];
    if (time.unit !== undefined && time.zone !== undefined) yield ["zone", "is not for a count since 1970"];
    if (time.date_format !== undefined) yield ["date_format", "needs date"];
    if (time.rollover !== undefined) yield ["rollover", "needs date: { file: … }"];
    if (time.format !== undefined && !time.format.includes("Z") && time.zone === undefined) {
      yield ["zone", "is needed: the format has no offset"];
    }
  } else {
    if (time.format?.includes("YYYY")) yield ["format", "has a date, and date gives another one"];
    if (time.zone === undefined) yield ["zone", "is needed with date; UTC if the times are UTC"];
    if (time.rollover !== undefined && !("file" in time.date)) yield ["rollover", "needs date: { file: … }"];
  }
}

/** `bid_px_{1..10}` to its ten names. */
function expandRange(text: string): string[] {
  const match = /^(.*)\{(\d{1,4})\.\.(\d{1,4})\}(.*)$/.exec(text);
  if (match === null) return [text];
  const [from, to] = [Number(match[2]), Number(match[3])];
  return Array.from({ length: Math.max(to - from + 1, 0) }, (_, i) => `${match[1]}${from + i}${match[4]}`);
}

const column = z.unknown().transform((given, context): ColumnSpec => {
  const spec = typeof given === "string" ? { from: given } : given;
  const known = Object.keys(KINDS) as Kind[];
  const kinds = typeof spec === "object" && spec !== null ? known.filter((kind) => kind in spec) : [];
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) {
    const message = `a source column, or a group with exactly one of ${known.join(", ")}`;
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  }
  const result = KINDS[kind].safeParse(spec);
  if (result.success) return { kind, ...result.data } as ColumnSpec;
  for (const issue of result.error.issues) context.addIssue({ ...issue, path: [...issue.path] } as never);
  return z.NEVER;
});

const pattern = z.string().transform((text, context) => {
  try {
    return new RegExp(`^(?:${text})$`, "u");
  } catch {
    context.addIssue({ code: "custom", message: "a regular expression" });
    return z.NEVER;
  }
});

export const MAPPING_SCHEMA = z.strictObject({
  format: z.enum(["csv", "ndjson"]).optional(),
  csv: z
    .strictObject({
      delimiter: character.prefault(","),
      quote: character.prefault('"'),
      columns: z.array(name).min(1).optional(),
      missing: z.array(z.string()).prefault([]),
    })
    .refine(({ delimiter, quote }) => delimiter !== quote, {
      error: "two different characters",
      path: ["quote"],
    })
    .prefault({}),
  files: z
    .array(z.strictObject({ pattern, set: z.record(z.string(), z.string()).prefault({}) }))
    .min(1, { error: "at least one pattern" })
    .optional(),
  columns: z
    .record(z.string(), column, { error: "columns of the table with what each is made of" })
    .refine((columns) => Object.keys(columns).length > 0, { error: "at least one column" }),
  ignore: z.array(name).prefault([]),
});

export type Mapping = z.output<typeof MAPPING_SCHEMA>;

/** The keys allowed at a place of the file, for "did you mean". */
export function keysAt(path: readonly PropertyKey[], value: unknown): readonly string[] {
  if (path.length === 0) return Object.keys(MAPPING_SCHEMA.shape);
  if (path[0] === "csv") return Object.keys(MAPPING_SCHEMA.shape.csv.unwrap().shape);
  if (path[0] === "files") return ["pattern", "set"];
  if (path[0] !== "columns" || path.length !== 2) return [];
  const kind = Object.keys(KINDS).find(
    (each) => typeof value === "object" && value !== null && each in value,
  );
  return kind === undefined ? [] : Object.keys(KINDS[kind as Kind].shape);
}
