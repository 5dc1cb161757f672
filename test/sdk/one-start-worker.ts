import { workerData } from "node:worker_threads";

/** The pipeline's worker, which cannot be started a second time. */
if (workerData.layouts !== undefined) throw new Error("no second start");
await import("./crashing-worker.js");
