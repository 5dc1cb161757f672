import { Engine } from "../../src/engine/engine.js";

/** A process that owns an engine until it is killed: prints one line with the engine's address and process. */
const engine = await Engine.start({ dataDir: process.argv[2]! });
process.stdout.write(`${JSON.stringify({ url: engine.url, pid: engine.pid })}\n`);
