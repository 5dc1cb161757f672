import type { Clock } from "../base/clock.js";
import { crashPoint } from "../base/crash-point.js";
import { ColdpathError, messageOf } from "../base/errors.js";
import { MINUTE_MS, SECOND_MS } from "../base/units.js";
import { untilAborted } from "../base/until-aborted.js";
import type { Batch } from "../buffer/batch.js";
import type { ServerLife } from "../clickhouse/client.js";
import { UnreachableError } from "../clickhouse/error.js";
import { type AnswerClass, classify, isViewFailure, type Verdict } from "./answers.js";
import { type Attempt, Attempts } from "./attempts.js";
import { Backoff } from "./backoff.js";
import { refusedRow } from "./dead-letter.js";
import type { DeadLetters } from "./dead-letters.js";
import type { IncidentName, Report } from "./events.js";
import type { Fence } from "./fence.js";
import type { InFlight } from "./in-flight.js";
import type { Found, Inquiry } from "./inquiry.js";
import type { Lane, Outcome } from "./lane.js";
import { LeftOut } from "./left-out.js";
import type { Link } from "./link.js";
import type { RequestDump } from "./request-dump.js";

/** What all deliveries of a sink share. */
export interface DeliveryContext {
  /** This start of the recorder. */
  readonly run: bigint;
  readonly endpoints: readonly string[];
  readonly link: Link;
  readonly fence: Fence;
  readonly inquiry: Inquiry;
  readonly inFlight: InFlight;
  readonly deadLetters: DeadLetters;
  readonly dump: RequestDump;
  readonly clock: Clock;
  readonly random: () => number;
  readonly report: Report;
  /** Aborted at the recorder's end: whatever is not stored by then is left. */
  readonly signal: AbortSignal;
}

/** Milliseconds until the next turn, or that there is none for this batch as a whole. */
type Next = number | "done" | "split";

const NOW: Next = 0;
const RETRY_FIRST_MS = 100;
const RETRY_MOST_MS: number = 10 * SECOND_MS;
const SLOW_FIRST_MS: number = SECOND_MS;
const SLOW_MOST_MS: number = MINUTE_MS;
const PAUSE_MS: number = 30 * SECOND_MS;
/** A single row is given up when it was refused so often: once may have been a body damaged on its way. */
const POISON_ANSWERS = 2;
/** An attempt this old is not sent again before the rows were asked for. */
const YOUNG_MS: number = MINUTE_MS;

/** Answers of a ClickHouse that is there but overloaded or out of something. */
const PATIENCE: ReadonlySet<AnswerClass> = new Set(["retry", "retry_slowly", "slow_down", "ask", "unknown"]);

/**
 * One batch on its way into ClickHouse, until its rows are stored, in the dead letters, or left at the recorder's end.
 * The states and why they neither lose nor double a row: `docs/internals/sink.md`.
 */
export class Delivery {
  readonly #batch: Batch;
  readonly #lane: Lane;
  readonly #context: DeliveryContext;
  readonly #outcome: Outcome;
  readonly #soon: Backoff;
  readonly #slowly: Backoff;
  #generation: number;
  /** The generation that the journal knows of, -1 for none; nothing is sent under a later one. */
  #sealed: number;
  #attempts = 0;
  /** While there is one, rows are not sent again, split or given up without {@link #inDoubt}. */
  readonly #unsure = new Attempts();
  /** The rows are counted before anything else is done. */
  #mustAsk = false;
  /** A success counts only once the rows were counted: the token may be remembered from a life that lost them. */
  #mustCount = false;
  /** ClickHouse answered that the rows are stored, and they are to be counted. */
  #claimed = false;
  /** What to do with the batch, once it is certain that nothing of it is stored. */
  #refusal: "split" | "poison" | undefined;
  #last: Verdict | undefined;
  #inARow = 0;
  /** Turns that ended in an error nobody knows, one after the other. */
  #brokenTurns = 0;
  /** A view refused rows that may be stored, and no success has filled it in since. */
  #viewFailed = false;
  #troubled = false;
  /** What the batch was split into, to be delivered in its place. */
  #parts: readonly Batch[] = [];
  /** The dead letter is on disk, and the journal is still to be told. */
  #isBuried = false;
  readonly #leftOut: LeftOut;

