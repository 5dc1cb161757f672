import { existsSync } from "node:fs";
import { workerData } from "node:worker_threads";
import { type Disk, nodeDisk } from "../../../src/wal/disk.js";

const { marker } = (workerData as { readonly diskData: { readonly marker: string } }).diskData;

/** This machine's disk, which has no room while a marker file is there. */
export const disk: Disk = {
  ...nodeDisk,
  write(fd, bytes, offset, length, position) {
    if (existsSync(marker)) throw Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC" });
    return nodeDisk.write(fd, bytes, offset, length, position);
  },
  space(path) {
    const { free, total } = nodeDisk.space(path);
    return { free: existsSync(marker) ? 0 : free, total };
  },
};
