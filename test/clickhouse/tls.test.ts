import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { request } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import type { TLSSocket } from "node:tls";
import { ClickHouse, type ClickHouseOptions } from "../../src/clickhouse/client.js";
import { type Certificate, makeAuthority, makeCertificate } from "../support/certificates.js";
import { startTestEngine } from "../support/engine.js";
import { temporaryFolder } from "../support/folder.js";

const { engine } = await startTestEngine({ after });
const folder = await temporaryFolder({ after });
const authority = await makeAuthority();
const stranger = await makeAuthority("another authority");
const server = await makeCertificate(authority, ["localhost", "clickhouse.example"]);
const client = await makeCertificate(authority, ["recorder"]);

/** A file with that text. */
function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const FILES = {
  ca_file: file("ca.pem", authority.cert),
  cert_file: file("client.pem", client.cert),
  key_file: file("client.key", client.key),
};

interface Terminator {
  readonly url: string;
  readonly port: number;
  /** Names asked for, whose certificate came, and whether the session was resumed, by connection. */
  readonly seen: { sni: string | false | null; subject: string | undefined; resumed: boolean }[];
}

/** A TLS terminator in front of the engine. */
async function terminate(
  t: TestContext,
  { cert, key }: Certificate,
  options: { readonly requestCert?: boolean; readonly maxVersion?: "TLSv1.2" } = {},
): Promise<Terminator> {
  const terminator: Server = createServer(
    { cert, key, ca: authority.cert, rejectUnauthorized: options.requestCert === true, ...options },
    (incoming, outgoing) => {
      const upstream = request(
        `${engine.url}${incoming.url}`,
        { method: incoming.method, headers: incoming.headers, agent: false },
        (answer) => {
          outgoing.writeHead(answer.statusCode!, answer.headers);
          answer.pipe(outgoing);
        },
      );
      incoming.pipe(upstream);
    },
  );
  const seen: Terminator["seen"] = [];
  terminator.on("secureConnection", (socket: TLSSocket) => {
    seen.push({
      sni: socket.servername ?? null,
      subject: [socket.getPeerCertificate().subject?.CN].flat()[0],
      resumed: socket.isSessionReused(),
    });
  });
  terminator.on("tlsClientError", () => {});
  terminator.listen(0, "127.0.0.1");
  await once(terminator, "listening");
  t.after(() => {
    terminator.closeAllConnections();
    terminator.close();
  });
  const { port } = terminator.address() as AddressInfo;
  return { url: `https://127.0.0.1:${port}`, port, seen };
}

function clientOf(t: TestContext, url: string, tls?: ClickHouseOptions["tls"]): ClickHouse {
  const { user, password } = engine;
  const made = new ClickHouse({
    url,
    user,
    password,
    database: "default",
    ...(tls === undefined ? {} : { tls }),
  });
  t.after(() => made.close());
  return made;
}

test("with authority, client certificate and server name, rows go in and come out over TLS", async (t) => {
  const only = await makeCertificate(authority, ["clickhouse.example"], { ip: false });
  const { url, seen } = await terminate(t, only, { requestCert: true });
  const clickhouse = clientOf(t, url, { ...FILES, server_name: "clickhouse.example" });
  await clickhouse.connect();
  await clickhouse.command("CREATE TABLE over_tls (n UInt64) ENGINE = Memory");
  const body = Buffer.from([...Array(100_000).keys()].join("\n"));
  await clickhouse.insert({ sql: "INSERT INTO over_tls FORMAT TSV", body });
  const [row] = await clickhouse.rows<{ n: string }>("SELECT sum(n) AS n FROM over_tls");
  assert.equal(row!.n, "4999950000");
  assert.deepEqual(seen[0], { sni: "clickhouse.example", subject: "recorder", resumed: false });
});

test("a new connection resumes the TLS session of the last one", async (t) => {
  const { url, seen } = await terminate(t, server);
  const clickhouse = clientOf(t, url, { ca_file: FILES.ca_file });
  await clickhouse.text("SELECT 1");
  // Eight at once need more than the one connection there is.
  await Promise.all([...Array(8)].map(() => clickhouse.text("SELECT sleep(0.05)")));
  assert.ok(seen.length > 1);
  assert.ok(
    seen.slice(1).some(({ resumed }) => resumed),
    JSON.stringify(seen),
  );
});