  /** `outcome` gathers what became of the rows, for this batch and those it is split into. */
  constructor(batch: Batch, lane: Lane, context: DeliveryContext, outcome: Outcome) {
    this.#sealed = batch.sealed ?? -1;
    this.#generation = batch.sealed ?? 0;
    if (batch.inherited) {
      // Somebody may have sent it, and the token may be remembered from a life that lost the rows.
      this.#mustAsk = true;
      this.#mustCount = true;
      if (batch.run !== context.run) this.#unsure.addEarlier(context.endpoints);
    }
    this.#batch = batch;
    this.#lane = lane;
    this.#context = context;
    this.#outcome = outcome;
    this.#leftOut = new LeftOut(context.deadLetters);
    this.#soon = new Backoff(RETRY_FIRST_MS, RETRY_MOST_MS, context.random);
    this.#slowly = new Backoff(SLOW_FIRST_MS, SLOW_MOST_MS, context.random);
  }

  /** Resolves when the fate of all rows is known and counted. */
  async run(): Promise<void> {
    const { signal } = this.#context;
    let next: Next;
    try {
      next = await this.#turn();
      while (typeof next === "number") {
        this.#beInTrouble();
        if (next > 0) await this.#lane.rest(next, signal);
        next = await this.#turn();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
      if (this.#unsure.none && !this.#claimed) this.#outcome.unsent += this.#batch.rows;
      else this.#outcome.unconfirmed += this.#batch.rows;
      return;
    }
    // One after the other, and under the trouble of the whole, so that no other batch goes between.
    for (const part of this.#parts) await new Delivery(part, this.#lane, this.#context, this.#outcome).run();
    if (this.#troubled) this.#lane.endTrouble();
  }

  get #token(): string {
    return `${this.#tokenStart}${this.#batch.name}/${this.#generation}`;
  }

  /** What the tokens of all batches of this table and run begin with, and so do the names of their attempts. */
  get #tokenStart(): string {
    const { recorder, run, table } = this.#batch;
    return `${recorder}/${hex(run)}/${table.name}/`;
  }

  /** One step, once the link and the number of requests allow it. Throws only when the recorder closes. */
  async #turn(): Promise<Next> {
    const { link, inFlight, signal } = this.#context;
    await link.usable(signal);
    const held = await this.#seal();
    if (held !== undefined) return held;
    const leave = await inFlight.enter(signal);
    try {
      const next = await this.#step();
      this.#brokenTurns = 0;
      return next;
    } catch (error) {
      if (signal.aborted) throw error;
      return this.#turnFailed(error);
    } finally {
      leave();
    }
  }

  /**
   * Tells the journal of what is about to be sent; gives when to try again if it cannot be told. Not within the turn of a request: a slow
   * disk must not hold up tables that are not on it.
   */
  async #seal(): Promise<Next | undefined> {
    if (this.#sealed >= this.#generation || this.#mustAsk || this.#refusal !== undefined) return undefined;
    const waits = !this.#troubled;
    if (waits) this.#lane.beginSeal();
    try {
      crashPoint("sink.before_seal");
      await this.#written(this.#lane.journal.seal(this.#batch, this.#generation));
      crashPoint("sink.after_seal");
      this.#sealed = this.#generation;
      return undefined;
    } catch (error) {
      return this.#journalFailed(error);
    } finally {
      if (waits) this.#lane.endSeal();
    }
  }

  /** Asks if the outcome is in doubt, then gives up or sends. */
  async #step(): Promise<Next> {
    if (await this.#inDoubt()) {
      const next = await this.#ask();
      if (next !== undefined) return next;
    }
    return await (this.#refusal === undefined ? this.#send() : this.#giveUp(this.#refusal));
  }

  async #send(): Promise<Next> {
    // The turn began under an older generation: the next one begins with the seal.
    if (this.#sealed < this.#generation) return NOW;
    const { inserter } = this.#lane;
    // Another column may be left out meanwhile, of which nothing is kept yet.
    const { leftOut } = inserter;
    await this.#leftOut.keep(this.#batch, leftOut);
    const { clock, link, signal } = this.#context;
    this.#attempts += 1;
    const attempt = { name: this.#attemptName, life: link.life, sentAt: clock.monotonic() };
    // In doubt from here on, until an answer says otherwise.
    this.#unsure.begin(attempt);
    const ended = link.watch();
    crashPoint("sink.before_send");
    try {
      const how = { name: attempt.name, at: attempt.life.endpoint, leftOut };
      await inserter.send(this.#batch, this.#token, how, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      return await this.#refused(error, attempt);
    } finally {
      ended();
    }
    crashPoint("sink.after_answer");
    this.#unsure.end(attempt);
    this.#lane.inserted((clock.monotonic() - attempt.sentAt) / SECOND_MS, this.#batch.rows);
    link.worked();
    this.#viewFailed = false;
    return this.#claim();
  }

  async #dump({ name }: Attempt, verdict: Verdict): Promise<void> {
    const { inserter } = this.#lane;
    const { leftOut } = inserter;
    const head = inserter.head(this.#batch, this.#token, name, leftOut);
    await this.#context.dump.write(this.#batch, head, leftOut, verdict);
  }

  get #attemptName(): string {
    const { run } = this.#context;
    const by = this.#batch.run === run ? "" : `${hex(run)}.`;
    return `${this.#token}/${by}${this.#attempts}`;
  }

  /** ClickHouse says that the rows are stored. */
  #claim(): Next {
    if (!this.#mustCount) return this.#stored();
    this.#claimed = true;
    this.#mustAsk = true;
    return NOW;
  }

  #stored(): Next {
    this.#note(this.#batch);
    return "done";
  }

  /** The rows of the batch, or of a part of it, are in ClickHouse. */
  #note(batch: Batch): void {
    this.#lane.journal.stored(batch);
    this.#lane.stored(batch);
    this.#outcome.stored += batch.rows;
  }

