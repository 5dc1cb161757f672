import type { Readable } from "node:stream";
import { messageOf } from "../base/errors.js";
import { MIB } from "../base/units.js";
import { refusal } from "./exception.js";

const FORM_MAX = MIB;

/** Whether a body is a form, whose fields are parameters as those of the URL are. */
export function isForm(contentType: string | undefined): boolean {
  return contentType?.toLowerCase().startsWith("multipart/form-data") === true;
}

/** Reads the fields of a form. @throws ClickHouseError for files, too much, or what is no form */
export async function readForm(body: Readable, contentType: string): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > FORM_MAX) {
      throw refusal(
        36,
        "BAD_ARGUMENTS",
        `A form may have ${FORM_MAX} bytes; give data as the body of an INSERT.`,
      );
    }
  }
  const fields = new URLSearchParams();
  for (const [name, value] of await parse(Buffer.concat(chunks), contentType)) {
    if (typeof value !== "string") {
      throw refusal(
        48,
        "NOT_IMPLEMENTED",
        `External data is not supported (table ${name}); use a temporary table.`,
      );
    }
    fields.append(name, value);
  }
  return fields;
}

async function parse(bytes: Buffer, contentType: string): Promise<FormData> {
  try {
    return await new Response(bytes, { headers: { "content-type": contentType } }).formData();
  } catch (error) {
    throw refusal(
      36,
      "BAD_ARGUMENTS",
      `The body is not the form that its Content-Type says: ${messageOf(error)}.`,
    );
  }
}
