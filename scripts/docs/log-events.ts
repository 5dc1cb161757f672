import { EVENT_KINDS } from "../../src/live/event-message.js";
import { levelOf } from "../../src/service/event-level.js";
import { runbookOfKind } from "../../src/service/runbook.js";

/** The reference page of the events in the log. */
export function logEventsPage(): string {
  const rows = EVENT_KINDS.map((kind) => {
    const page = runbookOfKind(kind);
    const link = page === undefined ? "" : `[${page}](../runbooks/${page}.md)`;
    return `| \`${kind}\` | ${levelOf(kind) ?? "by state"} | ${link} |`;
  });
  return `# Events in the log

Source: \`src/live/event-message.ts\`, \`src/service/event-level.ts\`, \`src/service/runbook.ts\`. What a service tells of itself: a line of its log each, the same over
\`GET /api/events\` and the stream, counted by \`recorder_events_total{event}\`, and for a library the recorder's \`event\` (\`RecorderEvent\`, whose types tell the fields).

Every line has \`time\` (ISO 8601), \`level\` (20 debug, 30 info, 40 warn, 50 error), \`event\` and \`msg\`, one line for people. \`runbook\` is there where something is to be done;
\`repeated\` says for how many lines this one stands. Beside these: \`admin\` (who changed something over HTTP), \`reload\`, \`token_refused\`, \`engine\`, \`broken_parts\`, \`request_failed\`.

| event | level | runbook |
|---|---|---|
${rows.join("\n")}
`;
}
