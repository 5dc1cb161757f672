import { parseObject } from "./json.js";
import { LineError } from "./line-error.js";
import { BadLine, type Line } from "./lines.js";
import type { ReadRecord, RecordReader } from "./record-reader.js";

/** One JSON object a line; blank lines are no records. */
export class NdjsonReader implements RecordReader {
  #nextLine = 1;

  read(lines: readonly Line[]): ReadRecord[] {
    const records: ReadRecord[] = [];
    for (const line of lines) {
      const number = this.#nextLine++;
      if (line instanceof BadLine) {
        records.push({ line: number, raw: line.raw, value: new LineError(line.reason) });
      } else if (line !== "" && line.trim() !== "") {
        records.push({ line: number, raw: line, value: objectOf(line) });
      }
    }
    return records;
  }

  end(): ReadRecord[] {
    return [];
  }
}

function objectOf(line: string): Record<string, unknown> | LineError {
  try {
    return parseObject(line);
  } catch (error) {
    if (error instanceof LineError) return error;
    throw error;
  }
}
