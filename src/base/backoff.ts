export interface BackoffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
  /** Default 2. */
  readonly factor?: number;
  /** How many delays there are; absent: no end. */
  readonly attempts?: number;
}

/** The delays before each further attempt, each longer than the one before up to `maxMs`. */
export function* backoffDelays({
  firstMs,
  maxMs,
  factor = 2,
  attempts = Number.POSITIVE_INFINITY,
}: BackoffOptions): Generator<number, void> {
  let delayMs = firstMs;
  for (let attempt = 0; attempt < attempts; attempt++) {
    yield Math.min(delayMs, maxMs);
    delayMs *= factor;
  }
}