test("files that change are read again for the next connection, without a restart", async (t) => {
  const ca = file("renewed.pem", stranger.cert);
  const { url } = await terminate(t, server);
  const clickhouse = clientOf(t, url, { ca_file: ca });
  await assert.rejects(clickhouse.text("SELECT 1"), /unknown authority/);
  file("renewed.pem", `${authority.cert}\n${stranger.cert}`);
  assert.equal(await clickhouse.text("SELECT 1"), "1\n");
});

test("the environment cannot turn verification off", async (t) => {
  const { url } = await terminate(t, server);
  const { NODE_TLS_REJECT_UNAUTHORIZED: before } = process.env;
  process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
  t.after(() => {
    if (before === undefined) delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
    else process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = before;
  });
  await assert.rejects(clientOf(t, url).text("SELECT 1"), /unknown authority/);
});

const expired = await makeCertificate(authority, ["localhost"], {
  notAfter: new Date(Date.now() - 86_400_000),
});
const elsewhere = await makeCertificate(authority, ["elsewhere.example"], { ip: false });

const FAILURES: readonly (readonly [
  what: string,
  certificate: Certificate,
  tls: ClickHouseOptions["tls"],
  says: RegExp,
  options?: { readonly requestCert: true; readonly maxVersion?: "TLSv1.2" },
])[] = [
  ["no authority named", server, undefined, /unknown authority; name it in clickhouse\.tls\.ca_file/],
  [
    "another authority named",
    server,
    { ca_file: file("other.pem", stranger.cert) },
    /clickhouse\.tls\.ca_file/,
  ],
  ["an expired certificate", expired, { ca_file: FILES.ca_file }, /has expired; renew it on the server/],
  [
    "a certificate for another name",
    elsewhere,
    { ca_file: FILES.ca_file },
    /for another name than 127\.0\.0\.1 .*set clickhouse\.tls\.server_name/,
  ],
  [
    "a server name that the certificate does not have",
    server,
    { ca_file: FILES.ca_file, server_name: "wrong.example" },
    /for another name than wrong\.example \(DNS:localhost/,
  ],
  [
    "no client certificate (TLS 1.3)",
    server,
    { ca_file: FILES.ca_file },
    /it may want a client certificate: clickhouse\.tls\.cert_file and key_file/,
    { requestCert: true },
  ],
  [
    "no client certificate (TLS 1.2)",
    server,
    { ca_file: FILES.ca_file },
    /may want a client certificate/,
    { requestCert: true, maxVersion: "TLSv1.2" },
  ],
  [
    "the key of another certificate",
    server,
    { ...FILES, key_file: file("other.key", server.key) },
    /clickhouse\.tls\.key_file is not the key of clickhouse\.tls\.cert_file/,
  ],
  [
    "a key that is none",
    server,
    { ...FILES, key_file: file("no.key", "hello") },
    /check cert_file and key_file|no key that can be read/,
  ],
  [
    "a key that is gone",
    server,
    { ...FILES, key_file: join(folder, "gone") },
    /cannot read clickhouse\.tls\.key_file: ENOENT/,
  ],
];

for (const [what, certificate, tls, says, options] of FAILURES)
  test(`${what}: the error says where, what and what to do`, async (t) => {
    const { url } = await terminate(t, certificate, options);
    await assert.rejects(clientOf(t, url, tls).connect(), (error: Error) => {
      assert.match(error.message, says);
      assert.ok(error.message.startsWith(`ClickHouse at ${url}: `), error.message);
      return true;
    });
  });

test("https to a plain port and http to a TLS port say so", async (t) => {
  const plain = engine.url.replace("http:", "https:");
  await assert.rejects(clientOf(t, plain).connect(), /does not speak TLS on this port; use http:\/\//);
  const { port } = await terminate(t, server);
  await assert.rejects(
    clientOf(t, `http://127.0.0.1:${port}`).connect(),
    /if the port speaks TLS, use https:\/\//,
  );
});
