/**
 * Why a writer does not take a value. Thrown by the writers and caught by `BlockBuilder`, which adds the column and
 * throws a `ValueError`; it never leaves this folder, and it is no Error because a stack per bad value would cost more
 * than the row.
 */
export class Refusal {
  /** Reads on from the value: `has more than 8 decimal places`. */
  readonly reason: string;
  readonly value: unknown;

  constructor(reason: string, value: unknown) {
    this.reason = reason;
    this.value = value;
  }
}

/** Refuses a value of the wrong kind; `expected` completes "is not …". */
export function refuseKind(value: unknown, expected: string): never {
  if (value === null || value === undefined)
    throw new Refusal("is not allowed, the type is not Nullable", value);
  throw new Refusal(`is not ${expected}`, value);
}

/** Throws `error` again with the place inside an Array, Map or Tuple put before its reason. */
export function refuseAt(place: string, error: unknown): never {
  if (error instanceof Refusal) throw new Refusal(`at ${place} ${error.reason}`, error.value);
  throw error;
}
