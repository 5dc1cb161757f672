import { ColdpathError, messageOf } from "../base/errors.js";

/** The part of the `chdb` package that is used. Its own types are not: the package is optional. */
export interface ChdbModule {
  readonly Session: new (
    path: string,
    options?: { readonly connectionArgs?: readonly string[] },
  ) => ChdbSession;
}

export interface ChdbSession {
  /** Runs one statement at a time; rejects with the engine's exception text. */
  queryAsync(sql: string, options?: { readonly format?: string }): Promise<ChdbResult>;
  close(): void;
}

export interface ChdbResult {
  /** Seconds. */
  readonly elapsed: number;
  /** Rows of the result; for an INSERT, rows written. */
  readonly rowsRead: number;
  readonly bytesRead: number;
  bytes(): Uint8Array;
}

/** Loads the engine into this process. Only a process of its own may do so: in a worker thread it crashes. */
export async function loadChdb(): Promise<ChdbModule> {
  try {
    // Not a literal, so that coldpath compiles where the optional package has no build.
    const name: string = "chdb";
    const module = (await import(name)) as { default: ChdbModule };
    return module.default;
  } catch (cause) {
    throw new ColdpathError(
      "ENGINE_NOT_INSTALLED",
      `the embedded ClickHouse cannot be loaded (${firstLine(messageOf(cause))}). Install it with "npm install chdb" ` +
        "(Linux with glibc or macOS, x64 or arm64), or set clickhouse.url to use a server",
      { cause },
    );
  }
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0]!;
}
