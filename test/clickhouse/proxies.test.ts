import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, type TestContext, test } from "node:test";
import { ClickHouse } from "../../src/clickhouse/client.js";
import { UnreachableError } from "../../src/clickhouse/error.js";
import { classify } from "../../src/sink/answers.js";
import { startTestEngine } from "../support/engine.js";

const { engine } = await startTestEngine({ after });

interface Front {
  readonly clickhouse: ClickHouse;
  readonly requests: IncomingMessage[];
  /** Connections that were made. */
  connections(): number;
}

/** A proxy in front of the engine; `answer` may answer in its place by returning true. */
async function front(
  t: TestContext,
  {
    keepAliveMs = 5_000,
    answer = () => false,
  }: { keepAliveMs?: number; answer?: (incoming: IncomingMessage, outgoing: ServerResponse) => boolean },
): Promise<Front> {
  let connections = 0;
  const requests: IncomingMessage[] = [];
  const proxy = createServer({ keepAliveTimeout: keepAliveMs }, (incoming, outgoing) => {
    requests.push(incoming);
    if (answer(incoming, outgoing)) return;
    const { method, headers } = incoming;
    const upstream = request(
      `${engine.url}${incoming.url}`,
      { method, headers, agent: false },
      (answered) => {
        const { connection: _, "keep-alive": __, ...rest } = answered.headers;
        outgoing.writeHead(answered.statusCode!, rest);
        answered.pipe(outgoing);
      },
    );
    incoming.pipe(upstream);
  });
  proxy.on("connection", () => {
    connections += 1;
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const { port } = proxy.address() as AddressInfo;
  const { user, password } = engine;
  const clickhouse = new ClickHouse({ url: `http://127.0.0.1:${port}`, user, password, database: "default" });
  t.after(async () => {
    await clickhouse.close();
    proxy.closeAllConnections();
    proxy.close();
  });
  return { clickhouse, requests, connections: () => connections };
}

async function failureOf(running: Promise<unknown>): Promise<UnreachableError> {
  const error = await running.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  assert.ok(error instanceof UnreachableError, String(error));
  return error;
}

test("a connection is used again while the server says it keeps it, and not in its last second", async (t) => {
  const kept = await front(t, {});
  for (let i = 0; i < 10; i += 1) await kept.clickhouse.text("SELECT 1");
  assert.ok(kept.connections() <= 3, `${kept.connections()} for ten requests`);
  const hasty = await front(t, { keepAliveMs: 1_000 });
  for (let i = 0; i < 5; i += 1) await hasty.clickhouse.text("SELECT 1");
  assert.equal(hasty.connections(), 5, "`Keep-Alive: timeout=1` may end while we send");
});

test("a proxy that closes after each answer costs connections, not requests", async (t) => {
  const { clickhouse, connections } = await front(t, {
    answer: (_incoming, outgoing) => {
      outgoing.setHeader("connection", "close");
      return false;
    },
  });
  for (let i = 0; i < 5; i += 1) assert.equal(await clickhouse.text("SELECT 1"), "1\n");
  assert.equal(connections(), 5);
});

test("the body of an INSERT has its length announced, so that nothing in between has to take chunks", async (t) => {
  const { clickhouse, requests } = await front(t, {});
  await clickhouse.command("CREATE TABLE announced (n UInt8) ENGINE = Memory");
  await clickhouse.insert({ sql: "INSERT INTO announced FORMAT TSV", body: Buffer.from("1\n2\n") });
  const { headers } = requests.at(-1)!;
  assert.equal(headers["content-length"], "4");
  assert.equal(headers["transfer-encoding"], undefined);
});

test("a redirect is not followed, and its target is named without our statement", async (t) => {
  const { clickhouse, requests } = await front(t, {
    answer: (incoming, outgoing) => {
      outgoing.writeHead(307, { location: `https://other.example:8443${incoming.url}` }).end();
      return true;
    },
  });
  const body = Buffer.from("1\n");
  const error = await failureOf(clickhouse.insert({ sql: "INSERT INTO secret_table FORMAT TSV", body }));
  assert.equal(requests.length, 1);
  assert.match(
    error.message,
    /redirects to https:\/\/other\.example:8443, and rows are not sent after a redirect/,
  );
  assert.ok(!error.message.includes("secret_table"));
  assert.equal(classify(error).class, "pause");
});

test("408, 429 and 503 with Retry-After say how long to wait, a minute at most", async (t) => {
  for (const [status, header, waitMs] of [
    [408, "2", 2_000],
    [429, "7", 7_000],
    [503, "86400", 60_000],
    [503, "soon", undefined],
  ] as const) {
    const { clickhouse } = await front(t, {
      answer: (_incoming, outgoing) => {
        outgoing
          .writeHead(status, { "retry-after": header, "content-type": "text/html" })
          .end("<html>busy</html>");
        return true;
      },
    });
    const verdict = classify(await failureOf(clickhouse.text("SELECT 1")));
    assert.deepEqual([verdict.class, verdict.waitMs], ["retry", waitMs]);
  }
});

test("413 and 411 say which limit of what stands in between", async (t) => {
  for (const [status, says, becomes] of [
    [413, /raise its limit \(nginx: client_max_body_size\)/, "split"],
    [411, /refuses bodies without Content-Length/, "pause"],
  ] as const) {
    const { clickhouse } = await front(t, {
      answer: (_incoming, outgoing) => {
        outgoing.writeHead(status, { "content-type": "text/html" }).end("<html></html>");
        return true;
      },
    });
    const error = await failureOf(clickhouse.text("SELECT 1"));
    assert.match(error.message, says);
    assert.equal(classify(error).class, becomes);
  }
});

test("an answer that quotes our request does not bring the password into an error", async (t) => {
  const { clickhouse } = await front(t, {
    answer: (incoming, outgoing) => {
      const text = `Code: 516. DB::Exception: cannot take ${JSON.stringify(incoming.headers)}. (AUTHENTICATION_FAILED)`;
      outgoing.writeHead(403, { "x-clickhouse-exception-code": "516" }).end(text);
      return true;
    },
  });
  await assert.rejects(clickhouse.text("SELECT 1"), (error: Error) => {
    assert.match(error.message, /"x-clickhouse-key":"\*\*\*"/);
    assert.ok(!`${error.stack}${JSON.stringify(error)}`.includes(engine.password));
    return true;
  });
});
