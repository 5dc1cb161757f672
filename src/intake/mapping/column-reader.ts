import { ValueError } from "../../native/block.js";
import { NumberText } from "../../native/number-text.js";
import { parseValue } from "../json.js";
import { LineError } from "../line-error.js";
import { shifted } from "./decimal-text.js";
import type { Reader } from "./record.js";

/** What a spec changes of a value on its way. */
export interface Changes {
  readonly values?: Readonly<Record<string, string>> | undefined;
  readonly case?: "upper" | "lower" | undefined;
  readonly scale?: number | undefined;
}

/** Whether a column holds text, so that an empty one is a value. */
export function isText(type: string): boolean {
  return /^(LowCardinality\()?(Nullable\()?(String|FixedString)/.test(type);
}

/** Whether a column's values have parts, which files of text write as JSON. */
function hasParts(type: string): boolean {
  return /^(Array|Map|Tuple|Nested)\(/.test(type);
}

/** `read`, then what the spec changes, then what the column's type needs of a file's texts. */
export function changingReader(column: string, type: string, read: Reader, changes: Changes): Reader {
  const { values, case: letters, scale } = changes;
  const steps: ((text: string) => string)[] = [];
  if (values !== undefined) steps.push(lookup(column, values));
  if (letters !== undefined)
    steps.push((text) => (letters === "upper" ? text.toUpperCase() : text.toLowerCase()));
  if (scale !== undefined) steps.push((text) => shifted(text, scale));
  if (steps.length > 0) {
    return (record) => {
      const value = read(record);
      if (value === undefined || value === null) return value;
      const text = plainText(value);
      if (text === undefined) throw new ValueError(column, "is neither a text nor a number", value);
      return steps.reduce((changed, step) => step(changed), text);
    };
  }
  if (hasParts(type)) return partsReader(column, read);
  // A number for a text column becomes its digits: the mapping says that it is an id, not a quantity.
  if (isText(type)) {
    return (record) => {
      const value = read(record);
      return value instanceof NumberText ? value.text : value;
    };
  }
  return read;
}

/** One value out of several columns. Empty places at the end are left out, one in between is refused. */
export function arrayReader(column: string, reads: readonly Reader[], scale: number | undefined): Reader {
  const elements = reads.map((read) => changingReader(column, "", read, { scale }));
  return (record) => {
    const array: unknown[] = [];
    for (let index = 0; index < elements.length; index += 1) {
      const value = elements[index]!(record);
      if (value === undefined || value === null) continue;
      if (index > array.length) throw new ValueError(column, "comes after an empty place", value);
      array.push(value);
    }
    return array;
  };
}

function lookup(column: string, values: Readonly<Record<string, string>>): (text: string) => string {
  const known = new Map(Object.entries(values));
  return (text) => {
    const value = known.get(text);
    if (value === undefined) throw new ValueError(column, "is not among the mapping's values", text);
    return value;
  };
}

/** A text that is JSON; values that have parts already are left as they are. */
function partsReader(column: string, read: Reader): Reader {
  return (record) => {
    const value = read(record);
    if (typeof value !== "string") return value;
    try {
      return parseValue(value);
    } catch (error) {
      if (error instanceof LineError) throw new ValueError(column, `${error.message}`, value);
      throw error;
    }
  };
}

function plainText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (value instanceof NumberText) return value.text;
  return typeof value === "boolean" ? String(value) : undefined;
}
