import { EventEmitter } from "node:events";
import { ColdpathError } from "../base/errors.js";
import { SECOND_MS } from "../base/units.js";
import { policyIssues } from "../config/check.js";
import { ladderIssues } from "../config/check-ladder.js";
import { ConfigError } from "../config/issues.js";
import { loadConfig } from "../config/load.js";
import type { Config, ConfigInput } from "../config/schema.js";
import type { MetricsRegistry } from "../metrics/register.js";
import type { Row } from "../native/block.js";
import type { CloseReport, RecorderEvent, TablePolicy } from "../recorder.js";
import type { RecordLayout } from "../ring/layout.js";
import { COUNTERS, RingMemory } from "../ring/memory.js";
import type { TableRows } from "../schemas/tables.generated.js";
import { deadLettersFolder } from "../service/open.js";
import type { EventRecorder } from "./events.js";
import { overflowFolder } from "./overflow.js";
import { type PipelineState, PipelineThread } from "./pipeline-thread.js";
import { Producer, type ProducerHandle } from "./producer.js";
import type { PipelineStats } from "./protocol.js";
import { RecorderMetrics } from "./recorder-metrics.js";
import type { RecordingStats, RingCounts } from "./recording-stats.js";
import type { RowOf } from "./rows.js";
import type { BuiltInTables, RecordingTable } from "./tables.js";

/** Texts that a ring keeps once, such as symbols, and bytes of all of them. */
const RING_TEXTS = 32_768;
const RING_TEXT_BYTES = 1024 * 1024;
const CELL_BYTES = 8;
const CLOSE_DEADLINE_MS = 30 * SECOND_MS;
/** The pipeline's thread may need this much longer to say what became of the rows. */
const CLOSE_GRACE_MS = 2 * SECOND_MS;
/** What a timer can wait, less that. */
const CLOSE_DEADLINE_MAX_MS: number = 2 ** 31 - 1 - CLOSE_GRACE_MS;

export interface CreateRecorderOptions {
  /** Keys of the configuration; they win over file and environment. */
  readonly config?: ConfigInput;
  /** Configuration file; without it `coldpath.yaml` in the working folder is read if there is one. */
  readonly file?: string;
}

interface RecordingEvents {
  /** The pipeline's thread started, died or was started again. */
  pipeline: [state: PipelineState, reason?: ColdpathError];
  /** What the recorder reports of itself, such as a change of its link to ClickHouse. */
  event: [event: RecorderEvent];
}

/**
 * Starts a recorder in this process: a worker that lands rows in ClickHouse, and a ring by which this thread hands them over.
 * Without a configured server ClickHouse runs embedded, in `data_dir`.
 *
 * @throws ConfigError, and ColdpathError for whatever keeps the recorder from taking rows
 */
export async function createRecorder(options: CreateRecorderOptions = {}): Promise<RecordingClient> {
  const { config } = loadConfig({
    file: options.file,
    env: process.env,
    values: options.config,
    cwd: process.cwd(),
  });
  const { thread, layouts } = await PipelineThread.start(config);
  return new RecordingClient(config, thread, layouts);
}

/** A running recorder, seen from the process that trades. */
export class RecordingClient extends EventEmitter<RecordingEvents> implements AsyncDisposable, BuiltInTables {
  readonly marketData: RecordingTable<RowOf<"market_data">>;
  readonly orders: RecordingTable<RowOf<"orders">>;
  readonly fills: RecordingTable<RowOf<"fills">>;
  readonly positionsIntraday: RecordingTable<RowOf<"positions_intraday">>;
  readonly accountState: RecordingTable<RowOf<"account_state">>;
  readonly riskDecisions: RecordingTable<RowOf<"risk_decisions">>;
  readonly guardrailTransitions: RecordingTable<RowOf<"guardrail_transitions">>;
  readonly systemEvents: RecordingTable<RowOf<"system_events">>;
  /** For a bus of mixed messages: each event goes to the table of its type. */
  readonly events: EventRecorder;
  readonly #config: Config;
  readonly #thread: PipelineThread;
  readonly #layouts: readonly RecordLayout[];
  readonly #rings: RingMemory[] = [];
  readonly #producer: Producer;
  readonly #metrics: RecorderMetrics;
  #closing: Promise<CloseReport> | undefined;

