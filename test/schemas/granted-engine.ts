import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../support/folder.js";

/** What the engine with roles is started with. */
export interface GrantedOrder {
  readonly dataDir: string;
  /** GRANT and REVOKE without TO, by the name of the role that holds them. */
  readonly roles: Readonly<Record<string, readonly string[]>>;
}

/** An embedded ClickHouse whose one user has the roles named last, and none at first. */
export interface GrantedEngine {
  readonly url: string;
  readonly password: string;
  become(roles: readonly string[]): Promise<void>;
}

interface Context {
  readonly after: (fn: () => Promise<void> | void) => void;
}

/** Starts it in a process of its own, which ends with the test. */
export async function startGrantedEngine(t: Context, roles: GrantedOrder["roles"]): Promise<GrantedEngine> {
  const ended: { child?: ReturnType<typeof fork> } = {};
  // Hooks run in the order they were made, and a living engine's folder cannot be removed.
  t.after(async () => {
    const { child } = ended;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  const dataDir = await temporaryFolder(t as never);
  const order: GrantedOrder = { dataDir, roles };
  const child = fork(fileURLToPath(new URL("./granted-child.js", import.meta.url)), {
    env: { ...process.env, GRANTED_ORDER: JSON.stringify(order) },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  ended.child = child;
  const told = await Promise.race([
    once(child, "message"),
    once(child, "exit").then(([code]) => {
      throw new Error(`the engine with roles ended with ${code}`);
    }),
  ]);
  const [{ url, secret }] = told as [{ url: string; secret: string }];
  return {
    url,
    password: secret,
    async become(named) {
      const changed = once(child, "message");
      child.send(named);
      await changed;
    },
  };
}
