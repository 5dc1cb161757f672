import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { CliProcess } from "../support/cli.js";
import { startTestEngine } from "../support/engine.js";
import { temporaryFolder } from "../support/folder.js";

const SECRET = "Zq7-very-secret-42";
const { engine } = await startTestEngine({ after });

/** Something that quotes whatever it is sent, as an error page for developers does. */
const echo = createServer((incoming, outgoing) => {
  const text = `Code: 516. DB::Exception: ${JSON.stringify(incoming.headers)} (AUTHENTICATION_FAILED)`;
  outgoing.writeHead(500, { "x-clickhouse-exception-code": "516" }).end(text);
}).listen(0, "127.0.0.1");
await once(echo, "listening");
after(() => echo.close());

const PLACES = {
  "a ClickHouse that refuses it": engine.url,
  "something that quotes it": `http://127.0.0.1:${(echo.address() as AddressInfo).port}`,
};

for (const [place, url] of Object.entries(PLACES))
  test(`a password sent to ${place} is printed by no command`, async (t) => {
    const cwd = await temporaryFolder(t);
    const env = { COLDPATH_CLICKHOUSE_PASSWORD: SECRET, COLDPATH_CLICKHOUSE_URL: url };
    const commands = [["config", "show"], ["query", "SELECT 1"], ["migrate"], ["serve"]];
    const runs = await Promise.all(
      commands.map(async (args) => {
        const running = new CliProcess([...args, "--debug"], cwd, env);
        const cmdline = readFileSync(`/proc/${running.child.pid}/cmdline`, "utf8");
        return { args, cmdline, ...(await running.ended()) };
      }),
    );
    for (const { args, code, stdout, stderr, cmdline } of runs) {
      assert.equal(code, args[0] === "config" ? 0 : 1, `${args}: ${stderr}`);
      assert.ok(!`${stdout}${stderr}${cmdline}`.includes(SECRET), `${args}: ${stdout}${stderr}`);
      assert.notEqual(stdout + stderr, "");
    }
  });
