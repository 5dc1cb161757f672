import { messageOf } from "../../src/base/errors.js";
import { ClickHouse } from "../../src/clickhouse/client.js";
import { migrate } from "../../src/schemas/migrate.js";

/** What a test tells a process that migrates for it. */
export interface RunnerOrder {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly userDir: string;
  readonly leaseMs: number;
}

const order = JSON.parse(process.env["MIGRATE_ORDER"]!) as RunnerOrder;
const clickhouse = new ClickHouse(order);
try {
  await migrate(clickhouse, {
    userDirs: [order.userDir],
    lock: { leaseMs: order.leaseMs, waitMs: 30_000 },
    onProgress: ({ name, statement, state }) => console.log(`${name} ${statement} ${state}`),
  });
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
} finally {
  await clickhouse.close();
}
