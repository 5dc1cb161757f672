import type { DeadLetter } from "../sink/dead-letter.js";
import { letterFiles, lettersIn, type OnDamaged } from "../sink/letter-files.js";

export type { DeadLetter } from "../sink/dead-letter.js";

/** Which letters are meant: all that fit what is given. */
export interface Selection {
  readonly table?: string | undefined;
  readonly ids?: ReadonlySet<string> | undefined;
}

/** The letters of a folder that are meant, by table and run. */
export async function* selectedLetters(
  folder: string,
  { table, ids }: Selection,
  onDamaged: OnDamaged = () => {},
): AsyncGenerator<DeadLetter> {
  for (const { path } of await letterFiles(folder, table)) {
    for await (const letter of lettersIn(path, onDamaged, false)) {
      if (ids === undefined || ids.has(letter.id)) yield letter;
    }
  }
}
