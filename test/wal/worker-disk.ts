import { workerData } from "node:worker_threads";
import { type Disk, nodeDisk } from "../../src/wal/disk.js";
import { type Call, Script } from "./disk-script.js";

/** The machine's disk, which the test's thread has fail, hang or kill the log's thread through shared memory. */
const script = new Script((workerData as { diskData: SharedArrayBuffer }).diskData);

function before(call: Call): void {
  script.pass(call);
}

export const disk: Disk = {
  ...nodeDisk,
  create(path) {
    before("create");
    return nodeDisk.create(path);
  },
  write(...args) {
    before("write");
    return nodeDisk.write(...args);
  },
  datasync(fd) {
    before("datasync");
    nodeDisk.datasync(fd);
    script.pass("synced");
  },
  space(path) {
    const space = nodeDisk.space(path);
    return { total: space.total, free: script.free ?? space.free };
  },
};
