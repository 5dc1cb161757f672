import { notCarried, type Shape, shapeOf } from "./native-shape.js";

/** From this revision on a byte after each column's type tells whether its values are laid out in an unusual way. */
const WITH_CUSTOM_SERIALIZATION = 54454;
const USUAL_SERIALIZATION = Buffer.from([0]);
/** What stands before each block for any client that gives a revision: no overflow rows, no bucket, end. */
const BLOCK_INFO = Buffer.from([1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0]);

/** Version of a JSON column that is text. */
const JSON_AS_TEXT = 1;

/** How the engine shall write a result. */
export interface ResultFormat {
  readonly name: string;
  /** Protocol revision of the client, which changes the Native format; 0 without one. */
  readonly revision: number;
}

/**
 * Turns a result in the Native format as the engine writes it, for clients without a revision, into what a server writes
 * for a client of this revision (`NativeWriter.cpp`). Bytes go through as they come; only their ends are looked for.
 * Other formats stay as they are.
 *
 * @throws ClickHouseError 48 for a column whose type has no known end
 */
export async function* inRevision<T>(
  pieces: AsyncGenerator<Buffer, T>,
  format: ResultFormat,
): AsyncGenerator<Buffer, T> {
  if (!isRevised(format)) return yield* pieces;
  const blocks = new BlockWalker(format.revision);
  try {
    for (let next = await pieces.next(); ; next = await pieces.next()) {
      if (next.done === true) return next.value;
      yield blocks.walk(next.value);
    }
  } finally {
    await pieces.return(undefined as T);
  }
}

/** The same for a result that is there already. */
export function wholeInRevision(result: Buffer, format: ResultFormat): Buffer {
  return isRevised(format) ? new BlockWalker(format.revision).walk(result) : result;
}

function isRevised({ name, revision }: ResultFormat): boolean {
  return revision > 0 && name === "Native";
}

/** What waits for the next piece, and ends with a value. */
type Walk<T> = Generator<void, T, void>;

class BlockWalker {
  readonly #revision: number;
  readonly #walk: Walk<never>;
  readonly #shapes = new Map<string, Shape>();
  #piece: Buffer = Buffer.alloc(0);
  #at = 0;
  /** Start of what was not yet handed out. */
  #from = 0;
  #out: Buffer[] = [];

  constructor(revision: number) {
    this.#revision = revision;
    this.#walk = this.#blocks();
  }

  walk(piece: Buffer): Buffer {
    this.#piece = piece;
    this.#at = 0;
    this.#from = 0;
    this.#out = [];
    this.#walk.next();
    if (this.#out.length === 0) return piece;
    this.#out.push(piece.subarray(this.#from));
    return Buffer.concat(this.#out);
  }

  #insert(bytes: Buffer): void {
    this.#out.push(this.#piece.subarray(this.#from, this.#at), bytes);
    this.#from = this.#at;
  }

  *#blocks(): Walk<never> {
    for (;;) {
      while (this.#at === this.#piece.length) yield;
      this.#insert(BLOCK_INFO);
      const columns = yield* this.#count();
      const rows = yield* this.#count();
      for (let column = 0; column < columns; column++) yield* this.#column(rows);
    }
  }

  *#column(rows: number): Walk<void> {
    yield* this.#skip(yield* this.#count());
    const type = yield* this.#text();
    if (this.#revision >= WITH_CUSTOM_SERIALIZATION) this.#insert(USUAL_SERIALIZATION);
    const shape = this.#shapeOf(type);
    if (rows === 0) return;
    yield* this.#prefix(shape, type);
    yield* this.#values(shape, rows);
  }

  #shapeOf(type: string): Shape {
    const known = this.#shapes.get(type);
    if (known !== undefined) return known;
    const shape = shapeOf(type);
    this.#shapes.set(type, shape);
    return shape;
  }

  /** What stands before all values of a column, whatever contains what. */
  *#prefix(shape: Shape, type: string): Walk<void> {
    if (shape.kind === "dictionary") yield* this.#skip(8);
    else if (shape.kind === "json") {
      if ((yield* this.#word()) !== JSON_AS_TEXT) throw notCarried(type);
    } else if (shape.kind === "nullable" || shape.kind === "array") yield* this.#prefix(shape.of, type);
    else if (shape.kind === "tuple") {
      for (const element of shape.of) yield* this.#prefix(element, type);
    }
  }

  *#values(shape: Shape, rows: number): Walk<void> {
    if (rows === 0) return;
    switch (shape.kind) {
      case "fixed":
        return yield* this.#skip(rows * shape.bytes);
      case "string":
      case "json":
        return yield* this.#skipTexts(rows);
      case "nullable":
        yield* this.#skip(rows);
        return yield* this.#values(shape.of, rows);
      case "array":
        yield* this.#skip((rows - 1) * 8);
        return yield* this.#values(shape.of, yield* this.#word());
      case "tuple":
        for (const element of shape.of) yield* this.#values(element, rows);
        return;
      case "dictionary": {
        // The lowest byte tells how wide the indices are; a column of a result brings all its values.
        const width = 1 << ((yield* this.#word()) & 0xff);
        yield* this.#values(shape.of, yield* this.#word());
        return yield* this.#skip((yield* this.#word()) * width);
      }
    }
  }

  *#skip(bytes: number): Walk<void> {
    let left = bytes;
    while (left > this.#piece.length - this.#at) {
      left -= this.#piece.length - this.#at;
      this.#at = this.#piece.length;
      yield;
    }
    this.#at += left;
  }

  *#skipTexts(count: number): Walk<void> {
    for (let left = count; left > 0; left--) {
      const length = this.#piece[this.#at];
      // Most texts are short and lie in one piece.
      if (length !== undefined && length < 0x80 && this.#at + length < this.#piece.length) {
        this.#at += 1 + length;
      } else {
        yield* this.#skip(yield* this.#count());
      }
    }
  }

  *#byte(): Walk<number> {
    while (this.#at === this.#piece.length) yield;
    return this.#piece[this.#at++]!;
  }

  /** A number in as many bytes as it needs. */
  *#count(): Walk<number> {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = yield* this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  /** A number in eight bytes. */
  *#word(): Walk<number> {
    let value = 0;
    for (let index = 0; index < 8; index++) value += (yield* this.#byte()) * 0x100 ** index;
    return value;
  }

  *#text(): Walk<string> {
    const bytes = Buffer.allocUnsafe(yield* this.#count());
    for (let index = 0; index < bytes.length; index++) bytes[index] = yield* this.#byte();
    return bytes.toString("utf8");
  }
}
