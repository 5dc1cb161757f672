import type { Command } from "commander";
import { Engine } from "../../engine/engine.js";
import { engineFolder, engineOptions } from "../../service/open.js";
import { Context, interruption } from "../context.js";
import { withExamples } from "../examples.js";
import { untilAborted } from "../until-aborted.js";

export function registerDb(program: Command): void {
  const db = program
    .command("db")
    .option("--listen <address>", "loopback address with port (default: engine.listen, or 127.0.0.1:8123)")
    .description("run only the embedded ClickHouse, over HTTP on loopback, until Ctrl-C")
    .action(async (options: { listen?: string }, command: Command) => {
      const context = new Context(command);
      const stop = interruption();
      const loaded = context.load(options.listen === undefined ? [] : [`engine.listen=${options.listen}`]);
      const listen =
        loaded.originOf("engine.listen") === "default" ? "127.0.0.1:8123" : loaded.config.engine.listen;
      const engine = await Engine.start(
        engineOptions({ ...loaded.config, engine: { ...loaded.config.engine, listen } }),
      );
      const { url, user } = engine;
      const secretFile = `${engineFolder(loaded.config)}/secret`;
      const key = `-H "X-ClickHouse-Key: $(cat ${secretFile})" `;
      context.result(
        [
          `ClickHouse is embedded at ${url} (Ctrl-C ends it)`,
          `  read:  curl ${loaded.config.engine.reader.enabled ? "" : key}'${url}/?query=SELECT+version()'`,
          `  write: curl ${key}'${url}/' --data-binary 'CREATE DATABASE mine'`,
          `  other clients: user ${user}, password in ${secretFile} (docs/reference/clients.md)`,
        ].join("\n"),
        { url, user, secretFile, brokenParts: engine.brokenParts },
      );
      if (engine.brokenParts.length > 0) {
        const parts = engine.brokenParts.join(", ");
        process.stderr.write(`damaged parts were put aside, their rows are missing: ${parts}\n`);
      }
      await untilAborted(stop);
      await engine.close();
    });
  withExamples(db, [
    ["coldpath db", "on 127.0.0.1:8123, where clients look for it"],
    ["coldpath db --listen 127.0.0.1:9000", "on another port"],
  ]);
}
