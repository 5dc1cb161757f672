import { ColdpathError } from "../base/errors.js";
import { nearest } from "../base/nearest.js";
import { SECOND_MS } from "../base/units.js";
import { WallClock } from "../base/wall-clock.js";
import type { Row } from "../native/block.js";
import type { RecordLayout } from "../ring/layout.js";
import { RingProducer } from "../ring/producer.js";
import type { TableRows } from "../schemas/tables.generated.js";
import { type EventRecorder, eventRecorder } from "./events.js";
import { Overflow, type OverflowPlace } from "./overflow.js";
import { RingClaim } from "./ring-claim.js";
import type { RowOf } from "./rows.js";
import type { BuiltInTables, RecordingTable } from "./tables.js";

/** What another thread needs to record: send it there with `postMessage` or `workerData`. */
export interface ProducerHandle {
  readonly ring: SharedArrayBuffer;
  readonly layouts: readonly RecordLayout[];
  /** Cells of the ring that only critical tables may fill. */
  readonly reserve: number;
  /** Where rows of critical tables go that find the ring full; without it they are refused. */
  readonly overflow?: OverflowPlace;
}

/** Rows go back to the ring when it is filled no more than this. */
const ROOM_SHARE = 0.5;
const LOOK_MS: number = SECOND_MS;

/** The recorder as one thread sees it. */
export class Producer implements BuiltInTables {
  readonly marketData: RecordingTable<RowOf<"market_data">>;
  readonly orders: RecordingTable<RowOf<"orders">>;
  readonly fills: RecordingTable<RowOf<"fills">>;
  readonly positionsIntraday: RecordingTable<RowOf<"positions_intraday">>;
  readonly accountState: RecordingTable<RowOf<"account_state">>;
  readonly riskDecisions: RecordingTable<RowOf<"risk_decisions">>;
  readonly guardrailTransitions: RecordingTable<RowOf<"guardrail_transitions">>;
  readonly systemEvents: RecordingTable<RowOf<"system_events">>;
  readonly events: EventRecorder;
  readonly #producer: RingProducer;
  readonly #layouts: readonly RecordLayout[];
  readonly #clock = new WallClock();
  readonly #tables = new Map<string, RecordingTable<Row>>();
  readonly #overflow: Overflow | undefined;
  readonly #timer: NodeJS.Timeout;
  readonly #claim: RingClaim;

  /** @throws ColdpathError RING_IN_USE */
  constructor({ ring, layouts, reserve, overflow: place }: ProducerHandle) {
    this.#claim = new RingClaim(ring);
    const clock = this.#clock;
    const now = (): number => clock.now();
    const overflow = place === undefined ? undefined : new Overflow(place, now);
    this.#layouts = layouts;
    this.#overflow = overflow;
    this.#producer = new RingProducer({
      buffer: ring,
      layouts,
      reserve,
      now,
      append: overflow && ((layout, row, constants) => overflow.append(layout, row, constants)),
    });
    this.marketData = this.table("market_data");
    this.orders = this.table("orders");
    this.fills = this.table("fills");
    this.positionsIntraday = this.table("positions_intraday");
    this.accountState = this.table("account_state");
    this.riskDecisions = this.table("risk_decisions");
    this.guardrailTransitions = this.table("guardrail_transitions");
    this.systemEvents = this.table("system_events");
    this.events = eventRecorder(this.#producer);
    this.#timer = setInterval(() => {
      if (this.#producer.usage <= ROOM_SHARE) overflow?.complete();
    }, LOOK_MS);
    this.#timer.unref();
  }

  /** @throws ColdpathError TABLE_UNKNOWN */
  table<T extends keyof TableRows>(name: T): RecordingTable<RowOf<T>>;
  table(name: string): RecordingTable<Row>;
  table(name: string): RecordingTable<Row> {
    const known = this.#tables.get(name);
    if (known !== undefined) return known;
    const names = this.#layouts.map(({ table }) => table);
    if (!names.includes(name)) {
      const close = nearest(name, names);
      const hint = close === undefined ? `there are ${names.join(", ")}` : `did you mean ${close}?`;
      throw new ColdpathError("TABLE_UNKNOWN", `this recorder has no table ${name}: ${hint}`);
    }
    const table = { record: this.#producer.recordOf(name) };
    this.#tables.set(name, table);
    return table;
  }

  /** Takes no more rows from this thread, and hands over what was written beside the ring. */
  close(): void {
    this.#producer.close();
    clearInterval(this.#timer);
    this.#clock.close();
    this.#overflow?.complete();
    this.#claim.release();
  }
}

/**
 * Records from this thread into the recorder that made the handle. Another thread may take the handle over once this one has
 * closed its producer or ended by itself; for the successor of a thread that was terminated ask for a new handle.
 *
 * @throws ColdpathError RING_IN_USE
 */
export function attachProducer(handle: ProducerHandle): Producer {
  return new Producer(handle);
}
