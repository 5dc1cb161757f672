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
    for (const [depth, part] of path.slice(0, -1).entries()) {
      const child = Object.hasOwn(node, part) ? node[part] : undefined;
      if (child !== undefined && !isGroup(child)) this.#tellNoGroup(path.slice(0, depth + 1), origin);
      node = isGroup(child) ? child : define(node, part, {});
    }
    define(node, path.at(-1)!, value);
    this.origins.set(path.join("."), origin);
    this.folders.set(path.join("."), folder);
  }

  #tellNoGroup(path: readonly string[], origin: string): void {
    const known = this.origins.get(path.join("."))!;
    const message = `is not a group of keys (${known}), and ${origin} sets one of it`;
    this.issues.push({ path: path.join("."), message });
  }

  /** Takes a value or group away if it is there, the whole list if it is in one. */
  remove(path: readonly string[]): void {
    let node = this.tree;
    for (const [depth, part] of path.entries()) {
      const child = Object.hasOwn(node, part) ? node[part] : undefined;
      if (depth === path.length - 1 || !isGroup(child)) {
        delete node[part];
        return;
      }
      node = child;
    }
  }
}

function isGroup(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
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
