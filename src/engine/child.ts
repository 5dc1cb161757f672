import { randomBytes } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { ColdpathError, messageOf } from "../base/errors.js";
import { ClickHouseError } from "../clickhouse/error.js";
import { loadChdb } from "./chdb.js";
import { Executor, READS_AT_ONCE } from "./executor.js";
import { EngineFolder } from "./folder.js";
import { createServer } from "./http.js";
import type { FromChild, StartMessage, ToChild } from "./protocol.js";
import { Registry } from "./registry.js";
import { SessionStore } from "./session-store.js";
import { Sessions } from "./sessions.js";

/**
 * The engine's process: loads the engine, serves HTTP, and lives exactly as long as the process that started it. It
 * ends by SIGKILL wherever an orderly end could take time, because the engine's own exit may wait for minutes.
 */

const CLOSE_SWEEP_MS = 20;

interface Running {
  readonly server: FastifyInstance;
  readonly registry: Registry;
  readonly sessions: Sessions;
}

let running: Running | undefined;

function send(message: FromChild): void {
  process.send?.(message);
}

function die(): never {
  process.kill(process.pid, "SIGKILL");
  throw new Error("unreachable");
}

function pong(): void {
  send({ type: "pong" });
}

async function start(message: StartMessage): Promise<void> {
  const folder = new EngineFolder(message.dataDir);
  const { secret } = folder.create();
  folder.writeConfig(message.memory, message.limits.queryMemory);
  const chdb = await loadChdb();
  let sessions: Sessions;
  try {
    sessions = new Sessions(chdb, folder.database, [
      `--config-file=${folder.configFile}`,
      "--implicit_select=0",
    ]);
  } catch (cause) {
    const message =
      `the embedded ClickHouse cannot open its data in ${folder.database}; put back a copy of that folder, or move it ` +
      `away to start with an empty one: ${messageOf(cause)}`;
    throw new ColdpathError("ENGINE_FOLDER_DAMAGED", message, { cause });
  }
  // Whoever reads it makes the engine write a file in the system's folder for temporary ones.
  await sessions.query("DROP TABLE IF EXISTS system.jemalloc_profile_text");
  const pipes = folder.clearPassing(READS_AT_ONCE);
  const about = Buffer.from((await sessions.query("SELECT version(), timezone()")).bytes()).toString();
  const [version = "", timeZone = ""] = about.trimEnd().split("\t");
  const brokenParts = await findBrokenParts(sessions);
  const bootId = randomBytes(8).toString("hex");
  const registry = new Registry();
  const server = createServer({
    executor: new Executor(sessions, folder, registry, pipes, message.limits),
    registry,
    sessions: new SessionStore(sessions),
    secret,
    secretFile: folder.secretFile,
    bootId,
    version,
    timeZone,
    listenHost: message.host,
    limits: message.limits,
    timeouts: message.timeouts,
  });
  const url = await server.listen({ host: message.host, port: message.port });
  running = { server, registry, sessions };
  folder.writeEndpoint({ url, pid: process.pid, bootId });
  send({ type: "ready", url, bootId, brokenParts });
}

/** The engine starts without such parts and says nothing. */
async function findBrokenParts(sessions: Sessions): Promise<string[]> {
  const sql =
    "SELECT concat(database, '.', table, '/', name) FROM system.detached_parts WHERE startsWith(reason, 'broken') ORDER BY 1";
  const text = Buffer.from((await sessions.query(sql)).bytes()).toString("utf8");
  return text.split("\n").filter((name) => name !== "");
}

async function close(deadlineMs: number): Promise<void> {
  setTimeout(die, deadlineMs).unref();
  if (running === undefined) die();
  const { server, registry, sessions } = running;
  // A connection that had a request when the closing began falls idle later, and its client may keep it.
  const sweep = setInterval(() => server.server.closeIdleConnections(), CLOSE_SWEEP_MS);
  await server.close();
  clearInterval(sweep);
  // The engine's own end would wait for it, and hold this thread meanwhile: one whose client has gone, say.
  if (registry.all.length > 0) die();
  sessions.close();
  process.exit(0);
}

process.on("message", (message: ToChild) => {
  if (message.type === "start") {
    start(message).catch((error: unknown) => {
      const code = error instanceof ColdpathError ? error.code : "ENGINE_FAILED";
      send({ type: "failed", code, message: messageOf(error) });
    });
  } else if (message.type === "ping") {
    running?.sessions.query("SELECT 1").then(pong, (error: unknown) => {
      // An exception, such as at the memory limit, is an answer. Without any the supervisor ends this process.
      if (error instanceof ClickHouseError) pong();
    });
  } else {
    close(message.deadlineMs).catch(die);
  }
});
process.on("disconnect", die);
// Ctrl-C and a service manager signal the whole group; the parent decides when the engine may go.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});
process.on("SIGHUP", () => {});
