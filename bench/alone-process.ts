import { loadChdb } from "../src/engine/chdb.js";

/** The process behind `alone.ts`: opens the folder it is started with and runs the statements it is sent. */
export interface AloneOrder {
  readonly statements: readonly string[];
  /** Statements that run at once. */
  readonly sessions: number;
}

export interface AloneTimes {
  /** Wall time of all statements together. */
  readonly seconds: number;
  /** Of each statement, in their order. */
  readonly each: readonly number[];
}

const [folder, ...connectionArgs] = process.argv.slice(2);
const { Session } = await loadChdb();
const anchor = new Session(folder!, { connectionArgs });

async function work({ statements, sessions: count }: AloneOrder): Promise<AloneTimes> {
  const sessions = Array.from({ length: count }, () => new Session(folder!, { connectionArgs }));
  const each: number[] = [];
  const start = performance.now();
  let next = 0;
  await Promise.all(
    sessions.map(async (session) => {
      for (let i = next++; i < statements.length; i = next++) {
        const begun = performance.now();
        await session.queryAsync(statements[i]!);
        each[i] = (performance.now() - begun) / 1000;
      }
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  for (const session of sessions) session.close();
  return { seconds, each };
}

process.on("message", (order: AloneOrder) => {
  void work(order).then((times) => process.send!(times));
});
process.once("disconnect", () => {
  anchor.close();
  process.exit();
});
