import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { parseDuration, SECOND_MS } from "../../src/base/units.js";
import { CLOSE_DEADLINE_MS } from "../../src/cli/commands/serve.js";
import { buildProgram } from "../../src/cli/program.js";
import { KEYS } from "../../src/config/keys.js";
import { loadConfig } from "../../src/config/load.js";
import type { Config } from "../../src/config/schema.js";
import { temporaryFolder } from "../support/folder.js";
import { type Compose, DOCKER, SYSTEMD, stagesOf, unitOf, yamlOf } from "./deploy-files.js";

const compose = yamlOf<Compose>(DOCKER, "compose.yaml");
const unit = unitOf(join(SYSTEMD, "coldpath.service"));
const stages = stagesOf(join(DOCKER, "Dockerfile"));
const image = stages.at(-1)!;
/** What a stop takes beyond the deadline for storing rows: requests under way, the log, the embedded ClickHouse. */
const STOP_GRACE_MS = 10 * SECOND_MS;

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}

function imageOf(name: string): string[] {
  return image.filter((each) => each.name === name).map(({ rest }) => rest);
}

test("each variable of ours that is named in deploy/ is one of the configuration's", () => {
  const files = readdirSync("deploy", { recursive: true, encoding: "utf8" }).filter((file) =>
    /\.\w+$|Dockerfile$/.test(file),
  );
  assert.ok(files.length >= 8, files.join());
  const known = new Set([...KEYS.map(({ env }) => env), "COLDPATH_CONFIG"]);
  const found = files.flatMap((file) =>
    [...readFileSync(join("deploy", file), "utf8").matchAll(/COLDPATH_\w+/g)].map(
      ([name]) => `${name} in ${file}`,
    ),
  );
  assert.ok(found.length > 0);
  assert.deepEqual(
    found.filter((each) => !known.has(each.split(" ")[0]!)),
    [],
  );
});

for (const folder of [SYSTEMD, DOCKER]) {
  test(`the configuration in ${folder} has no mistake, and keeps what it records where the service may write`, async (t) => {
    const cwd = await temporaryFolder(t);
    await writeFile(join(cwd, "password"), "x\n", { mode: 0o600 });
    const given = yamlOf<{ data_dir: string; clickhouse?: { password_file?: string } }>(
      folder,
      "coldpath.yaml",
    );
    assert.equal(given.data_dir, "/var/lib/coldpath");
    const set = [`data_dir=${cwd}`];
    if (given.clickhouse?.password_file !== undefined) {
      assert.ok(compose.services["coldpath"]!.secrets!.includes("clickhouse_password"));
      assert.equal(given.clickhouse.password_file, "/run/secrets/clickhouse_password");
      set.push(`clickhouse.password_file=${join(cwd, "password")}`);
      assert.ok(
        compose.services["prometheus"]!.secrets!.includes("admin_token"),
        "it scrapes with the token",
      );
    }
    const { config } = loadConfig({ file: join(process.cwd(), folder, "coldpath.yaml"), env: {}, set, cwd });
    assert.equal(config.recorder.env, "prod");
  });
}

test("ports and names agree: recorder, image, compose file, Prometheus, Grafana, ClickHouse", () => {
  const config = yamlOf<{ admin: Config["admin"]; clickhouse: { url: string; user: string } }>(
    DOCKER,
    "coldpath.yaml",
  );
  const { clickhouse, coldpath, migrate, prometheus } = compose.services as Record<
    string,
    Compose["services"][string]
  >;
  const port = portOf(config.admin.listen);
  assert.deepEqual(imageOf("EXPOSE"), [String(port)]);
  assert.deepEqual(coldpath!.ports, [`127.0.0.1:${port}:${port}`]);
  const server = new URL(config.clickhouse.url);
  assert.deepEqual([server.hostname in compose.services, server.port], [true, "8123"]);
  assert.deepEqual(
    [clickhouse!.environment!["CLICKHOUSE_USER"], clickhouse!.environment!["CLICKHOUSE_DB"]],
    [config.clickhouse.user, "coldpath"],
  );
  assert.deepEqual([migrate!.command, migrate!.image], [["migrate"], coldpath!.image]);
  const [, metrics] = /<port>(\d+)</.exec(
    readFileSync(join(DOCKER, "clickhouse", "prometheus.xml"), "utf8"),
  )!;
  const { scrape_configs } = yamlOf<{
    scrape_configs: readonly { static_configs: readonly { targets: readonly string[] }[] }[];
  }>(DOCKER, "prometheus.yml");
  const targets = scrape_configs.flatMap(({ static_configs }) =>
    static_configs.flatMap((each) => each.targets),
  );
  assert.deepEqual(targets, [
    `coldpath:${port}`,
    `clickhouse:${metrics}`,
    `localhost:${portOf(prometheus!.ports![0]!)}`,
  ]);
  const { datasources } = yamlOf<{
    datasources: readonly { url?: string; jsonData?: Record<string, string | number> }[];
  }>(DOCKER, "grafana", "datasources.yaml");
  const [ofClickHouse, ofPrometheus] = datasources;
  const { host, port: sourcePort, username } = ofClickHouse!.jsonData!;
  assert.deepEqual([host, sourcePort, username], [server.hostname, 8123, config.clickhouse.user]);
  assert.equal(ofPrometheus!.url, `http://prometheus:${portOf(prometheus!.ports![0]!)}`);
});

