import { type Row, ValueError } from "../../native/block.js";
import type { Column, Table } from "../../schemas/table.js";
import type { CsvFields } from "../csv-fields.js";
import { LineError } from "../line-error.js";
import { settableColumns } from "../settable-columns.js";
import { misfitOf, sourcesUsed } from "./check.js";
import { arrayReader, changingReader, isText } from "./column-reader.js";
import type { NameParts } from "./file-name.js";
import { didYouMean, hint, MappingError, type MappingIssue } from "./mapping-error.js";
import { columnReader, type Reader, type SourceRecord, type SourceShape } from "./record.js";
import type { ColumnSpec, Mapping, TimeSpec } from "./schema.js";
import { timeReader } from "./time-reader.js";
import { isZone } from "./zone.js";

/** Makes rows of the records of one file, in file order. @throws ValueError or LineError for a record that is none. */
export type RowMaker = (record: SourceRecord) => Row;

/**
 * Compiles a mapping for one file, once for all its records. The mapping has no issues with the table.
 *
 * @throws MappingError if the file's columns or the parts of its name do not fit the mapping.
 */
export function compileMapping(
  mapping: Mapping,
  table: Table,
  source: { readonly shape: SourceShape; readonly parts: NameParts; readonly path: string },
): RowMaker {
  const { shape, parts } = source;
  const issues: MappingIssue[] = [];
  const used = sourcesUsed(mapping);
  if (shape.format === "csv") issues.push(...headerIssues(shape.header, used, mapping.ignore));
  const settable = settableColumns(table);
  const columns: [name: string, read: Reader][] = [];
  if (issues.length === 0) {
    for (const [name, spec] of Object.entries(mapping.columns)) {
      const context = { column: settable.get(name)!, shape, parts, issues };
      columns.push([name, readerOf(spec, context)]);
    }
  }
  if (issues.length > 0) throw new MappingError(`${source.path}, read with this mapping,`, issues);
  const check = shape.format === "csv" ? widthCheck(shape.header.length) : keyCheck(used, mapping.ignore);
  return (record) => {
    check(record);
    const row: Record<string, unknown> = {};
    for (const [name, read] of columns) {
      const value = read(record);
      if (value !== undefined) row[name] = value;
    }
    return row;
  };
}

interface ReaderContext {
  readonly column: Column;
  readonly shape: SourceShape;
  readonly parts: NameParts;
  readonly issues: MappingIssue[];
}

function readerOf(spec: ColumnSpec, context: ReaderContext): Reader {
  const { column, shape, parts } = context;
  const { name, type } = column;
  const source = (from: string): Reader => columnReader(shape, from, isText(type))!;
  switch (spec.kind) {
    case "from":
      return changingReader(name, type, source(spec.from), spec);
    case "file":
      return fixed(
        changingReader(name, type, () => parts[spec.file], spec),
        context,
      );
    case "constant":
      return fixed(
        changingReader(name, type, () => spec.constant, {}),
        context,
      );
    case "array":
      return arrayReader(name, spec.array.map(source), spec.scale);
    case "time":
      return timeOf(spec, context, source);
  }
}

function timeOf(spec: TimeSpec, context: ReaderContext, source: (from: string) => Reader): Reader {
  const { column, parts, issues } = context;
  const { date } = spec;
  const zone = spec.zone === undefined || "text" in spec.zone ? spec.zone?.text : parts[spec.zone.file];
  if (zone !== undefined && !isZone(zone)) {
    issues.push({ path: `columns.${column.name}.zone`, message: `${zone} is no time zone` });
    return () => undefined;
  }
  const dateReader =
    date === undefined ? undefined : "text" in date ? source(date.text) : () => parts[date.file];
  return attempt(context, () =>
    timeReader(column.name, spec, {
      time: source(spec.time),
      date: dateReader,
      dateIsFixed: date !== undefined && "file" in date,
      zone,
    }),
  );
}

/** A value that is the same for the whole file, made and checked once. */
function fixed(read: Reader, { column, issues }: ReaderContext): Reader {
  const misfit = misfitOf(column, read);
  if (misfit !== undefined) {
    issues.push({ path: `columns.${column.name}`, message: misfit });
    return read;
  }
  const value = read({});
  return () => value;
}

/** What goes wrong while a reader is made is a mistake of the mapping or the file's name, not of a row. */
function attempt(context: ReaderContext, make: () => Reader): Reader {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    const message = `${error.value} ${error.reason}`;
    context.issues.push({ path: `columns.${context.column.name}`, message });
    return () => undefined;
  }
}

function headerIssues(
  header: readonly string[],
  used: ReadonlySet<string>,
  ignore: readonly string[],
): MappingIssue[] {
  const known = new Set([...used, ...ignore]);
  const issues: MappingIssue[] = [];
  for (const [index, name] of header.entries()) {
    if (header.indexOf(name) !== index)
      issues.push({ path: "", message: `the file has two columns ${name}` });
    else if (!known.has(name)) {
      const message = `the file's column ${name} is neither mapped nor ignored`;
      issues.push({ path: "", message });
    }
  }
  for (const name of known) {
    if (!header.includes(name)) {
      issues.push({ path: "", message: `the file has no column ${name}${hint(name, header)}` });
    }
  }
  return issues;
}

function widthCheck(width: number): (record: SourceRecord) => void {
  return (record) => {
    const found = (record as CsvFields).texts.length;
    if (found === width) return;
    throw new LineError("has not as many fields as the file has columns", `${found} instead of ${width}`);
  };
}

function keyCheck(used: ReadonlySet<string>, ignore: readonly string[]): (record: SourceRecord) => void {
  const known = new Set([...used, ...ignore]);
  return (record) => {
    for (const key of Object.keys(record)) {
      if (known.has(key)) continue;
      throw new LineError("has a key that is neither mapped nor ignored", `${key}${didYouMean(key, known)}`);
    }
  };
}
