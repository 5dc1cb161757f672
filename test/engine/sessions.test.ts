import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Answer, ask, type Question, startTestEngine } from "../support/engine.js";
import { until } from "../support/until.js";

const { engine, clickhouse } = await startTestEngine({ after });
await clickhouse.command("CREATE DATABASE elsewhere");

/** A statement in a session; fails unless it has the expected exception code, or none. */
async function inSession(id: string, body: string, more: Question = {}, code?: string): Promise<string> {
  const search = { session_id: id, ...more.search };
  const answer = await ask(engine, { ...more, body, search });
  assert.equal(codeOf(answer), code, `${body}: ${answer.text}`);
  return answer.text;
}

function codeOf(answer: Answer): string | undefined {
  return answer.headers["x-clickhouse-exception-code"];
}

const READER = { asOwner: false };
const STATE = "SELECT currentDatabase(), getSetting('max_block_size'), getSetting('log_comment')";

for (const [who, as] of [
  ["the owner", {}],
  ["a reader", READER],
] as const) {
  test(`SET and USE of ${who} hold for the next requests of the session and for no other`, async () => {
    const id = `state of ${who}`;
    await inSession(id, "SET max_block_size = 77, log_comment = 'mine'", as);
    await inSession(id, "USE elsewhere", as);
    assert.equal(await inSession(id, STATE, as), "elsewhere\t77\tmine\n");
    assert.match(await inSession(`not ${id}`, STATE, as), /^default\t(?!77\t)\d+\t\n$/);
    assert.match((await ask(engine, { body: STATE, ...as })).text, /^default\t(?!77\t)\d+\t\n$/);
  });

  test(`what a request of ${who} brings itself ends with it, also in a session`, async () => {
    const id = `own of ${who}`;
    await inSession(id, "SET max_block_size = 77", as);
    await inSession(id, "USE elsewhere", as);
    const search = { max_block_size: "55", log_comment: "passing", database: "system", query_id: id };
    assert.equal(await inSession(id, STATE, { ...as, search }), "system\t55\tpassing\n");
    await inSession(id, "SELECT throwIf(1)", { ...as, search }, "395");
    assert.equal(await inSession(id, STATE, as), "elsewhere\t77\t\n");
    await inSession(id, "SET max_threads = 1", { ...as, search });
    assert.equal(await inSession(id, STATE, as), "elsewhere\t77\t\n");
  });
}

test("a temporary table takes rows from bodies and stays until its session ends", async () => {
  const id = "temporary";
  await inSession(id, "CREATE TEMPORARY TABLE mine (a UInt8, s String)");
  await inSession(id, "INSERT INTO mine FORMAT TSV\n1\tone\n");
  await inSession(id, "INSERT INTO mine FORMAT TSV\nbroken\n", {}, "27");
  await inSession(id, "INSERT INTO mine SELECT 2, 'two'");
  assert.equal(await inSession(id, "SELECT * FROM mine ORDER BY a"), "1\tone\n2\ttwo\n");
  await inSession("other", "SELECT * FROM mine", {}, "60");
  await inSession(id, "DROP TEMPORARY TABLE mine");
  await inSession(id, "SELECT * FROM mine", {}, "60");
});

test("a session serves one request at a time and is free again when that ends or its client goes", async () => {
  const id = "busy";
  const running = "SELECT count() FROM system.processes WHERE Settings['log_comment'] = 'busy'";
  const slow = inSession(
    id,
    "SELECT sleepEachRow(1) FROM numbers(60) SETTINGS max_block_size = 1",
    { search: { query_id: "busy" } },
    "394",
  );
  await until("the statement", async () => (await clickhouse.text(running)) === "1\n");
  const refused = await inSession(id, "SELECT 1", {}, "373");
  assert.match(refused, /Session busy is locked by a concurrent client\. \(SESSION_IS_LOCKED\)/);
  await ask(engine, { body: "KILL QUERY WHERE query_id = 'busy' SYNC" });
  await slow;
  assert.equal(await inSession(id, "SELECT 1"), "1\n");

  const url = `${engine.url}/?session_id=${id}&query=${encodeURIComponent("SELECT * FROM system.numbers")}`;
  const going = new AbortController();
  const answer = await fetch(url, { signal: going.signal });
  await answer.body!.getReader().read();
  const asReader = { ...READER, search: { session_id: id } };
  assert.equal(codeOf(await ask(engine, { body: "SELECT 1", ...asReader })), "373");
  going.abort();
  await until(
    "room for a reader",
    async () => (await ask(engine, { body: "SELECT 1", ...asReader })).status === 200,
  );
});

