import { removeLetters } from "../sink/letter-files.js";
import { alone } from "./alone.js";

/**
 * Takes letters out for ever. @returns how many
 * @throws ColdpathError DEAD_LETTERS_LOCKED
 */
export async function dropLetters(folder: string, ids: ReadonlySet<string>): Promise<number> {
  return await alone(folder, () => removeLetters(folder, ids));
}