  /** Whether the rows have to be counted: an attempt in doubt is old or was sent in another life of ClickHouse. */
  async #inDoubt(): Promise<boolean> {
    if (this.#mustAsk) return true;
    if (this.#unsure.none) return false;
    const { link, clock, signal } = this.#context;
    const life = await link.readLife(signal);
    return !this.#unsure.sentIn(life) || clock.monotonic() - this.#unsure.oldestAt! >= YOUNG_MS;
  }

  /** Counts the rows; undefined if none is stored and the batch goes on. */
  async #ask(): Promise<Next | undefined> {
    const { inquiry, link, signal } = this.#context;
    const life = await link.readLife(signal);
    const fenced = await this.#endAttempts(life.endpoint);
    const found = await inquiry.count(this.#batch, life.endpoint, signal);
    link.worked();
    if (found.rows > found.seqs) this.#incident("stored_twice", found);
    if (found.seqs === this.#batch.rows) {
      if (this.#viewFailed) this.#incident("view_incomplete", found);
      return this.#stored();
    }
    if (found.seqs > 0) {
      this.#mustAsk = true;
      return this.#takeApart(found) ?? this.#partlyStored(found);
    }
    this.#noneStored(life, fenced);
    const loose = this.#unsure.looseFrom(life.endpoint);
    if (this.#refusal === undefined || loose === undefined) return undefined;
    // New tokens do not keep it out, so the batch stays whole until that server can be asked.
    this.#mustAsk = true;
    const { code } = this.#last!;
    return this.#pause("ask", code, `an INSERT may still run at ${loose}, which does not answer`);
  }

  /** Ends what may still run and gives the endpoints for which that is certain. */
  async #endAttempts(used: string): Promise<ReadonlySet<string>> {
    const { fence, signal, endpoints } = this.#context;
    const { names, hasEarlier } = this.#unsure;
    const all = new Set(endpoints);
    const ours = names.length > 0 ? await fence.end(names, used, signal) : all;
    const earlier = hasEarlier ? await fence.endEarlier(this.#tokenStart, used, signal) : all;
    return new Set(endpoints.filter((each) => ours.has(each) && earlier.has(each)));
  }

  /**
   * An inherited batch without a seal is frames put together anew, which another batch may have held whose seal is lost: some may be stored, each
   * of them whole. So may those of a batch whose seal a start before could not read, or that ClickHouse stored as several parts: as nothing of it
   * runs any more and this start has not sent it, the others go by themselves, and that is told.
   */
  #takeApart(found: Found): Next | undefined {
    const { frames, inherited } = this.#batch;
    const { perFrame } = found;
    const isSealed = this.#sealed >= 0;
    if (!inherited || (isSealed && this.#attempts > 0) || frames.length === 0) return undefined;
    if (perFrame.some((seqs, i) => seqs !== 0 && seqs !== frames[i]!.count)) return undefined;
    if (isSealed) this.#incident("partly_stored", found);
    const runs = this.#batch.runs((frame) => perFrame[frame] !== 0);
    for (const { kind: isStored, batch } of runs) if (isStored) this.#note(batch);
    this.#parts = runs.filter(({ kind }) => !kind).map(({ batch }) => batch);
    return "split";
  }

  #noneStored(life: ServerLife, fenced: ReadonlySet<string>): void {
    this.#viewFailed = false;
    if (this.#claimed) {
      // The token is remembered and the rows are not: only another token brings them in.
      this.#generation += 1;
      this.#claimed = false;
      this.#mustCount = false;
    } else if (!this.#unsure.sentIn(life)) this.#mustCount = true;
    this.#mustAsk = false;
    this.#unsure.fenced(fenced, life, this.#context.clock.monotonic());
  }

  /** One block is atomic, so this needs a person: nothing is filled in silently. */
  #partlyStored(found: Found): Next {
    this.#incident("partly_stored", found);
    const message = `${found.seqs} of ${this.#batch.rows} rows of batch ${this.#batch.name} are stored`;
    return this.#pause("partly_stored", "partly_stored", message);
  }

  #incident(name: IncidentName, found: Found): void {
    const { table, partition, firstSeq, lastSeq, rows } = this.#batch;
    const where = { table: table.name, partition: partition.key, firstSeq, lastSeq };
    this.#context.report({ kind: "incident", name, ...where, expected: rows, found: found.rows });
  }

  /** An attempt failed: notes what that means and says how to go on. */
  async #refused(error: unknown, attempt: Attempt): Promise<Next> {
    const verdict = classify(error);
    if (!verdict.mayBeStored) this.#unsure.end(attempt);
    this.#viewFailed ||= isViewFailure(error);
    this.#inARow = verdict.code === this.#last?.code ? this.#inARow + 1 : 1;
    this.#last = verdict;
    this.#lane.failed(verdict);
    const { limit } = verdict;
    const action = limit !== undefined && this.#inARow >= limit.times ? limit.become : verdict.class;
    this.#tellLink(error, action);
    switch (action) {
      case "done":
        return this.#claim();
      case "split":
      case "poison":
        if (action === "split") this.#tell(verdict, 0);
        this.#refusal = action;
        this.#mustAsk = !this.#unsure.none;
        return NOW;
      case "our_bug":
        await this.#dump(attempt, verdict);
        return this.#pause(action, verdict.code, verdict.message);
      case "pause":
        return this.#pause(action, verdict.code, verdict.message);
      case "ask":
        this.#mustAsk = true;
        return this.#retry(this.#soon, verdict);
      case "slow_down":
        this.#lane.enlarge();
        return this.#retry(this.#slowly, verdict);
      case "retry_slowly":
        return this.#retry(this.#slowly, verdict);
      case "retry":
      case "unknown":
        return this.#retry(this.#soon, verdict);
    }
  }

  #tellLink(error: unknown, action: AnswerClass): void {
    const { link } = this.#context;
    if (error instanceof UnreachableError) {
      // A proxy that takes smaller bodies is no reason to leave, nor a sign that ClickHouse is there.
      if (action !== "split") link.failed(error);
    } else if (PATIENCE.has(action)) link.struggles(messageOf(error));
    else link.worked();
  }

