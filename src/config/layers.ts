/** One mistake in a configuration. */
export interface ConfigIssue {
  readonly path: string;
  /** What is wrong, what is allowed, and where the value came from. */
  readonly message: string;
}

export type Tree = { [key: string]: unknown };

/** Values of all layers, the later over the earlier, each with its origin. */
export class Layers {
  readonly tree: Tree = {};
  readonly origins: Map<string, string> = new Map<string, string>();
  readonly folders: Map<string, string> = new Map<string, string>();
  readonly issues: ConfigIssue[] = [];

  set(path: readonly string[], value: unknown, origin: string, folder: string): void {
    let node = this.tree;
    for (const part of path.slice(0, -1)) {
      const child = Object.hasOwn(node, part) ? node[part] : undefined;
      node = typeof child === "object" && child !== null ? (child as Tree) : define(node, part, {});
    }
    define(node, path.at(-1)!, value);
    this.origins.set(path.join("."), origin);
    this.folders.set(path.join("."), folder);
  }
}

/** Assigns without ever touching a prototype, whatever the key is called. */
function define<T>(node: Tree, key: string, value: T): T {
  Object.defineProperty(node, key, { value, enumerable: true, writable: true, configurable: true });
  return value;
}

/** The value at a path, or undefined where the path leads nowhere. */
export function valueAt(tree: Tree, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((node, part) => (node as Tree | undefined)?.[String(part)], tree);
}
