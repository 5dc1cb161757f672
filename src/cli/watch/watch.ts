import { setTimeout as sleep } from "node:timers/promises";
import type { StatusReport } from "../../admin/status-report.js";
import { messageOf } from "../../base/errors.js";
import { SECOND_MS } from "../../base/units.js";
import { paintFor } from "../paint-for.js";
import type { RunningService } from "../running-service.js";
import { glyphsOf } from "./bars.js";
import { Looks, type ToldEvent } from "./look.js";
import { Screen } from "./screen.js";
import { view } from "./view.js";

const LOOK_MS: number = SECOND_MS;
/** A service that takes longer is told to be away. */
const ANSWER_MS: number = 5 * SECOND_MS;

/** Shows on the terminal how the service stands, every second, until the signal aborts or somebody presses q. It goes on while the service is away. */
export async function watchStatus(service: RunningService, signal: AbortSignal): Promise<void> {
  const looks = new Looks(() => service.url);
  const quit = new AbortController();
  const ended = AbortSignal.any([signal, quit.signal]);
  const paint = paintFor("out");
  const glyphs = glyphsOf(process.env);
  const draw = (): void => {
    screen.draw(view(looks.last, Date.now() / SECOND_MS, { ...screen.size, paint, glyphs }));
  };
  const screen = new Screen({ onQuit: () => quit.abort(), onRedraw: draw });
  screen.enter();
  try {
    while (!ended.aborted) {
      await look(service, looks);
      draw();
      // Interrupted: the loop ends.
      await sleep(LOOK_MS, undefined, { signal: ended }).catch(() => {});
    }
  } finally {
    screen.leave();
  }
}

async function look(service: RunningService, looks: Looks): Promise<void> {
  try {
    const status = (await service.ask("GET", "/api/status", ANSWER_MS)) as StatusReport | undefined;
    const told =
      status && ((await service.ask("GET", "/api/events", ANSWER_MS)) as { events: ToldEvent[] } | undefined);
    if (told === undefined) looks.missed(`nobody listens at ${service.url}`, Date.now() / SECOND_MS);
    else looks.seen(status!, told.events, performance.now());
  } catch (error) {
    looks.missed(messageOf(error), Date.now() / SECOND_MS);
  }
}
