import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** One of the page's own modules, which are JavaScript as it is served; what it exports is typed by the test that uses it. */
export async function browserModule<Exports>(name: string): Promise<Exports> {
  return (await import(pathToFileURL(resolve("src/page/browser", `${name}.js`)).href)) as Exports;
}
