import assert from "node:assert/strict";
import { after, test } from "node:test";
import axe from "axe-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { until } from "../support/until.js";
import { picture, startChromium, withoutChromium } from "./chromium.js";
import { type Desk, startDesk } from "./desk.js";

const HOSTILE = `<img src=x onerror="window.hacked=1">'"&\u202e</td><script>window.hacked=1</script>`;
const PHONE = { width: 360, height: 740 };
const options = { skip: withoutChromium };

const browser: Browser = withoutChromium === false ? await startChromium() : undefined!;
after(() => browser?.close());
const desk: Desk = withoutChromium === false ? await startDesk({ after }) : undefined!;
/** Rows come all the time from when the first test lets them. */
let isSending = false;
const sending = setInterval(() => {
  if (isSending) void desk.send(HOSTILE, 5).catch(() => {});
}, 100);
after(() => clearInterval(sending));

/** The page, and everything that went wrong in it or went elsewhere. */
async function open(given: BrowserContextOptions = {}): Promise<{ page: Page; wrong: string[] }> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...given });
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on("pageerror", (error) => wrong.push(String(error)));
  page.on("console", (line) => {
    // What a request came to is no fault of the page.
    if (line.type() === "error" && !line.text().startsWith("Failed to load resource"))
      wrong.push(line.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(`${desk.url}/`) && !request.url().startsWith("data:"))
      wrong.push(`asked ${request.url()}`);
  });
  await page.goto(`${desk.url}/`);
  return { page, wrong };
}

async function textOf(page: Page, selector: string): Promise<string> {
  return ((await page.textContent(selector)) ?? "").replaceAll("\u00a0", " ");
}

async function says(page: Page, selector: string, pattern: RegExp): Promise<void> {
  let last = "";
  await until(`${selector} to say ${pattern}, not ${last}`, async () => {
    last = await textOf(page, selector);
    return pattern.test(last);
  }).catch(() => assert.match(last, pattern));
}

async function nodeClass(page: Page, node: string): Promise<string> {
  return (await page.getAttribute(`[data-node="${node}"]`, "class")) ?? "";
}

/** Names of what is seriously wrong for people with a keyboard or a screen reader. */
async function faults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = await page.evaluate(async () => {
    const { axe: loaded } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { target: unknown }[] }[] }> };
    };
    const { violations } = await loaded.run();
    return violations.map(({ id, impact, nodes }) => [
      impact,
      id,
      JSON.stringify(nodes.map((n) => n.target)),
    ]);
  });
  return found
    .filter(([impact]) => impact === "serious" || impact === "critical")
    .map((each) => each.join(" "));
}

async function widthBeyond(page: Page): Promise<number> {
  return await page.evaluate("document.documentElement.scrollWidth - innerWidth");
}

test("a fresh service says that it is ready and how to send the first row", options, async () => {
  const { page, wrong } = await open();
  await says(page, "#verdict-title", /^Ready, and no row has come yet$/);
  assert.match(await textOf(page, "#first-row-command"), new RegExp(`${desk.url}/v1/ingest/system_events`));
  await picture(page, "empty");
  assert.deepEqual(await faults(page), []);
  isSending = true;
  await says(page, "#verdict-title", /^Rows are landing$/);
  assert.equal(await page.isVisible("#first-row"), false);
  assert.deepEqual(wrong, []);
});

test("the page follows the service: figures, drawing, tables, charts and events", options, async () => {
  const { page, wrong } = await open();
  await says(page, "#figure-stored", /^[1-9]/);
  await says(page, '#tables tr:has-text("orders") td[data-column="Stored"]', /^[1-9]/);
  assert.equal(
    await textOf(page, '#tables tr:has-text("market_data") td[data-column="Class"]'),
    "best effort",
  );
  assert.equal(await textOf(page, '#tables tr:has-text("fills") td[data-column="Class"]'), "critical");
  await says(page, ".pipeline", /\d\/soffered.*\d\/sstored/);
  assert.match((await page.getAttribute(".pipeline", "aria-label"))!, /stored [\d.,]+ rows per second/);
  await until("two samples", async () => (await page.locator(".plot.empty").count()) === 0);
  await says(page, "#chart-rows .figure >> nth=0", /^\d/);
  assert.match(await page.title(), /^✓ .* rows\/s$/);
  await picture(page, "live");
  assert.deepEqual(wrong, []);
});

