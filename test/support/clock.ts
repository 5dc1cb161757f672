import type { Clock } from "../../src/base/clock.js";

interface Timer {
  readonly dueAt: number;
  readonly run: () => void;
}

/** A clock whose hands the test turns. */
export class ManualClock implements Clock {
  readonly #timers = new Set<Timer>();
  #now = 1_000;
  #wall: number;

  constructor(wall: number = Date.UTC(2024, 7, 8, 12)) {
    this.#wall = wall;
  }

  monotonic(): number {
    return this.#now;
  }

  wall(): number {
    return this.#wall;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { dueAt: this.#now + ms, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** How many callbacks wait for their time. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Lets time pass, calling back what becomes due, in order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) {
      this.#pass(timer.dueAt);
      this.#timers.delete(timer);
      timer.run();
    }
    this.#pass(end);
  }

  #pass(to: number): void {
    this.#wall += Math.max(0, to - this.#now);
    this.#now = Math.max(this.#now, to);
  }

  #next(end: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers)
      if (timer.dueAt <= end && (first === undefined || timer.dueAt < first.dueAt)) first = timer;
    return first;
  }
}

/**
 * A clock on which nobody waits: as soon as the event loop is free, it jumps to the next callback. Pauses of a minute
 * pass in a moment, sockets keep their own time, and `monotonic` shows the minute.
 */
export class HastyClock implements Clock {
  readonly #manual = new ManualClock(Date.now());
  #dueAt: number[] = [];

  monotonic(): number {
    return this.#manual.monotonic() + performance.now();
  }

  wall(): number {
    return Date.now();
  }

  after(ms: number, run: () => void): () => void {
    const cancel = this.#manual.after(ms, run);
    this.#dueAt.push(ms);
    setImmediate(() => this.#manual.advance(this.#dueAt.shift()!));
    return cancel;
  }

  /** Lets time pass at once. */
  advance(ms: number): void {
    this.#manual.advance(ms);
  }
}
