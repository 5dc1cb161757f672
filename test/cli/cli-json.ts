import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { z } from "zod";

/** Fails unless this is the JSON that the committed schema of the command promises; gives it parsed. */
export function promised(command: string, text: string): unknown {
  const file = `docs/reference/cli-json/${command.replaceAll(" ", "-")}.json`;
  const schema = z.fromJSONSchema(JSON.parse(readFileSync(file, "utf8")));
  const value: unknown = JSON.parse(text);
  const { error } = schema.safeParse(value);
  assert.equal(
    error === undefined ? "" : z.prettifyError(error),
    "",
    `${command} --json: ${text.slice(0, 2000)}`,
  );
  return value;
}
