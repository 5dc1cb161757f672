import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { systemClock } from "../../src/base/clock.js";
import { ClickHouse, type ClickHouseOptions } from "../../src/clickhouse/client.js";
import { makeAuthority, makeCertificate } from "../support/certificates.js";
import { temporaryFolder } from "../support/folder.js";
import { startRig, upTo } from "./rig.js";

/** Debian's nginx-light will do. */
const skip = spawnSync("nginx", ["-v"]).error === undefined ? false : "nginx is not installed";
const rig = skip === false ? await startRig({ after }) : undefined;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function listens(port: number, nginx: ChildProcess): Promise<void> {
  while (nginx.exitCode === null) {
    const socket = connect(port, "127.0.0.1");
    const isOpen = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
    await delay(20);
  }
  assert.fail("nginx ended");
}

/** nginx with TLS and client certificates in front of the engine; what a client of it needs. */
async function startNginx(
  t: TestContext,
  directives: string,
): Promise<Pick<ClickHouseOptions, "url" | "tls">> {
  const folder = await temporaryFolder(t);
  const authority = await makeAuthority();
  const server = await makeCertificate(authority, ["clickhouse.example"], { ip: false });
  const client = await makeCertificate(authority, ["recorder"]);
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const port = await freePort();
  const ca = file("ca.pem", `${authority.cert}\n`);
  const config = `
    daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
    events {}
    http {
      access_log off; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
      fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
      server {
        listen 127.0.0.1:${port} ssl;
        ssl_certificate ${file("server.pem", `${server.cert}\n`)}; ssl_certificate_key ${file("server.key", server.key)};
        ssl_client_certificate ${ca}; ssl_verify_client on; ssl_protocols TLSv1.3;
        ${directives}
        location / { proxy_pass ${rig!.engine.url}; }
      }
    }`;
  const nginx = spawn("nginx", ["-e", join(folder, "error.log"), "-c", file("nginx.conf", config)], {
    stdio: "inherit",
  });
  t.after(async () => {
    nginx.kill();
    if (nginx.exitCode === null && nginx.signalCode === null) await once(nginx, "exit");
  });
  await listens(port, nginx);
  const tls = {
    ca_file: ca,
    cert_file: file("client.pem", `${client.cert}\n`),
    key_file: file("client.key", client.key),
    server_name: "clickhouse.example",
  };
  return { url: `https://127.0.0.1:${port}`, tls };
}

function clientOf(t: TestContext, options: Pick<ClickHouseOptions, "url" | "tls">): ClickHouse {
  const { user, password } = rig!.engine;
  const clickhouse = new ClickHouse({ ...options, user, password, database: "default" });
  t.after(() => clickhouse.close());
  return clickhouse;
}

test("through nginx with TLS 1.3 and client certificates, connections that it closes when idle lose and double nothing", {
  skip,
}, async (t) => {
  const clickhouse = clientOf(t, await startNginx(t, "keepalive_timeout 1s; keepalive_requests 7;"));
  const recording = await rig!.open({ clickhouse, clock: systemClock });
  for (let round = 0; round < 8; round += 1) {
    recording.offer(upTo(300).map((id) => round * 300 + id));
    await recording.recorder.flush();
    // Around the moment at which nginx closes.
    await delay(985 + 5 * round);
  }
  await recording.check();
});

test("without a client certificate nginx is told apart from a ClickHouse, and the error says what is missing", {
  skip,
}, async (t) => {
  const { url, tls } = await startNginx(t, "");
  const { ca_file, server_name } = tls!;
  await assert.rejects(
    clientOf(t, { url, tls: { ca_file, server_name } }).connect(),
    /answered 400 without being a ClickHouse; it may want a client certificate: clickhouse\.tls\.cert_file/,
  );
});

test("a batch that is too large for nginx goes in halves, and the reason names the setting", {
  skip,
}, async (t) => {
  const clickhouse = clientOf(t, await startNginx(t, "client_max_body_size 4k;"));
  const recording = await rig!.open({
    clickhouse,
    compression: "none",
    table: { flush: { rows: 1000, bytes: 2 ** 20, age: 60_000 } },
  });
  recording.offer(upTo(1000));
  await recording.recorder.flush();
  await recording.check();
  const { message } = await recording.event("retry");
  assert.match(message, /answered 413 .*client_max_body_size/);
  assert.ok(recording.stats().insertErrors["split/http_413"]! > 0);
});
