import { nearest } from "../../base/nearest.js";
import { ValueError } from "../../native/block.js";
import { NumberText } from "../../native/number-text.js";

/** The words of one column, and everything that is read as one of them. */
export interface VocabularyOptions {
  readonly column: string;
  /** What is read, in the form that {@link wordOf} gives, and the table's word for it; null stores NULL. */
  readonly words: Readonly<Record<string, string | null>>;
  /** Codes, such as those of a FIX tag: read exactly as they stand here, numbers as their digits. */
  readonly codes?: Readonly<Record<string, string | null>>;
  /** Codes and words that mean different things in different places, and why. */
  readonly ambiguous?: Readonly<Record<string, string>>;
  /** Open: a word that is not listed is stored as {@link wordOf} gives it. Closed: it is refused. */
  readonly isOpen: boolean;
}

/** Texts whose words are remembered; feeds use few. */
const REMEMBERED_MAX = 1024;

/** Reads what venues, FIX and habit write as the one word that the table has for it. Never guesses. */
export class Vocabulary {
  readonly options: VocabularyOptions;
  readonly #words: ReadonlyMap<string, string | null>;
  /** The table's word for each text read so far. */
  readonly #known: Map<string, string | null>;
  readonly #ambiguous: ReadonlyMap<string, string>;

  constructor(options: VocabularyOptions) {
    this.options = options;
    this.#words = new Map(Object.entries(options.words));
    this.#known = new Map([...this.#words, ...Object.entries(options.codes ?? {})]);
    this.#ambiguous = new Map(Object.entries(options.ambiguous ?? {}));
  }

  /**
   * The table's word; undefined and null stay what they are.
   * @throws ValueError for what is ambiguous, no text, or no word of a closed vocabulary.
   */
  of(value: unknown): string | null | undefined {
    if (value === undefined || value === null) return value;
    const text = typeof value === "string" ? value : digitsOf(value);
    if (text === undefined) throw this.#refusal("is not a word", value);
    const known = this.#known.get(text);
    return known === undefined ? this.#read(text, value) : known;
  }

  #read(text: string, value: unknown): string | null {
    const word = wordOf(text);
    const why = this.#ambiguous.get(text) ?? this.#ambiguous.get(word);
    if (why !== undefined) throw this.#refusal(`is ambiguous: ${why}`, value);
    const known = this.#words.get(word);
    if (known === undefined && (!this.options.isOpen || word === "")) throw this.#unknown(word, value);
    const stored = known === undefined ? word : known;
    if (this.#known.size < REMEMBERED_MAX) this.#known.set(text, stored);
    return stored;
  }

  #unknown(word: string, value: unknown): ValueError {
    if (this.options.isOpen) return this.#refusal("is empty", value);
    const words = new Set([...this.#words.values()].filter((each) => each !== null));
    const close = nearest(word, words);
    return this.#refusal(
      close === undefined
        ? `is none of ${[...words].join(", ")}`
        : `is no ${this.options.column}, did you mean ${close}?`,
      value,
    );
  }

  #refusal(reason: string, value: unknown): ValueError {
    return new ValueError(this.options.column, reason, value);
  }
}

/** `PartiallyFilled`, `PARTIALLY_FILLED` and ` partially-filled ` are one word: `partially_filled`. */
function wordOf(text: string): string {
  return text
    .trim()
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/[\s-]+/g, "_")
    .toLowerCase();
}

function digitsOf(value: unknown): string | undefined {
  if (value instanceof NumberText) return value.text;
  return typeof value === "number" || typeof value === "bigint" ? String(value) : undefined;
}