test("the compose file names only what there is, each service has limits, ports are this machine's alone", () => {
  for (const [name, service] of Object.entries(compose.services)) {
    const wanted = Array.isArray(service.depends_on)
      ? service.depends_on
      : Object.keys(service.depends_on ?? {});
    for (const each of wanted) assert.ok(each in compose.services, `${name} waits for ${each}`);
    for (const secret of service.secrets ?? []) assert.ok(secret in compose.secrets, `${name}: ${secret}`);
    for (const volume of service.volumes ?? []) {
      const [source, target] = volume.split(":");
      if (source!.startsWith("."))
        assert.ok(existsSync(join(DOCKER, source!)) && volume.endsWith(":ro"), `${name}: ${volume}`);
      else assert.ok(source! in compose.volumes && target!.startsWith("/"), `${name}: ${volume}`);
    }
    for (const port of service.ports ?? []) assert.match(port, /^127\.0\.0\.1:\d+:\d+$/, name);
    if (service.build === undefined) assert.match(service.image, /:v?\d+\.\d+/, `${name} has a version`);
    else assert.ok(existsSync(join(DOCKER, service.build.context, service.build.dockerfile)));
    assert.equal(service.privileged, undefined);
    if (name !== "migrate")
      assert.ok(service.cpus! > 0 && /^\d+g$/.test(service.mem_limit!), `${name} has limits`);
  }
  for (const { file } of Object.values(compose.secrets)) assert.match(file, /^\.\/secrets\//);
  assert.match(
    readFileSync(".gitignore", "utf8"),
    /^\/deploy\/docker\/secrets\/$/m,
    "secrets are not committed",
  );
});

test("the image is built in stages, runs as a user of its own, is watched, and has all that the package has", () => {
  assert.ok(stages.length > 1);
  for (const stage of stages) assert.match(stage[0]!.rest, /^node:(\d+)\.\d+-/);
  const [user] = imageOf("USER");
  assert.ok(user !== undefined && user !== "root" && user !== "0");
  assert.equal(imageOf("HEALTHCHECK").length, 1);
  assert.deepEqual(imageOf("ENTRYPOINT"), ['["coldpath"]']);
  const ignored = readFileSync(".dockerignore", "utf8");
  const sources = stages.flatMap((stage) =>
    stage.filter(({ name }) => name === "COPY").map(({ rest }) => rest),
  );
  for (const rest of sources) {
    if (rest.startsWith("--from=")) continue;
    for (const source of rest.split(" ").slice(0, -1)) {
      assert.ok(existsSync(source), `${source} is there`);
      const top = source.split("/")[0]!;
      if (source !== ".") assert.ok(ignored.includes(`!${top}\n`), `${source} is not ignored`);
    }
  }
  const { files } = JSON.parse(readFileSync("package.json", "utf8")) as { files: readonly string[] };
  const copied = imageOf("COPY").join("\n");
  // Pages and samples for people are no part of what runs.
  const running = files.filter((file) => !/^!|^(?:docs|examples|deploy|CHANGELOG\.md)$/.test(file));
  assert.ok(running.length >= 3);
  for (const file of running)
    assert.ok(copied.includes(file.replace(/\/\*.*$/, "")), `${file} is in the image`);
});

test("the unit and the containers leave a stop the time that storing may take", () => {
  const [stop] = unit["Service"]!["TimeoutStopSec"]!;
  const { stop_grace_period } = compose.services["coldpath"]!;
  for (const given of [Number(stop) * SECOND_MS, parseDuration(stop_grace_period!)!])
    assert.ok(given >= CLOSE_DEADLINE_MS + STOP_GRACE_MS, `${given} ms`);
  assert.deepEqual(unit["Service"]!["KillMode"], ["mixed"]);
});

test("the unit runs commands that there are, is restarted unless the configuration is bad, has quotas and few rights", async () => {
  const { Service, Unit } = unit as Record<string, Record<string, readonly string[]>>;
  const commands = (await buildProgram()).commands.map((command) => command.name());
  for (const key of ["ExecStart", "ExecReload"]) {
    const words = Service![key]![0]!.split(" ");
    assert.equal(words[0], "/usr/local/bin/coldpath");
    assert.ok(commands.includes(words.at(-1)!), words.join(" "));
    assert.deepEqual(words.slice(1, 3), ["--config", "/etc/coldpath/coldpath.yaml"]);
  }
  const only = (key: string): string => Service![key]!.join(" ");
  assert.deepEqual(
    [only("Restart"), only("RestartPreventExitStatus"), Unit!["StartLimitIntervalSec"]],
    ["always", "2", ["0"]],
  );
  for (const quota of ["CPUQuota", "MemoryHigh", "MemoryMax", "TasksMax"])
    assert.ok(quota in Service!, quota);
  for (const key of [
    "NoNewPrivileges",
    "PrivateTmp",
    "PrivateDevices",
    "ProtectHome",
    "RestrictNamespaces",
    "DynamicUser",
  ])
    assert.equal(only(key), "yes", key);
  assert.deepEqual([only("ProtectSystem"), only("CapabilityBoundingSet")], ["strict", ""]);
  assert.equal(
    `/var/lib/${only("StateDirectory")}`,
    yamlOf<{ data_dir: string }>(SYSTEMD, "coldpath.yaml").data_dir,
  );
});
