import { DECISION } from "../../src/intake/normalise/decision.js";
import { EXEC_TYPE } from "../../src/intake/normalise/exec-type.js";
import { LIQUIDITY } from "../../src/intake/normalise/liquidity.js";
import { ORDER_TYPE } from "../../src/intake/normalise/order-type.js";
import { SEVERITY } from "../../src/intake/normalise/severity.js";
import { LAST_SIDE, SIDE } from "../../src/intake/normalise/side.js";
import { STATUS } from "../../src/intake/normalise/status.js";
import { TIF } from "../../src/intake/normalise/tif.js";
import type { Vocabulary } from "../../src/intake/normalise/vocabulary.js";

/** Each vocabulary with what its codes are. */
const VOCABULARIES: readonly (readonly [words: Vocabulary, tables: string, codes: string])[] = [
  [SIDE, "orders, fills", "FIX 54"],
  [LAST_SIDE, "market_data", "FIX 2446"],
  [STATUS, "orders", "FIX 39, 150"],
  [ORDER_TYPE, "orders", "FIX 40"],
  [TIF, "orders", "FIX 59"],
  [EXEC_TYPE, "fills", "FIX 150"],
  [LIQUIDITY, "fills", "FIX 851"],
  [DECISION, "risk_decisions", ""],
  [SEVERITY, "system_events", ""],
];

const INTRODUCTION = `# Events

Source of the vocabularies: \`src/intake/normalise/\`. What is said here holds for rows from rings (\`record()\`) and for
\`POST /v1/ingest/TABLE\`. Files have [mappings](mapping.md) of their own and are not touched.

| \`type\` of \`recorder.events.record\` | table | \`recorder.…\` |
|---|---|---|
| \`quote\`, \`depth\`, \`trade\` | \`market_data\`, with that \`kind\` | \`marketData\` |
| \`order\` | \`orders\` | \`orders\` |
| \`fill\` | \`fills\` | \`fills\` |
| \`position\` | \`positions_intraday\` | \`positionsIntraday\` |
| \`account\` | \`account_state\` | \`accountState\` |
| \`risk_decision\` | \`risk_decisions\` | \`riskDecisions\` |
| \`guardrail_transition\` | \`guardrail_transitions\` | \`guardrailTransitions\` |
| \`system_event\` | \`system_events\` | \`systemEvents\` |

An event's other keys are the columns of its table ([dictionary](tables.md)). One of another \`type\` is not taken: \`record()\` gives
false and \`stats().unknownEvents\` counts it. A key that no column has is ignored from a ring, where the compiler finds it, and refused
over HTTP.

## Times

- \`ts_local\` of \`market_data\` and \`fills\`, when absent, is the time of the call of \`record()\`, or of the request's arrival.
- \`ts_exchange\` of \`market_data\`, when absent, is \`ts_local\`, and \`ts_exchange_src\` says \`local\`.
- \`ts\` of the other tables is required: it is the time of what happened, which only the caller knows.
- \`env\`, \`recorder\`, \`run\` and \`seq\` are the recorder's to write; \`source\` and \`source_seq\` the caller's, where a row has an origin.

## Books

\`bids\` and \`asks\` are lists of levels, best first: \`[price, size, …]\` (what follows is ignored), \`{px, sz}\` or \`{price, size}\`.
They are stored as \`bid_px\`, \`bid_sz\`, \`ask_px\`, \`ask_sz\`, to the depth in \`tables.market_data.policy.depth\`; levels beyond it are not
looked at. The columns may be given instead. \`bid_px1\`, \`bid_sz1\`, \`ask_px1\` and \`ask_sz1\` are the first level where the row says
neither price nor size. Crossed books, equal prices and sizes of zero are stored as they came. A side that is not best first is refused:
it is no snapshot, or its sides are swapped; changes of a book must be applied to a book before it is recorded.

## Symbols

As the venue writes them. White space around them is cut off; an empty one is refused.

## Lives of orders and fills

- A step of a known order (same \`client_order_id\`, else same \`broker_order_id\`) may leave out \`strategy\`, \`account_id\`, \`symbol\`,
  \`side\`, \`qty\`, \`limit_px\`, \`order_type\`, \`tif\` and the other ids: it gets what the steps before it said. What it says itself
  stands, NULL included.
- A step under a new \`client_order_id\` gets them from the order in \`orig_client_order_id\`, but not the broker's id.
- A fill gets ids, \`strategy\`, \`account_id\`, \`symbol\` and \`side\` from its order. A bust or correction gets these and \`venue\` from the
  fill in \`corrects_fill_id\`; a bust also gets \`fill_qty\` and \`fill_px\`, which a correction must say. \`fills_net\` applies both.
- A row that says another \`strategy\`, \`account_id\`, \`symbol\` or \`side\` than an order with its id is about another order. An id that
  stands for several orders completes nothing, unless one alone is not finished. A row given in full under the id of a finished order
  begins a new one. Broker's ids that several venues share need \`symbol\` or \`account_id\` in each row.
- What is still missing then is refused, with the column's name; so is everything that builds on a step that was refused.
- 16,384 orders and as many fills are remembered; finished ones leave first. \`stats().lives\` tells how many are held and how many
  orders were forgotten before they were finished. The memory is that of the pipeline: it begins empty when the recorder or its
  worker starts.
- Order is kept within a ring and within a request, not between them: record an order and its fills on one thread, or say all in each row.

## Words

Capitals, hyphens, spaces and \`CamelCase\` make no difference: \`PartiallyFilled\`, \`PARTIALLY_FILLED\` and \`partially-filled\` are one word.
Codes are read exactly; their digits may be numbers. An open vocabulary keeps other words, in lower case with underscores; a closed one
refuses them. What means different things in different places is refused always: nothing is guessed.
`;

/** `docs/reference/events.md`, below its first line. */
export function eventsPage(): string {
  return `${INTRODUCTION}\n${VOCABULARIES.map(section).join("\n")}`;
}

function section([{ options }, tables, codeName]: (typeof VOCABULARIES)[number]): string {
  const { column, words, codes = {}, ambiguous = {}, isOpen } = options;
  const stored = [...new Set([...Object.values(words), ...Object.values(codes)])];
  const rows = stored.map((word) => {
    const name = word === null ? "NULL" : `\`${word}\``;
    return `| ${name} | ${readAs(words, word)} |${codeName === "" ? "" : ` ${readAs(codes, word)} |`}`;
  });
  const heading = `| stored | read from |${codeName === "" ? "" : ` ${codeName} |`}`;
  const refused = [...new Set(Object.values(ambiguous))].map((why) => `- ${readAs(ambiguous, why)}: ${why}`);
  return `### \`${column}\` of ${tables}: ${isOpen ? "open" : "closed"}

${heading}
|${"---|".repeat(codeName === "" ? 2 : 3)}
${rows.join("\n")}
${refused.length === 0 ? "" : `\nAmbiguous, refused:\n\n${refused.join("\n")}\n`}`;
}

/** What `words` has for one word. */
function readAs(words: Readonly<Record<string, string | null>>, word: string | null): string {
  return Object.keys(words)
    .filter((key) => words[key] === word)
    .map((key) => (key === "" ? "empty text" : `\`${key}\``))
    .join(", ");
}
