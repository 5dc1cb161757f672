import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { startTestEngine } from "../support/engine.js";
import { temporaryFolder } from "../support/folder.js";

const skip = spawnSync("curl", ["--version"]).status === 0 ? false : "there is no curl here";
const { engine } = await startTestEngine({ after });
/** Holds a `.curlrc` with the password, so that the commands below stand as the documentation of ClickHouse has them. */
const home = await temporaryFolder({ after });
await writeFile(join(home, ".curlrc"), `silent\nheader = "X-ClickHouse-Key: ${engine.password}"\n`);

interface Output {
  readonly code: number;
  readonly out: string;
}

/** Runs a shell command whose `localhost:8123` is the engine. */
function shell(command: string, { asOwner = true } = {}): Promise<Output> {
  const text = command.replaceAll("localhost:8123", new URL(engine.url).host);
  const env = { ...process.env, CURL_HOME: asOwner ? home : "/nonexistent", KEY: engine.password };
  return new Promise((resolve) => {
    execFile("bash", ["-c", `set -o pipefail\n${text}`], { cwd: home, env }, (error, stdout) =>
      resolve({ code: error === null ? 0 : Number(error.code), out: stdout }),
    );
  });
}

/** Runs commands and compares what each prints. */
async function prints(examples: Readonly<Record<string, string>>): Promise<void> {
  for (const [command, expected] of Object.entries(examples)) {
    assert.deepEqual(await shell(command), { code: 0, out: expected }, command);
  }
}

test("health checks answer Ok", { skip }, () =>
  prints({
    "curl 'http://localhost:8123/'": "Ok.\n",
    "curl 'http://localhost:8123/ping'": "Ok.\n",
    "curl 'http://localhost:8123/replicas_status'": "Ok.\n",
  }),
);

test("a query comes in the URL, in the body, or in both", { skip }, async () => {
  await prints({
    "curl 'http://localhost:8123/?query=SELECT%201'": "1\n",
    "echo 'SELECT 1' | curl 'http://localhost:8123/' --data-binary @-": "1\n",
    "echo 'SELECT 1' | curl 'http://localhost:8123/?query=' --data-binary @-": "1\n",
    "echo '1' | curl 'http://localhost:8123/?query=SELECT' --data-binary @-": "1\n",
    "echo 'SELECT number FROM system.numbers LIMIT 10' | curl 'http://localhost:8123/?' --data-binary @-":
      "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n",
    "curl -G 'http://localhost:8123/' --data-urlencode \"query=SELECT 'a b' || '&+'\"": "a b&+\n",
    "echo 'SELECT 5' > query.sql; curl 'http://localhost:8123/' --data-binary @query.sql": "5\n",
    "echo 'SELECT 6' | curl 'http://localhost:8123/' -X POST -T -": "6\n",
  });
  const broken = await shell("echo 'ECT 1' | curl 'http://localhost:8123/?query=SEL' --data-binary @-");
  assert.match(broken.out, /^Code: 62\. DB::Exception: Syntax error/);
});

test("the format is that of the statement, of the parameter or of the header", { skip }, () =>
  prints({
    "echo 'SELECT 1 FORMAT Pretty' | curl 'http://localhost:8123/?' --data-binary @-":
      "   ┏━━━┓\n   ┃ 1 ┃\n   ┡━━━┩\n1. │ 1 │\n   └───┘\n",
    "curl 'http://localhost:8123/?default_format=CSV' -d \"SELECT 1, 'a'\"": '1,"a"\n',
    "curl -H 'X-ClickHouse-Format: JSONEachRow' 'http://localhost:8123/' -d 'SELECT 1 AS a'": '{"a":1}\n',
    "curl 'http://localhost:8123/?query=SELECT+1,2,3+FORMAT+JSONCompact' | tr -d ' \\t\\n' | head -c 48":
      '{"meta":[{"name":"1","type":"UInt8"},{"name":"2"',
  }),
);

