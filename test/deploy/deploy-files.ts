import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

export const DOCKER: string = join("deploy", "docker");
export const SYSTEMD: string = join("deploy", "systemd");

interface ComposeService {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: readonly string[] | Readonly<Record<string, { readonly condition: string }>>;
  readonly cpus?: number;
  readonly mem_limit?: string;
  readonly stop_grace_period?: string;
  readonly privileged?: boolean;
}

export interface Compose {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

export function yamlOf<T>(...path: readonly string[]): T {
  return parse(readFileSync(join(...path), "utf8")) as T;
}

/** Directives of a unit by section, those given several times in order. */
export function unitOf(file: string): Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> {
  const sections: Record<string, Record<string, string[]>> = {};
  let section = "";
  for (const line of readFileSync(file, "utf8").split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const head = /^\[(\w+)\]$/.exec(line);
    if (head !== null) {
      section = head[1]!;
      sections[section] = {};
      continue;
    }
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (key === undefined) throw new Error(`${file}: ${line}`);
    sections[section]![key] = [...(sections[section]![key] ?? []), value!];
  }
  return sections;
}

/** The instructions of a Dockerfile, stage by stage. */
export function stagesOf(file: string): { readonly name: string; readonly rest: string }[][] {
  const lines = readFileSync(file, "utf8")
    .replaceAll("\\\n", " ")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  const stages: { name: string; rest: string }[][] = [];
  for (const line of lines) {
    const at = line.indexOf(" ");
    const instruction = { name: line.slice(0, at), rest: line.slice(at + 1).trim() };
    if (instruction.name === "FROM") stages.push([]);
    stages.at(-1)!.push(instruction);
  }
  return stages;
}
