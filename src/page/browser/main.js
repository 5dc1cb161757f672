// @ts-check
/** Brings what the service sends to the parts of the page. */

import { Actions } from "./actions.js";
import { ask, authorization, failureText, keepToken, token } from "./api.js";
import { Charts } from "./charts.js";
import { byId, setText } from "./dom.js";
import { EventList } from "./events.js";
import { durationText, timeText } from "./format.js";
import { Headline } from "./headline.js";
import { History } from "./history.js";
import { PipelineDrawing } from "./pipeline.js";
import { QueryBox } from "./query.js";
import { LiveStream } from "./stream.js";
import { TableOfTables } from "./tables.js";

/** @typedef {import("./report.js").Report} Report */

const headline = new Headline();
const pipeline = new PipelineDrawing(byId("pipeline"));
const history = new History();
const charts = new Charts(byId("charts"), history);
const tables = new TableOfTables(byId("tables"));
const events = new EventList(byId("events"));

/** @type {Report | undefined} */
let report;
/** @type {import("./stream.js").Connection} */
let connection = { kind: "connecting" };
/** Whether the token that was given for reading was refused. */
let isTokenWrong = false;
/** Seconds that the service's clock is ahead of this machine's. */
let ahead = 0;

/** @param {import("./stream.js").Message} message */
function heard({ event, data }) {
  const told = JSON.parse(data);
  if (event === "status") show(told);
  else if (event === "event") events.add(told);
  else if (event === "sample") {
    history.add(told);
    charts.update();
  }
}

/** @param {Report} now */
function show(now) {
  // The page came with the service: another version has another page.
  if (report !== undefined && report.service.version !== now.service.version) location.reload();
  report = now;
  ahead = now.at - Date.now() / 1000;
  document.body.dataset["report"] = "yes";
  headline.show(now);
  pipeline.show(now);
  tables.show(now);
}

/** @param {import("./stream.js").Connection} now */
function connected(now) {
  const wasLive = connection.kind === "live";
  if (now.kind === "lost" && now.status === 401 && token() !== undefined) {
    // Shown again and again it would be taken for an attack.
    keepToken(undefined);
    isTokenWrong = true;
  } else if (now.kind === "live") isTokenWrong = false;
  connection = now;
  headline.connection(now, report !== undefined);
  if (now.kind === "live" && !wasLive) void catchUp();
  tellConnection();
}

/** What was missed: at first everything. */
async function catchUp() {
  try {
    const [past, told] = await Promise.all([ask("GET", "/api/history"), ask("GET", "/api/events")]);
    history.load(past);
    charts.update();
    events.load(told.events);
  } catch (error) {
    // The stream is there, so it goes on with what comes from now on.
    setText(byId("connection-detail"), `The last hour could not be read: ${failureText(error)}`);
  }
}

/** Each second, as it says how long. */
function tellConnection() {
  setText(byId("now"), timeText(Date.now() / 1000 + ahead));
  if (connection.kind !== "lost") {
    setText(byId("connection"), connection.kind === "live" ? "live" : "connecting …");
    return;
  }
  const { status, reason, since, retryAt } = connection;
  setText(byId("connection"), connection.status === 401 ? "needs the token" : "no answer");
  const wait = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
  const needsToken = status === 401;
  byId("read-token-form").hidden = !needsToken;
  byId("retry-now").hidden = needsToken;
  const asked = isTokenWrong ? "That is not the service's token" : "This service asks for its token";
  setText(byId("connection-title"), needsToken ? asked : "The service does not answer");
  const again = wait === 0 ? "Trying now …" : `Trying again in ${wait} s.`;
  const shown = report === undefined ? "" : " What is shown below is how it was then.";
  const lost = `For ${durationText((Date.now() - since) / 1000)}: ${reason}.${shown} ${again}`;
  const full = "It has as many readers as it may have. " + again;
  setText(
    byId("connection-detail"),
    needsToken
      ? "It does not listen on this machine alone, so reading needs the token too."
      : status === 503
        ? full
        : lost,
  );
}

const stream = new LiveStream({
  path: "/api/stream",
  headers: authorization,
  onMessage: heard,
  onConnection: connected,
});
byId("retry-now").addEventListener("click", () => stream.connect());
byId("read-token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const input = /** @type {HTMLInputElement} */ (byId("read-token"));
  keepToken(input.value.trim());
  isTokenWrong = token() === undefined;
  input.value = "";
  stream.connect();
});
setText(
  byId("first-row-command"),
  `curl -H "Authorization: Bearer $(cat data/admin-token)" -H 'Content-Type: application/x-ndjson' \\
  ${location.origin}/v1/ingest/system_events --data-binary '{"ts":"${new Date().toISOString()}","kind":"hello"}'`,
);
new Actions(() => report);
new QueryBox();
setInterval(tellConnection, 1000);
stream.connect();
