import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { isAlive } from "../base/process.js";
import { readOrCreateSecret } from "../base/secret.js";
import { configXml, usersXml } from "./server-config.js";

/**
 * The data folder of the embedded engine: who serves it, and where the pieces lie.
 *
 * ```
 * db/            the engine's own files; `db/status` is its lock and names the holder's process
 * incoming/      bodies of INSERTs on their way in, one file each; emptied at start
 * outgoing/      named pipes and whole results on their way out; emptied at start
 * config.xml, users.xml   written at start
 * secret         password of user `default`, made once
 * endpoint.json  where the engine listens, written when it is ready
 * ```
 */
export class EngineFolder {
  readonly root: string;

  constructor(dataDir: string) {
    this.root = resolve(dataDir);
  }

  get database(): string {
    return join(this.root, "db");
  }
  get incoming(): string {
    return join(this.root, "incoming");
  }
  get outgoing(): string {
    return join(this.root, "outgoing");
  }
  get configFile(): string {
    return join(this.root, "config.xml");
  }
  get secretFile(): string {
    return join(this.root, "secret");
  }
  get endpointFile(): string {
    return join(this.root, "endpoint.json");
  }

  /** The folder itself, for its owner only, with its secret. */
  create(): { secret: string } {
    mkdirSync(this.root, { recursive: true, mode: 0o700 });
    chmodSync(this.root, 0o700);
    return { secret: readOrCreateSecret(this.secretFile) };
  }

  /** What a start needs before the engine is opened. */
  writeConfig(memory: number, queryMemory: number): void {
    const usersFile = join(this.root, "users.xml");
    writeFileSync(usersFile, usersXml(queryMemory), { mode: 0o600 });
    writeFileSync(this.configFile, configXml(usersFile, memory), { mode: 0o600 });
  }

  /**
   * Empties the folders of passing files, once the engine's lock is held, and makes `pipes` named pipes.
   *
   * @returns paths of the pipes
   */
  clearPassing(pipes: number): string[] {
    for (const folder of [this.incoming, this.outgoing]) {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { mode: 0o700 });
    }
    const paths = Array.from({ length: pipes }, (_, index) => join(this.outgoing, `pipe-${index}`));
    execFileSync("mkfifo", ["-m", "600", ...paths]);
    return paths;
  }

  writeEndpoint(endpoint: Endpoint): void {
    const draft = `${this.endpointFile}.new`;
    const { url, pid, bootId } = endpoint;
    writeFileSync(draft, `${JSON.stringify({ url, pid, bootId })}\n`, { mode: 0o600 });
    renameSync(draft, this.endpointFile);
  }

  /** The endpoint that was last written here, whether or not anything still listens there. */
  readEndpoint(): Endpoint | undefined {
    if (!existsSync(this.endpointFile)) return undefined;
    const match = ENDPOINT.exec(readFileSync(this.endpointFile, "utf8"));
    if (match === null) return undefined;
    return { url: match[1]!, pid: Number(match[2]), bootId: match[3]! };
  }

  /** Whether the process that holds the engine's lock, as the engine noted it, lives. */
  isHeld(): boolean {
    const holder = this.holder();
    return holder !== undefined && isAlive(holder);
  }

  /** The process that holds the engine's lock, as the engine noted it. */
  holder(): number | undefined {
    const file = join(this.database, "status");
    const pid = existsSync(file) ? /^PID: (\d+)/m.exec(readFileSync(file, "utf8"))?.[1] : undefined;
    return pid === undefined ? undefined : Number(pid);
  }
}

/** What {@link EngineFolder.writeEndpoint} writes; anything else is as good as none. */
const ENDPOINT = /^\{"url":"(http:[^"]+)","pid":(\d+),"bootId":"(\w+)"\}\s*$/;

/** Where an engine listens and which life of it. */
export interface Endpoint {
  readonly url: string;
  readonly pid: number;
  /** Drawn at each start of the engine's process; answers carry it. */
  readonly bootId: string;
}
