import { test } from "node:test";
import { eachCall } from "./disk-faults.js";

for (const code of ["EIO", "ENOSPC", "EROFS", "EMFILE", "EACCES", "ENOENT", "EDQUOT"]) {
  for (const forEver of [false, true]) {
    for (const powerLoss of [false, true]) {
      const how = `${forEver ? "for ever" : "once"} with ${code}, then ${powerLoss ? "the power" : "the process"} goes`;
      test(`each disk call fails ${how}: nothing that was committed is lost`, () => {
        eachCall({ code, forEver, powerLoss });
      });
    }
  }
}
