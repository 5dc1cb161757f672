import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ColdpathError, messageOf } from "../base/errors.js";
import { type Statement, splitStatements } from "./split.js";

/** Whose file it is: names of ours and of users may be the same. */
export type Origin = "coldpath" | "user";

/** Which file: a name and whose it is. */
export interface FileId {
  readonly origin: Origin;
  /** File name, such as `0001_market_data.sql`. */
  readonly name: string;
}

/** One SQL file, applied once, whole or statement by statement until it is whole. */
export interface Migration extends FileId {
  /** SHA-256 of its text in hexadecimal; line ends count as LF whatever a checkout made of them. */
  readonly checksum: string;
  /** Marked by a first line `-- breaking`: binaries that do not know the file must not write. */
  readonly breaking: boolean;
  readonly statements: readonly Statement[];
}

/** The files that come with this package. */
export const BUILT_IN_DIR: string = fileURLToPath(new URL("../../../schemas", import.meta.url));

/**
 * The built-in files in order of their names, then those of each user folder in order of theirs.
 * @throws ColdpathError CONFIG_INVALID for a folder or file that cannot be read or a name that appears twice,
 * MIGRATION_FAILED for text that cannot be divided into statements.
 */
export function readMigrations(
  userDirs: readonly string[] = [],
  builtInDir: string = BUILT_IN_DIR,
): Migration[] {
  const own = readFolder("coldpath", builtInDir);
  const users = userDirs.flatMap((dir) => readFolder("user", dir));
  const twice = users.find(
    (migration, index) => users.findIndex((each) => each.name === migration.name) < index,
  );
  if (twice !== undefined) {
    throw new ColdpathError(
      "CONFIG_INVALID",
      `schemas: two of the folders hold a file ${twice.name}; rename the one that was not applied yet`,
    );
  }
  return [...own, ...users];
}

function readFolder(origin: Origin, dir: string): Migration[] {
  try {
    return readdirSync(dir)
      .filter((name) => name.endsWith(".sql"))
      .sort()
      .map((name) => parseMigration(origin, name, readFileSync(join(dir, name), "utf8")));
  } catch (cause) {
    if (cause instanceof ColdpathError) throw cause;
    throw new ColdpathError("CONFIG_INVALID", `schemas: cannot read ${dir}: ${messageOf(cause)}`, { cause });
  }
}

function parseMigration(origin: Origin, name: string, content: string): Migration {
  const text = content.replaceAll("\r\n", "\n");
  try {
    return {
      origin,
      name,
      checksum: createHash("sha256").update(text).digest("hex"),
      breaking: /^-- breaking\b/.test(text),
      statements: splitStatements(text),
    };
  } catch (cause) {
    throw new ColdpathError("MIGRATION_FAILED", `${name}, ${messageOf(cause)}`, { cause });
  }
}

/** The statements of the files as one SQL text, as `coldpath migrate --print` shows it. */
export function printMigrations(migrations: readonly Migration[]): string {
  return migrations
    .map(({ name, statements }) => `-- ${name}\n\n${statements.map(({ text }) => `${text};\n`).join("\n")}`)
    .join("\n");
}
