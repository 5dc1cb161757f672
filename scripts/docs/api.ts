import assert from "node:assert";
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/**
 * The types of the package as one text, so that a change of what it offers is seen where it is reviewed: what each entry exports, and
 * what is reached through that. It reads the compiler's declaration files, whose statements each begin at the start of a line.
 */

const ROOT = join("dist", "src");

/** A declaration file: its statements by the names they declare, and where other names come from. */
interface Module {
  readonly statements: ReadonlyMap<string, string>;
  readonly imports: ReadonlyMap<string, Place>;
  readonly exports: ReadonlyMap<string, Place>;
  /** Files all exports of which are exported again. */
  readonly stars: readonly string[];
}

interface Place {
  readonly file: string;
  readonly name: string;
}

const NAMES = /^(?:import|export)(?: type)? \{([^}]*)\}(?: from "([^"]+)")?;$/s;
const DECLARED = /^(?:export )?(?:declare )?(?:abstract )?(?:class|interface|type|const|function|enum) (\w+)/;

/** The keys of the configuration have a page of their own, `docs/reference/config.md`, in a fraction of the length. */
const LEFT_OUT: ReadonlySet<string> = new Set(["CONFIG_SCHEMA"]);

const modules = new Map<string, Module>();

function moduleOf(file: string): Module {
  const known = modules.get(file);
  if (known !== undefined) return known;
  const read = readModule(file);
  modules.set(file, read);
  return read;
}

function readModule(file: string): Module {
  const text = readFileSync(file, "utf8").replace(/^\s*\/\*\*.*?\*\/\n/gms, "");
  const statements = new Map<string, string>();
  const imports = new Map<string, Place>();
  const exports = new Map<string, Place>();
  const stars: string[] = [];
  for (const statement of text.split(/\n(?=[a-z])/)) {
    const names = NAMES.exec(statement.trim());
    const star = /^export (?:type )?\* from "([^"]+)";$/.exec(statement.trim());
    const declared = DECLARED.exec(statement);
    if (star !== null) stars.push(fileAt(file, star[1]!));
    else if (names !== null) {
      const from = names[2];
      if (from !== undefined && !from.startsWith(".")) continue;
      const target = from === undefined ? file : fileAt(file, from);
      const into = statement.startsWith("import") ? imports : exports;
      for (const each of names[1]!.split(",").map((part) => part.trim().replace(/^type /, ""))) {
        if (each === "") continue;
        const [name, as = name] = each.split(" as ");
        into.set(as!, { file: target, name: name! });
      }
    } else if (declared !== null) {
      const [, name] = declared;
      // Overloads are several statements.
      const before = statements.get(name!);
      statements.set(name!, `${before === undefined ? "" : `${before}\n`}${statement.trim()}`);
      if (statement.startsWith("export")) exports.set(name!, { file, name: name! });
    }
  }
  return { statements, imports, exports, stars };
}

function fileAt(from: string, specifier: string): string {
  return join(dirname(from), specifier.replace(/\.js$/, ".d.ts"));
}

/** Where a name is declared that a file declares, imports or exports again; undefined for one that is not this package's. */
function declarationOf({ file, name }: Place): Place | undefined {
  const { statements, imports, exports, stars } = moduleOf(file);
  if (statements.has(name)) return { file, name };
  const next = imports.get(name) ?? exports.get(name);
  if (next !== undefined) return declarationOf(next);
  return stars.map((star) => declarationOf({ file: star, name })).find((found) => found !== undefined);
}

function exportedBy(file: string): Map<string, Place> {
  const { exports, stars } = moduleOf(file);
  return new Map([...stars.flatMap((star) => [...exportedBy(star)]), ...exports]);
}

/** The places of all names that a statement uses. */
function usedBy({ file, name }: Place): Place[] {
  const { statements, imports } = moduleOf(file);
  const text = statements.get(name)!;
  const words = new Set([...text.matchAll(/\b[A-Za-z_]\w*\b/g)].map(([word]) => word));
  const own = [...words].filter(
    (word) => word !== name && !LEFT_OUT.has(word) && (statements.has(word) || imports.has(word)),
  );
  const inline = [...text.matchAll(/import\("(\.[^"]+)"\)\.(\w+)/g)].map(([, from, used]) => ({
    file: fileAt(file, from!),
    name: used!,
  }));
  return [...own.map((used) => ({ file, name: used })), ...inline]
    .map(declarationOf)
    .filter((place) => place !== undefined);
}

function keyOf({ file, name }: Place): string {
  return `${relative(ROOT, file).replace(/\.d\.ts$/, ".ts")} ${name}`;
}

/** @param entries entry points of the package by name, each with its declaration file */
export function apiReport(entries: Readonly<Record<string, string>>): string {
  const seen = new Map<string, Place>();
  const sections = Object.entries(entries).map(([entry, file]) => {
    const exported = [...exportedBy(file)].map(([as, place]) => {
      const declared = declarationOf(place);
      assert(declared !== undefined, `${entry} exports ${as}, which is declared nowhere`);
      seen.set(keyOf(declared), declared);
      return `- ${as}${as === declared.name ? "" : ` (${declared.name})`}: ${keyOf(declared).split(" ")[0]}`;
    });
    return `## \`${entry}\`\n\n${exported.sort().join("\n")}\n`;
  });
  for (const place of seen.values())
    for (const used of usedBy(place)) if (!seen.has(keyOf(used))) seen.set(keyOf(used), used);
  const declarations = [...seen]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { file, name }]) => {
      return moduleOf(file).statements.get(name)!;
    });
  return `${sections.join("\n")}\n## Declarations\n\n\`\`\`ts\n${declarations.join("\n\n")}\n\`\`\`\n`;
}
