import { parentPort, workerData } from "node:worker_threads";
import { attachProducer, type ProducerHandle, us } from "../../src/index.js";

const { handle, rows, startedAt } = workerData as { handle: ProducerHandle; rows: number; startedAt: number };
const producer = attachProducer(handle);
let refused = 0;
for (let row = 0; row < rows; row += 1) {
  const taken = producer.events.record({
    type: "order",
    ts: us(startedAt + row),
    client_order_id: `thread-${row}`,
    strategy: "s",
    symbol: "X",
    side: "buy",
    qty: row,
    status: "new",
  });
  if (!taken) refused += 1;
}
producer.close();
parentPort!.postMessage(refused);
