import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { type ChdbModule, type ChdbResult, type ChdbSession, loadChdb } from "../../src/engine/chdb.js";
import { Executor, READS_AT_ONCE } from "../../src/engine/executor.js";
import { EngineFolder } from "../../src/engine/folder.js";
import { createServer } from "../../src/engine/http.js";
import { DEFAULT_LIMITS } from "../../src/engine/limits.js";
import { Registry } from "../../src/engine/registry.js";
import { configXml } from "../../src/engine/server-config.js";
import { SessionStore } from "../../src/engine/session-store.js";
import { Sessions } from "../../src/engine/sessions.js";
import type { GrantedOrder } from "./granted-engine.js";

/**
 * The embedded engine behind its own HTTP server, with one difference: every session runs in the roles that the test
 * last named, each of which holds one right. The engine has no users to make, so their roles stand in a `users.xml`.
 */

const MEMORY = 2 ** 30;

const order = JSON.parse(process.env["GRANTED_ORDER"]!) as GrantedOrder;
/** What the sessions themselves need, to be as new for the next request: they go back to `default`. */
const OWN_ROLE = "own";
let roles = OWN_ROLE;

/** A session that takes on the roles before a statement: sessions serve one request after the other. */
function inRoles({ Session }: ChdbModule): ChdbModule {
  return {
    Session: class implements ChdbSession {
      readonly #inner: ChdbSession;
      #roles: string | undefined;

      constructor(path: string, options?: { readonly connectionArgs?: readonly string[] }) {
        this.#inner = new Session(path, options);
      }

      async queryAsync(sql: string, options?: { readonly format?: string }): Promise<ChdbResult> {
        if (this.#roles !== roles) {
          this.#roles = roles;
          await this.#inner.queryAsync(`SET ROLE ${roles}`);
        }
        return await this.#inner.queryAsync(sql, options);
      }

      close(): void {
        this.#inner.close();
      }
    },
  };
}

function usersXml(): string {
  const all = { ...order.roles, [OWN_ROLE]: ["GRANT SHOW DATABASES ON default.*"] };
  const made = Object.entries(all).map(
    ([name, grants]) =>
      `<${name}><grants>${grants.map((grant) => `<query>${grant}</query>`).join("")}</grants></${name}>`,
  );
  return `<clickhouse><profiles><default/></profiles><quotas><default/></quotas>
<users><default><password/><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>
<grants><query>GRANT ${Object.keys(all).join(", ")}</query></grants></default></users>
<roles>${made.join("\n")}</roles></clickhouse>`;
}

const folder = new EngineFolder(order.dataDir);
const { secret } = folder.create();
const usersFile = `${folder.root}/roles.xml`;
writeFileSync(usersFile, usersXml());
writeFileSync(folder.configFile, configXml(usersFile, MEMORY));
const sessions = new Sessions(inRoles(await loadChdb()), folder.database, [
  `--config-file=${folder.configFile}`,
  "--implicit_select=0",
]);
const registry = new Registry();
const server = createServer({
  executor: new Executor(sessions, folder, registry, folder.clearPassing(READS_AT_ONCE), DEFAULT_LIMITS),
  registry,
  sessions: new SessionStore(sessions),
  secret,
  secretFile: folder.secretFile,
  bootId: randomBytes(8).toString("hex"),
  version: "26.7",
  timeZone: "UTC",
  listenHost: "127.0.0.1",
  limits: DEFAULT_LIMITS,
  timeouts: { headersMs: 20_000, stallMs: 60_000 },
});
const url = await server.listen({ host: "127.0.0.1", port: 0 });
process.on("message", (named: readonly string[]) => {
  roles = [OWN_ROLE, ...named].join(", ");
  process.send!("changed");
});
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
process.send!({ url, secret });
