import { ClickHouseError, UnreachableError } from "../clickhouse/error.js";

/**
 * What to do after an answer to an INSERT. This file is the only place that knows ClickHouse's codes; their names are in
 * ClickHouse's `src/Common/ErrorCodes.cpp`.
 *
 * - `retry`: the same batch again, soon.
 * - `retry_slowly`: the same batch again, with longer pauses: memory, disk or quota is exhausted.
 * - `slow_down`: too many parts; pause, and send fewer and larger batches.
 * - `ask`: the answer says that the outcome is unknown; the rows are counted before anything is sent again.
 * - `done`: the rows are there already.
 * - `split`: the batch is too large for a limit; its halves may pass.
 * - `pause`: the table cannot be written until somebody changes something: schema, rights, a view.
 * - `poison`: a row's data is refused; halve the batch until that row is alone.
 * - `our_bug`: the request itself is wrong; keep a copy of it and stop this table.
 * - `unknown`: an answer that is not in this table.
 */
export type AnswerClass =
  | "retry"
  | "retry_slowly"
  | "slow_down"
  | "ask"
  | "done"
  | "split"
  | "pause"
  | "poison"
  | "our_bug"
  | "unknown";

export interface Verdict {
  readonly class: AnswerClass;
  /** ClickHouse's error number, `http_502`, `no_connection`, `no_answer` or `other`. */
  readonly code: string;
  /** Whether this attempt may have stored the batch, or still may. */
  readonly mayBeStored: boolean;
  /** So many of these answers in a row to one batch become another class. */
  readonly limit?: { readonly times: number; readonly become: AnswerClass };
  /** The least to wait before the next attempt, milliseconds, if the answer said so. */
  readonly waitMs?: number;
  /** One line for people. */
  readonly message: string;
}

interface Rule {
  readonly class: AnswerClass;
  /** False where ClickHouse refuses before it writes. Default true: believing too little costs only a question. */
  readonly mayBeStored?: false;
  readonly limit?: { readonly times: number; readonly become: AnswerClass };
  readonly codes: readonly number[];
}

/** Answers with a ClickHouse error code. */
const RULES: readonly Rule[] = [
  // biome-ignore format: one line of codes each
  { class: "retry", codes: [3, 95, 96, 97, 107, 159, 160, 198, 202, 203, 204, 209, 210, 225, 236, 242, 254, 265, 279, 285, 286, 364, 369, 373, 394, 410, 425, 439, 473, 499, 999, 1000, 1001, 1002] },
  // Half a block came through: a cut connection. The same twice means that we encode it wrongly.
  { class: "retry", mayBeStored: false, limit: { times: 2, become: "our_bug" }, codes: [32, 33, 40] },
  // A replica set may fail over to a writable one; otherwise it is a user without the right to write.
  { class: "retry", mayBeStored: false, limit: { times: 4, become: "pause" }, codes: [164] },
  { class: "retry_slowly", codes: [201, 243] },
  { class: "retry_slowly", limit: { times: 2, become: "split" }, codes: [241] },
  // 216: an attempt of ours still runs. 319: the quorum's outcome is unknown.
  { class: "ask", codes: [216, 319] },
  { class: "done", codes: [389] },
  { class: "split", mayBeStored: false, codes: [158, 229, 307, 396] },
  // biome-ignore format: one line of codes each
  { class: "pause", mayBeStored: false, codes: [8, 10, 16, 20, 60, 81, 115, 192, 193, 194, 195, 218, 291, 452, 472, 497, 511, 516] },
  // biome-ignore format: one line of codes each
  { class: "poison", mayBeStored: false, codes: [6, 25, 26, 27, 38, 41, 53, 69, 70, 72, 117, 130, 131, 190, 321, 349, 376, 407, 441, 467, 469, 691] },
  { class: "our_bug", mayBeStored: false, codes: [36, 42, 43, 44, 46, 47, 48, 49, 50, 62, 73, 80, 85, 271] },
];

const TOO_MANY_PARTS = 252;
const TOO_MANY_PARTITIONS_RULE: Rule = { class: "split", mayBeStored: false, codes: [TOO_MANY_PARTS] };
const TOO_MANY_PARTS_RULE: Rule = { class: "slow_down", mayBeStored: false, codes: [TOO_MANY_PARTS] };

/**
 * A view refused the rows after the table itself had taken them. Whatever the code, the batch must not be split or its
 * rows dead-lettered; sent with the same token once the view is mended, it fills in the view alone.
 */
const VIEW_RULE: Rule = { class: "pause", codes: [] };
const LASTING: ReadonlySet<AnswerClass> = new Set(["split", "pause", "poison", "our_bug", "unknown"]);

const UNKNOWN_LIMIT = { times: 5, become: "pause" } as const;
const UNKNOWN_RULE: Rule = { class: "unknown", limit: UNKNOWN_LIMIT, codes: [] };

const BY_CODE: ReadonlyMap<number, Rule> = new Map(
  RULES.flatMap((rule) => rule.codes.map((code) => [code, rule] as const)),
);

/** Answers that came from something in between, without a ClickHouse error. */
const BY_STATUS: ReadonlyMap<number, Rule> = new Map<number, Rule>([
  ...[408, 429, 502, 503, 504].map((status) => [status, { class: "retry", codes: [] }] as const),
  // They lead elsewhere, and nothing is sent after them: an address to be mended.
  ...[301, 302, 303, 307, 308].map((status) => [status, { class: "pause", codes: [] }] as const),
  // A proxy's limit on bodies.
  [413, { class: "split", mayBeStored: false, codes: [] }],
  ...[401, 403, 404, 405, 407, 411].map(
    (status) => [status, { class: "pause", mayBeStored: false, codes: [] }] as const,
  ),
]);

/** What a failed INSERT means. Anything that is not known for certain counts as maybe stored. */
export function classify(error: unknown): Verdict {
  if (error instanceof ClickHouseError)
    return verdict(ruleOf(error), String(error.clickhouseCode), error.message);
  if (error instanceof UnreachableError) {
    if (error.neverSent)
      return { class: "retry", code: "no_connection", mayBeStored: false, message: error.message };
    if (error.status === undefined)
      return { class: "retry", code: "no_answer", mayBeStored: true, message: error.message };
    return {
      ...verdict(BY_STATUS.get(error.status) ?? UNKNOWN_RULE, `http_${error.status}`, error.message),
      ...(error.retryAfterMs === undefined ? {} : { waitMs: error.retryAfterMs }),
    };
  }
  return verdict(UNKNOWN_RULE, "other", error instanceof Error ? error.message : String(error));
}

function ruleOf(error: ClickHouseError): Rule {
  const rule = BY_CODE.get(error.clickhouseCode) ?? UNKNOWN_RULE;
  if (isViewFailure(error) && (LASTING.has(rule.class) || rule.mayBeStored === false)) return VIEW_RULE;
  if (error.clickhouseCode === TOO_MANY_PARTS)
    return /too many partitions/i.test(error.message) ? TOO_MANY_PARTITIONS_RULE : TOO_MANY_PARTS_RULE;
  return rule;
}

/** Whether a materialized view failed, not the table. */
export function isViewFailure(error: unknown): boolean {
  return error instanceof ClickHouseError && error.message.includes("while pushing to view");
}

function verdict(rule: Rule, code: string, text: string): Verdict {
  const message = text.split("\n", 1)[0]!;
  return {
    class: rule.class,
    code,
    mayBeStored: rule.mayBeStored ?? true,
    ...(rule.limit === undefined ? {} : { limit: rule.limit }),
    message,
  };
}
