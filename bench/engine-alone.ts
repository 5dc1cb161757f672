import { createRequire } from "node:module";

/**
 * The engine with nothing around it: inserts a Native file again and again, in its own process, without HTTP. Started by
 * `ingest.ts` with a data folder, the CREATE statement, the INSERT statement and how often; sends back the seconds it took.
 */
interface Order {
  readonly folder: string;
  readonly create: string;
  readonly insert: string;
  readonly times: number;
}

interface Session {
  queryAsync(sql: string): Promise<unknown>;
  close(): void;
}

process.once("message", (message) => {
  void work(message as Order);
});

async function work({ folder, create, insert, times }: Order): Promise<void> {
  const { Session } = createRequire(import.meta.url)("chdb") as { Session: new (path: string) => Session };
  const sessions = [new Session(folder), new Session(folder)];
  await sessions[0]!.queryAsync(create);
  const start = performance.now();
  let next = 0;
  await Promise.all(
    sessions.map(async (session) => {
      for (let i = next++; i < times; i = next++) {
        await session.queryAsync(insert.replace("{token}", `block-${i}`));
      }
    }),
  );
  process.send!((performance.now() - start) / 1000);
  for (const session of sessions) session.close();
  process.disconnect();
}
