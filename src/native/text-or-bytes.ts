import { isUtf8 } from "node:buffer";

/** Bytes as text if they are UTF-8, else a copy of them. */
export function textOrBytes(bytes: Buffer): string | Uint8Array {
  return isUtf8(bytes) ? bytes.toString() : Uint8Array.from(bytes);
}
