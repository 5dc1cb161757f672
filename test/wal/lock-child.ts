import { FolderLock } from "../../src/wal/lock.js";

/** Holds the lock of the folder in its first argument until it is killed. */
await FolderLock.take(process.argv[2]!, process.argv[3] as NodeJS.Platform);
process.stdout.write("held\n");
setInterval(() => {}, 60_000);