test("a session ends when it was not used for its session_timeout, and session_check asks whether it is there", async () => {
  const check = { search: { session_check: "1" } };
  const missing = await inSession("short", "SELECT 1", check, "372");
  assert.match(missing, /Session short not found\. \(SESSION_NOT_FOUND\)/);
  await inSession("long", "SET max_block_size = 77");
  await inSession("short", "SET max_block_size = 77", { search: { session_timeout: "2" } });
  const search = { session_check: "1", session_timeout: "0", session_id: "short" };
  assert.equal((await ask(engine, { body: "SELECT 1", search })).text, "1\n");
  await until(
    "the end of the session",
    async () => codeOf(await ask(engine, { body: "SELECT 1", search })) === "372",
  );
  assert.match(await inSession("long", STATE, check), /\t77\t/);
});

test("a session_timeout beyond an hour, or none at all, is refused", async () => {
  for (const session_timeout of ["3601", "-1", "soon"]) {
    await inSession("timed", "SELECT 1", { search: { session_timeout } }, "374");
  }
  await inSession("timed", "SELECT 1", { search: { session_timeout: "3600" } });
});

test("a reader has no way into the owner's session of the same name", async () => {
  const id = "shared name";
  await inSession(id, "SET max_block_size = 77");
  await inSession(id, "CREATE TEMPORARY TABLE secret (a UInt8)");
  assert.doesNotMatch(await inSession(id, STATE, READER), /\t77\t/);
  await inSession(id, "SELECT * FROM secret", READER, "60");
  await inSession("owner's", "SET max_block_size = 77");
  await inSession("owner's", "SELECT 1", { ...READER, search: { session_check: "1" } }, "372");
});

test("a reader's session stays read-only whatever it sets", async () => {
  const id = "loosen";
  await clickhouse.command("CREATE TABLE kept (a UInt8) ENGINE = MergeTree ORDER BY a");
  for (const sql of ["SET readonly = 0", "SET readonly = 1", "SET `readonly` = 0"]) {
    await inSession(id, sql, READER, "164");
  }
  await inSession(id, "SET readonly = DEFAULT", READER, "452");
  // The engine takes this, but the next statement is read-only again.
  for (const sql of ["SET profile = 'default'", "SET max_threads = 1"]) {
    await inSession(id, sql, READER);
    assert.equal(await inSession(id, "SELECT getSetting('readonly')", READER), "2\n", sql);
    for (const write of ["INSERT INTO kept VALUES (1)", "INSERT INTO kept SELECT 1", "DROP TABLE kept"]) {
      await inSession(id, write, READER, "164");
    }
  }
  for (const readonly of ["0", "1", "2"]) {
    const text = await inSession(id, "SELECT getSetting('readonly')", { ...READER, search: { readonly } });
    assert.equal(text, readonly === "1" ? "1\n" : "2\n");
  }
  await inSession(id, "SET max_block_size = 77", READER);
  assert.match(await inSession(id, STATE, READER), /\t77\t/);
  assert.equal(await clickhouse.text("SELECT count() FROM kept"), "0\n");
});

test("settings that are not allowed over HTTP are not in a session's SET either", async () => {
  for (const as of [{}, READER]) {
    await inSession("forbidden", "SET additional_result_filter = '1'", as, "452");
    await inSession("forbidden", "SET `dialect` = 'prql'", as, "452");
    await inSession("forbidden", "SET param_x = '1'", as, "452");
  }
});