test("INSERT takes its rows from the statement's text, the body or both", { skip }, async () => {
  await prints({
    "echo 'CREATE TABLE t (a UInt8) ENGINE = Memory' | curl 'http://localhost:8123/' --data-binary @-": "",
    "echo 'INSERT INTO t VALUES (1),(2),(3)' | curl 'http://localhost:8123/' --data-binary @-": "",
    "echo '(4),(5),(6)' | curl 'http://localhost:8123/?query=INSERT%20INTO%20t%20VALUES' --data-binary @-":
      "",
    "echo '(7),(8),(9)' | curl 'http://localhost:8123/?query=INSERT%20INTO%20t%20FORMAT%20Values' --data-binary @-":
      "",
    "echo -ne '10\\n11\\n12\\n' | curl 'http://localhost:8123/?query=INSERT%20INTO%20t%20FORMAT%20TabSeparated' --data-binary @-":
      "",
    "curl 'http://localhost:8123/?query=SELECT%20a%20FROM%20t' | sort -n | tr '\\n' ' '":
      "1 2 3 4 5 6 7 8 9 10 11 12 ",
    "seq 13 1000 > rows.tsv; curl 'http://localhost:8123/?query=INSERT+INTO+t+FORMAT+TSV' --data-binary @rows.tsv":
      "",
    "curl 'http://localhost:8123/?query=SELECT+count()+FROM+t'": "1000\n",
    "echo 'DROP TABLE t' | curl 'http://localhost:8123/' --data-binary @-": "",
  });
});

test("bodies come compressed and answers go compressed", { skip }, () =>
  prints({
    "echo \"SELECT 1\" | gzip -c | \\\ncurl -sS --data-binary @- -H 'Content-Encoding: gzip' 'http://localhost:8123/'":
      "1\n",
    "curl -sS \"http://localhost:8123/?enable_http_compression=1\" \\\n-H 'Accept-Encoding: gzip' --output result.gz -d 'SELECT number FROM system.numbers LIMIT 3'; zcat result.gz":
      "0\n1\n2\n",
    "curl -sS \"http://localhost:8123/?enable_http_compression=1\" \\\n-H 'Accept-Encoding: gzip' -d 'SELECT number FROM system.numbers LIMIT 3' | gunzip -":
      "0\n1\n2\n",
    "curl --compressed 'http://localhost:8123/?enable_http_compression=1' -d 'SELECT number FROM system.numbers LIMIT 3'":
      "0\n1\n2\n",
    "curl 'http://localhost:8123/' -d 'CREATE TABLE z (a UInt32) ENGINE = Memory'": "",
    "seq 1000 | gzip | curl -H 'Content-Encoding: gzip' 'http://localhost:8123/?query=INSERT+INTO+z+FORMAT+TSV' --data-binary @-":
      "",
    "curl 'http://localhost:8123/?query=SELECT+sum(a)+FROM+z'": "500500\n",
  }),
);

test("the database comes in the URL or in a header", { skip }, () =>
  prints({
    "echo 'SELECT number FROM numbers LIMIT 3' | curl 'http://localhost:8123/?database=system' --data-binary @-":
      "0\n1\n2\n",
    "curl -H 'X-ClickHouse-Database: system' 'http://localhost:8123/' -d 'SELECT * FROM one'": "0\n",
  }),
);

test("a parameter comes in the URL or as a part of a form", { skip }, async () => {
  await prints({
    'curl -sS "http://localhost:8123?param_id=2&param_phrase=test" -d "SELECT {id:UInt8} + 1, {phrase:String}"':
      "3\ttest\n",
    'curl -sS "http://localhost:8123?param_arg1=abc%5C%09123" -d "SELECT splitByChar(\'\\t\', {arg1:String})"':
      "['abc','123']\n",
    "curl 'http://localhost:8123/' -F 'query=SELECT {id:UInt8} + 1, {phrase:String}' -F param_id=2 -F 'param_phrase=a b'":
      "3\ta b\n",
  });
  const tab = await shell(
    'curl -sS "http://localhost:8123?param_arg1=abc%09123" -d "SELECT splitByChar(\'\\t\', {arg1:String})"',
  );
  assert.match(tab.out, /^Code: 457\. DB::Exception: .*\(BAD_QUERY_PARAMETER\)/);
});

