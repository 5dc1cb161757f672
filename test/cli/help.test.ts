import assert from "node:assert/strict";
import { test } from "node:test";
import type { Command } from "commander";
import { examplesOf } from "../../src/cli/examples.js";
import { buildProgram } from "../../src/cli/program.js";
import { cli } from "../support/cli.js";
import { wordsOf } from "../support/tour.js";
import { promised } from "./cli-json.js";

function commandsOf(command: Command): Command[] {
  return [command, ...command.commands.flatMap(commandsOf)];
}

/** The command that these words call, and what is left of them. */
function called(program: Command, words: readonly string[]): { command: Command; unknown: string[] } {
  let command = program;
  let left = [...words];
  for (;;) {
    const { operands, unknown } = command.parseOptions(left);
    const next = command.commands.find((each) => each.name() === operands[0]);
    if (next === undefined) return { command, unknown };
    command = next;
    left = [...operands.slice(1), ...unknown];
  }
}

test("every command has a description and examples that call it with options it knows", async () => {
  const program = await buildProgram();
  const commands = commandsOf(program);
  assert.ok(commands.length > 20, "the tree was walked");
  for (const command of commands) {
    assert.notEqual(command.description(), "", command.name());
    assert.ok(examplesOf(command).length > 0, `${command.name()} has no example`);
    for (const [line] of examplesOf(command)) {
      // A shell may do something with what it prints.
      const [name, ...words] = wordsOf(/coldpath [^()>]*/.exec(line)![0]);
      assert.equal(name, "coldpath");
      const found = called(await buildProgram(), words);
      assert.deepEqual(found.unknown, [], line);
      if (command.commands.length === 0) assert.equal(found.command.name(), command.name(), line);
    }
  }
});

test("help shows the examples, and has colours only if they are asked for", async () => {
  const plain = await cli(["wal", "inspect", "--help"], ".");
  assert.equal(plain.code, 0);
  assert.match(plain.stdout, /^Examples:\n {2}# .*\n {2}coldpath wal inspect --table orders/m);
  assert.match(plain.stdout, /^Global Options:$/m);
  assert.ok(!plain.stdout.includes("\u001b"), "NO_COLOR is set");
});

test("with --json wrong usage is told as JSON, too", async () => {
  for (const [words, message] of [
    [["flsh"], /^unknown command 'flsh'/],
    [["wal", "inspect", "--nope"], /^unknown option '--nope'/],
    [["wal"], /^name a command$/],
  ] as const) {
    const { code, stdout, stderr } = await cli(["--json", ...words], ".");
    assert.deepEqual([code, stdout], [2, ""], words.join(" "));
    const told = promised("error", stderr) as { error: { code: string; message: string } };
    assert.equal(told.error.code, "USAGE");
    assert.match(told.error.message, message);
  }
});
