import { resolve } from "node:path";
import type { Command } from "commander";
import { ColdpathError } from "../../../base/errors.js";
import { MINUTE_MS } from "../../../base/units.js";
import { walFolder } from "../../../service/open.js";
import { FolderLock } from "../../../wal/lock.js";
import { surveyLog } from "../../../wal/survey.js";
import type { Context } from "../../context.js";
import { RunningService } from "../../running-service.js";

/** Every command about a log takes another folder than the configured one. */
export interface LogOptions {
  readonly dir?: string;
}

/** A service may have to read its whole log. */
const ASK_MS: number = 4 * MINUTE_MS;

export function withDir(command: Command): Command {
  return command.option("--dir <folder>", "folder of the log (default: wal.dir of the configuration)");
}

export function logFolder({ dir }: LogOptions, context: Context): string {
  return resolve(dir ?? walFolder(context.load().config));
}

/** Where a service is asked to do the same with its own log. */
export interface AskedOf {
  readonly context: Context;
  /** `/api/wal/repair` */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
}

/**
 * Does something with a log that nobody else may use meanwhile; if a service uses it, that is asked to do it.
 * @throws ColdpathError WAL_ABSENT, WAL_LOCKED if a recorder uses it that cannot be asked, SERVICE_ANSWER
 */
export async function aloneOrAsked<T>(
  dir: string,
  work: () => Promise<T>,
  asked: AskedOf,
): Promise<{ readonly done: T; readonly isInUse: boolean }> {
  // A log would be made of any folder that is none.
  surveyLog(dir);
  let lock: FolderLock;
  try {
    lock = await FolderLock.take(dir);
  } catch (error) {
    return { done: (await askService(dir, asked, error)) as T, isInUse: true };
  }
  try {
    return { done: await work(), isInUse: false };
  } finally {
    await lock.release();
  }
}

/**
 * What the service answers that has the log in that folder.
 * @param refusal why the folder could not be taken; thrown if that is not because a recorder has it
 * @throws ColdpathError WAL_LOCKED if it is no service, or one that is not found; SERVICE_ANSWER
 */
export async function askService(
  dir: string,
  { context, path, query = {} }: AskedOf,
  refusal: unknown,
): Promise<unknown> {
  if (!(refusal instanceof ColdpathError) || refusal.code !== "WAL_LOCKED") throw refusal;
  const service = new RunningService(context.read());
  const address = `${path}?${new URLSearchParams({ ...query, dir })}`;
  const answer = service.isForeign ? undefined : await service.ask("POST", address, ASK_MS);
  if (answer !== undefined) return answer;
  const who = refusal.message.slice(0, refusal.message.lastIndexOf(": "));
  const message = `${who}, and no service of this configuration answers: stop that recorder first. While it runs it mends and trims the log itself`;
  throw new ColdpathError("WAL_LOCKED", message, { cause: refusal });
}
