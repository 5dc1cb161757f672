import { ColdpathError } from "../base/errors.js";

type Given = Readonly<Record<string, string | readonly string[]>>;

/** What stands behind the `?` of an address. A name that nobody asks for is a mistake: `?tabel=orders` is not to mean all tables. */
export class Parameters {
  readonly #given: Given;

  /**
   * @param query as Fastify parses it
   * @param names of those that there are
   * @throws ColdpathError USAGE for any other
   */
  constructor(query: unknown, names: readonly string[]) {
    this.#given = query as Given;
    for (const name of Object.keys(this.#given)) {
      if (names.includes(name)) continue;
      throw new ColdpathError("USAGE", `there is no parameter ${name}: expected ${names.join(" or ")}`);
    }
  }

  /** @throws ColdpathError USAGE if it is given more than once */
  one(name: string): string | undefined {
    const [value, ...more] = this.all(name);
    if (more.length > 0) throw new ColdpathError("USAGE", `${name} is given more than once`);
    return value;
  }

  /** In the order in which they were given. */
  all(name: string): readonly string[] {
    return [this.#given[name] ?? []].flat();
  }
}
