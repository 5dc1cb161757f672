import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { cli } from "../support/cli.js";
import { temporaryFolder } from "../support/folder.js";
import { absent, Terminal } from "../support/terminal.js";

const SHELLS = {
  bash: { command: ["bash", "--norc", "--noprofile"], first: "PS1='> '" },
  zsh: { command: ["zsh", "-f"], first: "PS1='> '; autoload -U compinit; compinit -u -D" },
  fish: { command: ["fish", "--no-config"], first: "function fish_prompt; echo -n '> '; end" },
} as const;

/** Each with what the Tab key makes of it. */
const LINES = [
  ["coldpath fl", "coldpath flush "],
  ["coldpath wal insp", "coldpath wal inspect "],
  ["coldpath wal inspect --ro", "coldpath wal inspect --rows "],
  ["coldpath --set wal.comm", "coldpath --set wal.commit="],
  ["coldpath ingest --format=cs", "coldpath ingest --format=csv "],
  ["coldpath -c x.yaml --set a=b flush ord", "coldpath -c x.yaml --set a=b flush orders "],
  ["coldpath ingest quo", "coldpath ingest quotes.csv "],
] as const;

for (const [shell, { command, first }] of Object.entries(SHELLS)) {
  const skip = absent("tmux", "-V") || absent(shell);
  test(`a person's Tab key completes in ${shell}`, { skip }, async (t) => {
    const cwd = await temporaryFolder(t);
    const { stdout } = await cli(["completion", shell], cwd);
    await writeFile(join(cwd, "script"), stdout);
    await writeFile(join(cwd, "quotes.csv"), "");
    const terminal = await Terminal.start(t, command, { columns: 100, rows: 30, cwd });
    terminal.keys(`${first}; source ./script; echo rea""dy`, "Enter");
    await terminal.shows(/^ready$/m);
    for (const [typed, completed] of LINES) {
      terminal.keys(typed, "Tab");
      // What is typed next shows where the completed word ends.
      terminal.keys("!");
      await terminal.shows(new RegExp(`^> ${completed.replaceAll(".", "\\.")}!`, "m"));
      terminal.keys("C-u");
    }
  });
}