test("an owner's GET in a session is read-only, and the next POST writes", async () => {
  const id = "get";
  await inSession(id, "SET max_block_size = 77");
  const search = { session_id: id, query: "SELECT getSetting('readonly')" };
  assert.equal((await ask(engine, { method: "GET", search })).text, "2\n");
  await inSession(id, "CREATE TEMPORARY TABLE after (a UInt8)");
  assert.match(await inSession(id, STATE), /\t77\t/);
});

test("settings that change others are refused beside a session", async () => {
  await inSession("wide", "SELECT 1", { search: { compatibility: "22.3" } }, "48");
});

test("the time zone of a session shows in the answer's header", async () => {
  const zoneOf = async (search: Record<string, string>, body = "SELECT timezone()"): Promise<string[]> => {
    const { headers, text } = await ask(engine, { body, search });
    return [headers["x-clickhouse-timezone"]!, text.trim()];
  };
  const [own, said] = await zoneOf({});
  assert.equal(own, said);
  await inSession("zone", "SET session_timezone = 'Asia/Tokyo'");
  assert.deepEqual(await zoneOf({ session_id: "zone" }), ["Asia/Tokyo", "Asia/Tokyo"]);
  const passing = { session_id: "zone", session_timezone: "Asia/Kolkata" };
  assert.deepEqual(await zoneOf(passing), ["Asia/Kolkata", "Asia/Kolkata"]);
  assert.deepEqual(await zoneOf({ session_id: "zone" }), ["Asia/Tokyo", "Asia/Tokyo"]);
});

test("beyond a hundred sessions the ones that hold nothing go first, then new ones are refused", async () => {
  const set = (index: number, code?: string): Promise<string> =>
    inSession(`many ${index}`, "SET max_block_size = 77", READER, code);
  for (let index = 0; index < 150; index++) await inSession(`blank ${index}`, "SELECT 1", READER);
  let refused = 0;
  for (let index = 0; index < 101; index++) {
    const answer = await ask(engine, {
      body: "SET max_block_size = 77",
      search: { session_id: `many ${index}` },
      ...READER,
    });
    if (codeOf(answer) === "700") refused += 1;
    else assert.equal(answer.status, 200, answer.text);
  }
  assert.ok(refused > 0, "the limit was met");
  await set(101, "700");
  await set(0);
  await inSession("the owner's own", "SET max_block_size = 77");
});

test("settings that limit or reshape results, and requests that fail, cost a session nothing", async () => {
  const settings = {
    use_query_cache: "1",
    offset: "1",
    limit: "1",
    max_execution_time: "0.000001",
    max_columns_to_read: "1",
    max_rows_to_read: "1",
    output_format_json_map_as_array_of_tuples: "1",
    extremes: "1",
  };
  for (const [name, value] of Object.entries(settings)) {
    await inSession(name, "CREATE TEMPORARY TABLE mine (a UInt8)");
    await inSession(name, "SET max_block_size = 77");
    await inSession(name, `SET ${name} = ${value}`);
    await ask(engine, { body: "SELECT 1", search: { session_id: name, max_block_size: "55" } });
    await ask(engine, { body: "SELECT 1", search: { session_id: name, no_such_setting: "1" } });
    await inSession(name, `SET ${name} = DEFAULT`);
    assert.equal(await inSession(name, "SELECT getSetting('max_block_size')"), "77\n", name);
    assert.equal(await inSession(name, "EXISTS TEMPORARY TABLE mine"), "1\n", name);
  }
});

test("a session whose state was lost is gone, and says so", async () => {
  const id = "unreadable";
  await inSession(id, "CREATE TEMPORARY TABLE mine (a UInt8)");
  await inSession(id, "SET max_parser_depth = 3", {}, "306");
  await inSession(id, "SELECT 1", { search: { session_check: "1" } }, "372");
});