  constructor(config: Config, thread: PipelineThread, layouts: readonly RecordLayout[]) {
    super();
    this.#config = config;
    this.#thread = thread;
    this.#layouts = layouts;
    const producer = new Producer(this.producer());
    this.#producer = producer;
    this.marketData = producer.marketData;
    this.orders = producer.orders;
    this.fills = producer.fills;
    this.positionsIntraday = producer.positionsIntraday;
    this.accountState = producer.accountState;
    this.riskDecisions = producer.riskDecisions;
    this.guardrailTransitions = producer.guardrailTransitions;
    this.systemEvents = producer.systemEvents;
    this.events = producer.events;
    this.#metrics = new RecorderMetrics({
      stats: () => this.stats(),
      rings: this.#rings,
      ringRows: () => this.#ringRows(),
      deadLettersFolder: deadLettersFolder(config),
    });
    thread.on("state", (state) => this.#metrics.pipeline(state));
    thread.on("event", (event) => this.#metrics.event(event));
    thread.on("state", (state, reason) =>
      reason === undefined ? this.emit("pipeline", state) : this.emit("pipeline", state, reason),
    );
    thread.on("event", (event) => this.emit("event", event));
  }

  /** The table to record into from this thread. @throws ColdpathError TABLE_UNKNOWN */
  table<T extends keyof TableRows>(name: T): RecordingTable<RowOf<T>>;
  table(name: string): RecordingTable<Row>;
  table(name: string): RecordingTable<Row> {
    return this.#producer.table(name);
  }

  /** A new ring for another thread of this process; see `attachProducer`. @throws ColdpathError RECORDER_CLOSED */
  producer(): ProducerHandle {
    if (this.#closing !== undefined) throw new ColdpathError("RECORDER_CLOSED", "the recorder is closed");
    const { size, critical_reserve, on_full } = this.#config.ring;
    const memory = RingMemory.create({
      cells: size / CELL_BYTES,
      texts: RING_TEXTS,
      textBytes: RING_TEXT_BYTES,
      tables: this.#layouts.length,
    });
    this.#rings.push(memory);
    this.#thread.add(memory.buffer);
    const overflow = {
      folder: overflowFolder(this.#config),
      name: `${this.#thread.owner}-${this.#rings.length}`,
    };
    return {
      ring: memory.buffer,
      layouts: this.#layouts,
      reserve: Math.floor(critical_reserve / CELL_BYTES),
      ...(on_full === "append" ? { overflow } : {}),
    };
  }

  /**
   * Resolves when all rows recorded before the call are stored, dropped or in the dead letters; of those that were
   * appended to files, the ones that are handed over (see `ring.on_full`).
   */
  async flush(table?: string): Promise<void> {
    await this.#thread.request({ kind: "flush", ...(table === undefined ? {} : { table }) });
  }

  /**
   * Resolves when all rows of critical tables that were recorded in this process before the call, by any thread, are on disk: in the log,
   * or in the file they went to because their ring was full. Those that were refused are in the dead letters. Also while ClickHouse is
   * away, and across a restart of the pipeline's thread; while the disk takes nothing, not before it does.
   *
   * @throws ColdpathError RECORDER_CLOSED
   */
  async durable(): Promise<void> {
    await this.#thread.request({ kind: "durable" });
  }

  /**
   * Resolves when the fate of all rows that the log held when this recorder started is known: they are in ClickHouse or in the dead letters.
   *
   * @throws ColdpathError RECORDER_CLOSED
   */
  async replayed(table?: string): Promise<void> {
    await this.#thread.request({ kind: "replayed", ...(table === undefined ? {} : { table }) });
  }

  /**
   * Other rules for a table's policy from now on; what is not given is as the configuration has it. Rows that wait are
   * stored first.
   *
   * @throws ConfigError if the rules contradict each other, and ColdpathError TABLE_UNKNOWN
   */
  async setPolicy(table: string, rules: Partial<TablePolicy>): Promise<void> {
    // Throws where there is no such table.
    this.table(table);
    const configured = this.#config.tables[table]!;
    const policy = { ...configured.policy, ...rules } as typeof configured.policy;
    const changed = { ...configured, policy };
    const issues = [...policyIssues(table, changed), ...ladderIssues(table, changed)];
    if (issues.length > 0) throw new ConfigError(issues);
    await this.#thread.setPolicy(table, policy);
  }

  async stats(): Promise<RecordingStats> {
    const stats = (await this.#thread.request({ kind: "stats" })) as PipelineStats;
    return {
      ...stats,
      pipeline: this.#thread.state,
      rings: this.#ringRows(),
      unknownEvents: this.#rings.reduce((sum, ring) => sum + ring.unknownEvents[0]!, 0),
    };
  }

  /**
   * Puts the metrics of `docs/reference/metrics.md` into a registry of prom-client. The recorder counts for itself anyway: a scrape asks it
   * once, and recording costs the same.
   *
   * @throws Error if the registry has metrics of another recorder
   */
  registerMetrics(registry: MetricsRegistry): void {
    this.#metrics.register(registry);
  }

  /**
   * Stores what was recorded, until the deadline, and ends the recorder.
   *
   * @param deadline milliseconds, default 30 s
   * @returns where each table stood at the end
   * @throws ColdpathError RECORDER_CLOSED if the pipeline's thread is gone and did not come back by the deadline
   */
  async close({ deadline = CLOSE_DEADLINE_MS }: { deadline?: number } = {}): Promise<CloseReport> {
    this.#closing ??= this.#close(Math.min(deadline, CLOSE_DEADLINE_MAX_MS));
    return await this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(deadlineMs: number): Promise<CloseReport> {
    this.#producer.close();
    // A pipeline that cannot start again never answers.
    const limit = setTimeout(() => void this.#thread.end(), deadlineMs + CLOSE_GRACE_MS);
    try {
      return (await this.#thread.request({ kind: "close", deadlineMs })) as CloseReport;
    } finally {
      clearTimeout(limit);
      await this.#thread.end();
    }
  }

  #ringRows(): Record<string, RingCounts> {
    return Object.fromEntries(this.#layouts.map(({ table }, index) => [table, this.#countsOf(index)]));
  }

  #countsOf(table: number): RingCounts {
    const sums = COUNTERS.map((name, counter) => {
      const sum = this.#rings.reduce((total, ring) => total + ring.countersOf(table)[counter]!, 0);
      return [name, sum] as const;
    });
    return Object.fromEntries(sums) as RingCounts;
  }
}