test("the password comes in the address, in the URL or in headers", { skip }, async () => {
  const create = "CREATE OR REPLACE TABLE let_in (a UInt8) ENGINE = Memory";
  for (const command of [
    `echo '${create}' | curl -s "http://default:$KEY@localhost:8123/" -d @-`,
    `echo '${create}' | curl -s "http://localhost:8123/?user=default&password=$KEY" -d @-`,
    `echo '${create}' | curl -s -H 'X-ClickHouse-User: default' -H "X-ClickHouse-Key: $KEY" 'http://localhost:8123/' -d @-`,
    `echo '${create}' | curl -s -u "default:$KEY" 'http://localhost:8123/' -d @-`,
  ]) {
    assert.deepEqual(await shell(command, { asOwner: false }), { code: 0, out: "" }, command);
  }
  const refused = await shell(`curl -s 'http://localhost:8123/' -d '${create}'`, { asOwner: false });
  assert.match(refused.out, /^Code: 164\. DB::Exception: .*\(READONLY\)/);
  const wrong = await shell("curl -s 'http://user:password@localhost:8123/' -d 'SELECT 1'", {
    asOwner: false,
  });
  assert.match(wrong.out, /^Code: 516\. DB::Exception: user: Authentication failed/);
});

test("a session keeps what was set in it", { skip }, () =>
  prints({
    "curl 'http://localhost:8123/?session_id=a' -d 'SET max_block_size = 7'": "",
    "curl 'http://localhost:8123/?session_id=a' -d \"SELECT getSetting('max_block_size')\"": "7\n",
    "curl 'http://localhost:8123/?session_id=a' -d 'CREATE TEMPORARY TABLE tmp (a UInt8)'": "",
    "curl 'http://localhost:8123/?session_id=a&query=INSERT+INTO+tmp+FORMAT+CSV' -d 5": "",
    "curl 'http://localhost:8123/?session_id=a' -d 'SELECT * FROM tmp'": "5\n",
  }),
);

test("an error has its status, so that --fail makes it an exit code", { skip }, async () => {
  const status = "curl -o /dev/null -w '%{http_code}'";
  await prints({
    [`${status} 'http://localhost:8123/?query=SELECT+1'`]: "200",
    [`${status} 'http://localhost:8123/?query=SELECT+nope'`]: "404",
    [`${status} 'http://localhost:8123/?query=SELEC+1'`]: "400",
    [`${status} 'http://localhost:8123/nowhere'`]: "404",
    [`${status} 'http://localhost:8123/?query=DROP+TABLE+t'`]: "500",
    [`${status} 'http://localhost:8123/?wait_end_of_query=1' -d 'SELECT throwIf(number = 2) FROM numbers(5)'`]:
      "500",
  });
  assert.deepEqual(await shell("curl -f 'http://localhost:8123/?query=SELECT+nope'"), { code: 22, out: "" });
  const multi = await shell(
    'curl -sS "http://localhost:8123" --data-binary "SET ROLE my_role;SELECT * FROM my_table;"',
  );
  assert.match(multi.out, /^Code: 62\. DB::Exception: Syntax error \(Multi-statements are not allowed\)/);
});

test("a result broken off in the middle says so at its end", { skip }, async () => {
  const { code, out } = await shell(
    "curl 'http://localhost:8123/?max_block_size=1000' -d 'SELECT throwIf(number = 1000000) FROM numbers(2000000)' | tail -c 1000",
  );
  assert.equal(code, 0);
  assert.match(out, /__exception__\r\n\w{16}\r\nCode: 395\. DB::Exception: /);
});

test("the head of an answer can be asked for alone", { skip }, async () => {
  const ping = await shell("curl -I 'http://localhost:8123/ping'");
  assert.match(ping.out, /^HTTP\/1\.1 200 OK\r\n/);
  const { out } = await shell("curl -I 'http://localhost:8123/?query=SELECT+1'");
  assert.match(out, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(out, /^content-type: text\/tab-separated-values; charset=UTF-8\r$/im);
  assert.match(out, /^x-clickhouse-query-id: [\da-f-]{36}\r$/im);
  const options = await shell("curl -i -X OPTIONS 'http://localhost:8123/'");
  assert.match(options.out, /^HTTP\/1\.1 20[04] /);
});
