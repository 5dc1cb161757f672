import { ColdpathError } from "../../base/errors.js";
import { quoteString } from "../../clickhouse/quote.js";
import { type NameAt, plainName } from "./editable.js";

/** Where the tables go, as the configuration says it. */
export interface ClusterTarget {
  readonly cluster: string;
  readonly database: string;
  /** Keeper path of the tables of one shard, such as `/clickhouse/tables/{shard}`; database and table are added. */
  readonly keeperPath: string;
  /** Name of a replica within its shard, such as `{replica}`. */
  readonly replica: string;
}

/** What is behind the name of a table that is read over all shards. */
const ALL = "_all";

/** The names that the rendered statements use, and which tables and views they have made so far. */
export class ClusterNames {
  readonly target: ClusterTarget;
  /** `ON CLUSTER 'prod'`. */
  readonly onCluster: string;
  readonly database: string;
  readonly #tables = new Set<string>();
  readonly #views = new Set<string>();

  constructor(target: ClusterTarget) {
    this.target = target;
    this.onCluster = `ON CLUSTER ${quoteString(target.cluster)}`;
    this.database = plainName(target.database);
  }

  addTable(name: string): void {
    if (/[{}/]/.test(name)) throw refused(`a Keeper path cannot hold its name as it is: ${name}`);
    const other = name.endsWith(ALL) ? name.slice(0, -ALL.length) : `${name}${ALL}`;
    if (this.#tables.has(other))
      throw refused(
        `${[name, other].sort().at(-1)} is the name under which ${[name, other].sort()[0]} is read over all shards`,
      );
    this.#tables.add(name);
  }
  dropTable(name: string): void {
    this.#tables.delete(name);
  }
  addView(name: string): void {
    this.#views.add(name);
  }
  isTable(name: string): boolean {
    return this.#tables.has(name);
  }
  isView(name: string): boolean {
    return this.#views.has(name);
  }

  /** `coldpath.orders`. */
  local(name: string): string {
    return `${this.database}.${plainName(name)}`;
  }
  /** `coldpath.orders_all`, which reads `coldpath.orders` of every shard. */
  all(name: string): string {
    return this.local(`${name}${ALL}`);
  }

  /** Arguments of a Replicated engine. The path keeps the table's name, whatever it is renamed to later. */
  replicated(name: string): string {
    const path = `${this.target.keeperPath}/${this.target.database}/${name}`;
    return `${quoteString(path)}, ${quoteString(this.target.replica)}`;
  }

  /** The engine that reads a table of every shard. Without a sharding key it cannot be written. */
  distributed(name: string): string {
    const args = [this.target.cluster, this.target.database, name].map(quoteString);
    return `Distributed(${args.join(", ")})`;
  }

  /** @throws ColdpathError if the statement names another database */
  own(name: NameAt): string {
    if (name.database !== undefined && name.database !== this.target.database)
      throw refused(`it names database ${name.database}, and only ${this.target.database} is rendered`);
    return name.name;
  }
}

export function refused(reason: string): ColdpathError {
  return new ColdpathError("MIGRATION_FAILED", reason);
}
