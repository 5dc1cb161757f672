import { z } from "zod";
import { DAY_MS, SECOND_MS } from "../base/units.js";
import { duration, percent } from "./values.js";

/** When an operator is told of a table under load: `conditions`. */
export const CONDITIONS = z
  .strictObject({
    drop_rate: percent("1%", 0, 1).meta({
      description:
        "share of a table's rows of the last minute; when more were dropped or found no room in a ring, that is told",
    }),
    level_held: duration("10m", SECOND_MS, DAY_MS).meta({
      description: "time that a table may be away from its normal level before that is told",
    }),
    landing: duration("1m", SECOND_MS, DAY_MS).meta({
      description:
        "time that rows of a table may wait while none of it is stored, before GET /landingz tells",
    }),
    spool_usage: percent("80%", 0, 1).meta({
      description: "share of a table's spool; when more is taken, that is told",
    }),
  })
  .prefault({})
  .meta({ restart: false });
