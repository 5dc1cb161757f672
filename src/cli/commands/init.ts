import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import type { Command } from "commander";
import { ColdpathError } from "../../base/errors.js";
import { exampleFile } from "../../config/show.js";
import { Context } from "../context.js";
import { withExamples } from "../examples.js";

/** With its parents. Where nothing can be made, as in /proc, Node would try it for ever if it were asked for all at once. */
function makeFolder(dir: string): void {
  if (existsSync(dir)) return;
  makeFolder(dirname(resolve(dir)));
  mkdirSync(dir);
}

export function registerInit(program: Command): void {
  const init = program
    .command("init")
    .argument("[dir]", "folder to write into", ".")
    .description("write a commented coldpath.yaml and say what to do next")
    .action((dir: string, _options, command: Command) => {
      const context = new Context(command);
      const file = join(dir, "coldpath.yaml");
      if (existsSync(file))
        throw new ColdpathError("USAGE", `${file} exists already; remove it or name another folder`);
      makeFolder(dir);
      writeFileSync(file, exampleFile(), { flag: "wx" });
      const cd = relative(".", dir) === "" ? "" : `cd ${dir} && `;
      context.result(
        [
          `wrote ${file}`,
          "next:",
          `  ${cd}coldpath config check     check what you change`,
          `  ${cd}coldpath serve            start the recorder, with ClickHouse embedded`,
          `  ${cd}coldpath ingest FILE --table market_data --map MAPPING.yaml`,
        ].join("\n"),
        { file },
      );
    });
  withExamples(init, [
    ["coldpath init", "into this folder"],
    ["coldpath init desk-1", "into another one, made if absent"],
  ]);
}
