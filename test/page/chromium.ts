import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";

/** Debian's; the tests download no browser. */
const PROGRAM = "/usr/bin/chromium";
/** Where pictures go, if anywhere: those of the documentation were made so. */
const PICTURES = process.env["COLDPATH_TEST_PICTURES"];

/** Why tests in a browser are skipped here, or false. */
export const withoutChromium: string | false = existsSync(PROGRAM)
  ? false
  : `there is no ${PROGRAM}: apt-get install chromium`;

export async function startChromium(): Promise<Browser> {
  // The sandbox cannot be had by root; the page is our own.
  return await chromium.launch({ executablePath: PROGRAM, args: ["--no-sandbox"] });
}

/** Keeps a picture of what the page shows, if somebody wants to look at it. */
export async function picture(page: Page, name: string): Promise<void> {
  if (PICTURES === undefined) return;
  await page.screenshot({ path: join(PICTURES, `${name}.png`) });
}
