import { parseArgs } from "node:util";
import { violations } from "../test/torture/oracle.js";
import { type LaneKind, openScene } from "../test/torture/scene.js";
import { torture } from "../test/torture/torture.js";

/**
 * `npm run torture -- --kills N --seed S [--points name,…] [--every N] [--lanes library,service] [--power-loss]`:
 * kills recorders, engine or both N times, and
 * compares what the producers were told with what SQL finds. Exit code 1 if one row is lost, doubled, changed or nobody's, or if a long
 * run has killed nothing at one of the points.
 */
const LONG_KILLS = 200;

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "100" },
    seed: { type: "string", default: `${Date.now() % 2 ** 31}` },
    points: { type: "string" },
    every: { type: "string", default: "25" },
    lanes: { type: "string", default: "library,service" },
    "power-loss": { type: "boolean", default: false },
  },
});

const hooks: (() => Promise<void> | void)[] = [];
const seed = Number(values.seed);
console.log(`seed ${seed}`);
try {
  const scene = await openScene(
    { after: (hook) => void hooks.push(hook) },
    {
      seed,
      lanes: values.lanes.split(",") as LaneKind[],
      poisonEvery: 1000,
      weakened: values["power-loss"] ? ["power loss"] : [],
    },
  );
  const { kills, missed, verdict } = await torture({
    ...scene,
    kills: Number(values.kills),
    judgeEvery: Number(values.every),
    ...(values.points === undefined ? {} : { points: values.points.split(",") }),
    log: (line) => console.log(line),
  });
  console.table(Object.fromEntries([...kills].sort(([one], [other]) => (one < other ? -1 : 1))));
  const { offered, acknowledged, stored, deadLetters } = verdict;
  console.log(
    `${offered} rows offered, ${acknowledged} acknowledged, ${stored} stored, ${deadLetters} dead letters`,
  );
  const { lost, doubled, strangers, changed, holes } = verdict;
  for (const [name, rows] of Object.entries({ lost, doubled, strangers, changed, holes })) {
    console.log(`${name}: ${rows.length}`);
    for (const row of rows.slice(0, 20)) console.log(`  ${row}`);
  }
  if (missed.length > 0) console.log(`nothing was killed at ${missed.join(", ")}`);
  const isLong = Number(values.kills) >= LONG_KILLS;
  if (violations(verdict) > 0 || (isLong && missed.length > 0)) process.exitCode = 1;
} finally {
  for (const hook of hooks) await hook();
}