  #retry(backoff: Backoff, verdict: Verdict): Next {
    const waitMs = Math.max(backoff.next(), verdict.waitMs ?? 0);
    this.#tell(verdict, waitMs);
    return waitMs;
  }

  #tell({ class: kind, code, message }: Verdict, waitMs: number): void {
    const where = { table: this.#batch.table.name, batch: this.#batch.name };
    this.#context.report({ kind: "retry", ...where, class: kind, code, message, waitMs });
  }

  #pause(kind: AnswerClass | IncidentName, code: string, message: string): Next {
    this.#lane.pause({ class: kind, code, message });
    return PAUSE_MS * (0.5 + this.#context.random() / 2);
  }

  /** The rows cannot be stored as they are, and none of them is. */
  async #giveUp(refusal: "split" | "poison"): Promise<Next> {
    if (this.#batch.rows > 1) return await this.#split();
    const { code, message } = this.#last!;
    if (refusal === "split") {
      this.#refusal = undefined;
      return this.#pause("split", code, `a single row is too large: ${message}`);
    }
    if (this.#inARow < POISON_ANSWERS) {
      this.#refusal = undefined;
      return NOW;
    }
    return await this.#bury(code, message);
  }

  async #split(): Promise<Next> {
    const halves = this.#batch.halves();
    crashPoint("sink.before_split");
    try {
      await this.#written(this.#lane.journal.split(this.#batch, halves));
    } catch (error) {
      return this.#journalFailed(error);
    }
    crashPoint("sink.after_split");
    this.#parts = halves;
    return "split";
  }

  /** A row by itself, refused for good. */
  async #bury(code: string, reason: string): Promise<Next> {
    const { deadLetters, report } = this.#context;
    const refused = refusedRow(this.#batch, code, reason);
    const { table, seq } = refused;
    try {
      if (!this.#isBuried) await deadLetters.add(refused);
    } catch (error) {
      // Not on disk, so not given up: the row stays here until it is.
      report({ kind: "dead_letters_failed", table, rows: 1, message: messageOf(error) });
      return this.#pause("poison", code, `its dead letter cannot be written: ${messageOf(error)}`);
    }
    this.#isBuried = true;
    crashPoint("sink.after_dead_letter");
    try {
      await this.#written(this.#lane.journal.skip(this.#batch));
    } catch (error) {
      return this.#journalFailed(error);
    }
    report({ kind: "dead_lettered", table, seq, code, reason });
    this.#lane.deadLettered(this.#batch);
    this.#outcome.deadLettered += 1;
    return "done";
  }

  /** A disk that hangs does not hold up the recorder's end. */
  async #written(journal: Promise<void>): Promise<void> {
    await untilAborted(journal, this.#context.signal);
  }

  /** The log has no room or its disk fails: it is tried again, and nothing is sent before. */
  #journalFailed(error: unknown): Next {
    if (this.#context.signal.aborted) throw error;
    const message = `the log cannot be written: ${messageOf(error)}`;
    return this.#retry(this.#soon, { class: "retry", code: "journal", mayBeStored: false, message });
  }

  /** The question itself got no answer that helps, or something here broke: the turn is taken again. */
  #turnFailed(error: unknown): Next {
    const { link } = this.#context;
    const verdict = classify(error);
    if (error instanceof UnreachableError) link.failed(error);
    else if (error instanceof ColdpathError) link.struggles(error.message);
    const { class: kind, limit, code, message } = verdict;
    this.#brokenTurns = kind === "unknown" ? this.#brokenTurns + 1 : 0;
    if (kind === "pause" || (kind === "unknown" && this.#brokenTurns >= limit!.times))
      return this.#pause(kind, code, message);
    return this.#retry(this.#soon, verdict);
  }

  #beInTrouble(): void {
    if (this.#troubled) return;
    this.#troubled = true;
    this.#lane.beginTrouble();
  }
}

function hex(run: bigint): string {
  return run.toString(16).padStart(16, "0");
}