test("ClickHouse is killed and comes back while the page is open", options, async () => {
  const { page, wrong } = await open();
  await says(page, "#verdict-title", /^Rows are landing$/);
  await page.evaluate("window.sameDocument = true");
  desk.engine.kill();
  await says(page, "#verdict-title", /^Rows are not landing: ClickHouse has been away/);
  await until("the drawing to show it", async () => (await nodeClass(page, "clickhouse")).includes("bad"));
  await says(page, "#figure-waiting", /^[1-9]/);
  await says(page, "#clock-lasts", /^\d+ (s|min|h|d)/);
  await says(page, "#events", /down/);
  await picture(page, "down");
  assert.deepEqual(await faults(page), []);
  await desk.engine.restart();
  await says(page, "#verdict-title", /^Rows are landing$/);
  await until("the drawing to be well", async () => (await nodeClass(page, "clickhouse")).includes("ok"));
  assert.equal(await page.evaluate("window.sameDocument"), true);
  assert.deepEqual(wrong, []);
});

test(
  "flush, replay and retry of dead letters each ask first, want the token once, and say what they did",
  options,
  async () => {
    const { page, wrong } = await open();
    await desk.sendBroken();
    const posted: string[] = [];
    page.on("request", (request) => {
      if (request.method() === "POST") posted.push(new URL(request.url()).pathname);
    });
    await says(page, "#verdict-title", /^Rows are landing$/);
    await page.click('[data-action="flush"]');
    await page.keyboard.press("Escape");
    assert.equal(await page.isVisible("#action"), false);
    assert.deepEqual(posted, [], "nothing was asked for");

    await page.click('[data-action="flush"]');
    await page.fill("#action-token", "wrong");
    await page.click("#action-confirm");
    await says(page, "#action-result", /not the service's token/);
    // What no request could carry.
    await page.fill("#action-token", "“wrong”");
    await page.click("#action-confirm");
    await says(page, "#action-result", /not the service's token/);
    assert.equal(await page.evaluate("sessionStorage.length"), 0);
    await page.fill("#action-token", desk.token);
    await picture(page, "flush");
    assert.deepEqual(await faults(page), []);
    await page.click("#action-confirm");
    await says(page, "#action-result", /^Done in .*settled|^Done in .*nothing/);
    await page.click("#action-cancel");

    await page.click('[data-action="replay"]');
    assert.equal(await page.isVisible("#action-token"), false, "the token is known");
    await page.click("#action-confirm");
    await says(page, "#action-result", /^Done: |^Nothing waits/);
    await page.click("#action-cancel");

    await page.click('[data-action="letters"]');
    await says(page, "#action-now", /^orders: 1 × /);
    await page.click("#action-confirm");
    await says(page, "#action-result", /orders: 0 stored now, 0 found stored, 1 left/);
    await picture(page, "letters");
    assert.deepEqual(posted, [...Array(3).fill("/api/flush"), "/api/replay", "/api/dead-letters/retry"]);
    assert.equal(await page.evaluate("localStorage.length"), 0);
    assert.deepEqual(await page.evaluate("Object.values(sessionStorage)"), [desk.token]);
    assert.deepEqual(wrong, []);
  },
);

test(
  "a reload says what holds now, what waits for a restart, and which mistakes keep it from both",
  options,
  async () => {
    const { page, wrong } = await open();
    await says(page, "#verdict-title", /^Rows are landing$/);
    await page.evaluate(`sessionStorage.setItem("coldpath-token", ${JSON.stringify(desk.token)})`);
    await page.click('[data-action="reload"]');
    await desk.configure("tables:\n  orders: { flush: { rows: 77, aeg: 1s } }\n");
    await page.click("#action-confirm");
    await says(
      page,
      "#action-result",
      /Nothing has changed.*tables\.orders\.flush\.aeg: unknown key; did you mean age/,
    );
    await picture(page, "reload-refused");
    assert.deepEqual(await faults(page), []);
    await desk.configure("recorder: { env: night }\ntables:\n  orders: { flush: { rows: 77 } }\n");
    await page.click("#action-confirm");
    await says(page, "#action-result", /tables\.orders\.flush\.rows 2000 → 77: holds now/);
    await says(page, "#action-result", /recorder\.env \S+ → night: after a restart/);
    await picture(page, "reload");
    await page.click("#action-cancel");
    await says(page, "#events", /reloaded: tables\.orders\.flush\.rows 2000 → 77/);
    await desk.configure("");
    assert.deepEqual(wrong, []);
  },
);

test("what data says is text, whatever it says", options, async () => {
  const { page, wrong } = await open();
  await page.route("**/api/events", async (route) => {
    const hostile = { id: 1, at: 1_767_605_400, level: HOSTILE, kind: HOSTILE, message: HOSTILE };
    await route.fulfill({ json: { events: [hostile] } });
  });
  await page.reload();
  await says(page, ".event-message >> nth=-1", /^<img src=x onerror="window\.hacked=1">/);
  await page.evaluate(`sessionStorage.setItem("coldpath-token", ${JSON.stringify(desk.token)})`);
  await page.fill(
    "#sql",
    "SELECT symbol, count() AS rows FROM orders GROUP BY symbol, strategy UNION ALL SELECT 'b', 1",
  );
  await page.click("#sql-run");
  await says(page, "#answer", /<img src=x onerror="window\.hacked=1">'"&\\u\{202e\}<\/td><script>/);
  await says(page, ".bars", /<img src=x/);
  assert.deepEqual(await page.evaluate("[document.images.length, window.hacked ?? null]"), [0, null]);
  const made = await page.evaluate(`(() => {
    try { document.body.innerHTML = "<p>made of text</p>"; return "made"; } catch (error) { return error.name; }
  })()`);
  assert.equal(made, "TypeError", "the browser refuses to make markup of text");
  assert.deepEqual(
    wrong.filter((line) => !line.includes("TrustedHTML")),
    [],
  );
});

test(
  "questions are answered with a table and a chart, and mistakes in ClickHouse's words",
  options,
  async () => {
    const { page, wrong } = await open();
    await page.click("#sql-run");
    await says(page, "#answer", /only with its token/);
    await page.fill("#sql-token", desk.token);
    await page.selectOption("#question", { label: "What came in the last minutes?" });
    await page.click("#sql-run");
    await says(page, ".answer-summary", /^\d+ rows? · [\d,]+ read in /);
    const names = await page.locator("#question option").allTextContents();
    for (const name of names) {
      await page.selectOption("#question", { label: name });
      await page.evaluate("document.querySelector('#answer').replaceChildren()");
      await page.click("#sql-run");
      await says(page, "#answer", /rows? · /);
    }
    await page.fill("#sql", "SELECT number AS n, n * n AS square FROM numbers(1200)");
    await page.click("#sql-run");
    await says(page, ".answer-summary", /^1,000 rows, of more/);
    assert.equal(await page.locator("#answer canvas").count(), 1);
    await page.locator("#sql-title").scrollIntoViewIfNeeded();
    await page.selectOption("#question", { label: "What came in the last minutes?" });
    await page.click("#sql-run");
    await says(page, "#answer", /rows_per_second/);
    await picture(page, "sql");
    await page.fill("#sql", "DROP TABLE orders");
    await page.click("#sql-run");
    await says(page, "#answer .failure", /^expected a question: SELECT/);
    assert.deepEqual(wrong, []);
  },
);

test("everything can be reached and done by keyboard", options, async () => {
  const { page } = await open();
  await says(page, "#verdict-title", /^Rows are landing$/);
  await until("two samples", async () => (await page.locator(".plot.empty").count()) === 0);
  const focused = async (): Promise<string> =>
    (await page.evaluate(
      "document.activeElement.id || document.activeElement.getAttribute('data-action') || document.activeElement.getAttribute('aria-label') || document.activeElement.textContent",
    )) as string;
  const walk: string[] = [];
  while (walk.at(-1) !== "OpenAPI" && walk.length < 60) {
    await page.keyboard.press("Tab");
    walk.push(await focused());
    const outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle");
    assert.notEqual(outline, "none", `${walk.at(-1)} shows that it has the focus`);
  }
  assert.deepEqual(walk, [
    ...["Skip to the content", "flush", "replay", "letters", "reload"],
    ...["Rows a second", "Accepted until visible", "Fullest queue", "INSERT takes", "On disk"].map(
      (name) => `${name}, the last hour`,
    ),
    ...["tables", "Last events, newest first", "question", "sql-run", "sql"],
    ...["status as JSON", "events", "history", "OpenAPI"],
  ]);
  await page.focus('[data-action="flush"]');
  await page.keyboard.press("Enter");
  assert.equal(await focused(), "action-token");
  await page.keyboard.type(desk.token);
  await page.keyboard.press("Enter");
  await says(page, "#action-result", /^Done/);
  assert.equal(await focused(), "action-cancel");
  await page.keyboard.press("Enter");
  assert.equal(await focused(), "flush", "the focus is back where it was");

  await page.focus("#chart-rows .plot");
  await page.keyboard.press("Home");
  const first = await page.getAttribute("#chart-disk .plot", "aria-valuetext");
  await page.keyboard.press("ArrowRight");
  const second = await page.getAttribute("#chart-disk .plot", "aria-valuetext");
  assert.notEqual(first, second, "all charts point at the same moment");
  assert.match(second!, /^\d\d:\d\d:\d\d: log .*, spool /);

  await page.focus("#sql");
  await page.keyboard.press("Control+Enter");
  await says(page, ".answer-summary", /rows? · /);
});

test(
  "axe finds no serious fault, light and dark, wide and on a phone, where nothing scrolls sideways",
  options,
  async () => {
    for (const colorScheme of ["light", "dark"] as const)
      for (const viewport of [{ width: 1280, height: 900 }, { width: 860, height: 900 }, PHONE]) {
        const { page } = await open({ colorScheme, viewport });
        await says(page, "#verdict-title", /^Rows are landing$/);
        await page.evaluate(`sessionStorage.setItem("coldpath-token", ${JSON.stringify(desk.token)})`);
        await page.selectOption("#question", { label: "What is recorded, by symbol?" });
        await page.click("#sql-run");
        await says(page, "#answer", /rows? · /);
        assert.ok((await widthBeyond(page)) <= 0, `${viewport.width} px`);
        assert.deepEqual(await faults(page), [], `${colorScheme}, ${viewport.width} px`);
        await page.evaluate("scrollTo(0, 0)");
        await picture(page, `${colorScheme}-${viewport.width}`);
        await page.context().close();
      }
  },
);

test("a service that dies is told at once, and found again when it is back", options, async () => {
  const { page, wrong } = await open();
  await says(page, "#verdict-title", /^Rows are landing$/);
  await page.evaluate("window.sameDocument = true");
  await until("two samples", async () => (await page.locator(".plot.empty").count()) === 0);
  const samples = async (): Promise<number> =>
    Number(await page.getAttribute("#chart-rows .plot", "aria-valuemax"));
  const [samplesBefore, eventsBefore] = [await samples(), await page.locator("#events li").count()];
  await desk.killService();
  await until("the loss to be told", () => page.isVisible("#lost"));
  assert.equal(await textOf(page, "#connection-title"), "The service does not answer");
  assert.match(await page.title(), /^✕/);
  await says(page, "#connection-detail", /how it was then. Trying/);
  await picture(page, "unreachable");
  assert.deepEqual(await faults(page), []);
  await desk.startService();
  await until("the page to be live again", async () => !(await page.isVisible("#lost")));
  await says(page, "#verdict-title", /^Rows are landing$/);
  assert.equal(await page.evaluate("window.sameDocument"), true);
  await until("a sample of the new start", async () => (await samples()) > samplesBefore + 1);
  assert.ok((await page.locator("#events li").count()) >= eventsBefore, "what happened before is still told");
  assert.deepEqual(wrong, []);
});

test("a log that takes no more is told as what it is", options, async (t) => {
  const after = (end: () => Promise<void> | void): void => t.after(end);
  const small = await startDesk(
    { after },
    { "wal.max": "16MiB", "wal.segment": "1MiB", "wal.reserve": "1MiB" },
  );
  small.engine.kill();
  await until("the log to be full", async () => (await small.send("X", 50, "x".repeat(60_000))) === 503);
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  await page.goto(`${small.url}/`);
  await says(page, "#verdict-title", /^Critical rows are refused$/);
  await says(page, "#verdict-detail", /wal\.max/);
  assert.equal(await textOf(page, "#clock-lasts"), "full");
  assert.match(await nodeClass(page, "log"), /bad/);
  await picture(page, "refusing");
  assert.deepEqual(await faults(page), []);
  await context.close();
});

test("beyond loopback the page asks for the token before it shows anything", options, async (t) => {
  const after = (end: () => Promise<void> | void): void => t.after(end);
  // Not one of the names that reading without a token is for.
  const far = await startDesk({ after }, {}, "127.0.0.2");
  const context = await browser.newContext({ viewport: PHONE });
  const page = await context.newPage();
  await page.goto(`${far.url}/`);
  await says(page, "#connection-title", /^This service asks for its token$/);
  assert.equal(await page.isVisible("#verdict"), false);
  assert.ok((await widthBeyond(page)) <= 0);
  await picture(page, "token");
  assert.deepEqual(await faults(page), []);
  await page.fill("#read-token", "wrong");
  await page.keyboard.press("Enter");
  await says(page, "#connection-title", /^That is not the service's token$/);
  assert.equal(await page.evaluate("sessionStorage.length"), 0, "it is not sent again");
  await page.fill("#read-token", far.token);
  await page.keyboard.press("Enter");
  await says(page, "#verdict-title", /^Ready, and no row has come yet$/);
  await context.close();
});
