import { fork } from "node:child_process";
import { once } from "node:events";

/** `npm run bench -- NAME [--check]`: runs `bench/NAME.ts`; figures go to `docs/results/`. */
const NAMES = ["ingest", "codecs", "engine", "hot-path", "overload", "policies", "wal"];
const [name = "", ...rest] = process.argv.slice(2);
if (!NAMES.includes(name)) {
  console.error(`npm run bench -- NAME [--check], NAME one of ${NAMES.join(", ")}`);
  process.exit(2);
}
const [code] = await once(fork(new URL(`./${name}.js`, import.meta.url), rest), "exit");
process.exitCode = code ?? 1;
