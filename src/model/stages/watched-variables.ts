/** Told of each name that is looked up; of undefined where all are listed. */
export type OnLookup = (name: string | undefined) => void;

/** Variables that tell which of them are looked up: what was read of a stack depends on these alone. */
class WatchedVariables extends Map<string, string> {
  readonly #onLookup: OnLookup;

  constructor(values: Iterable<readonly [string, string]>, onLookup: OnLookup) {
    super(values);
    this.#onLookup = onLookup;
  }

  /** The same with more, watched by whoever watches these. */
  with(added: Iterable<readonly [string, string]>): WatchedVariables {
    return new WatchedVariables([...super.entries(), ...added], this.#onLookup);
  }

  override get(name: string): string | undefined {
    this.#onLookup(name);
    return super.get(name);
  }

  override has(name: string): boolean {
    this.#onLookup(name);
    return super.has(name);
  }

  override get size(): number {
    this.#onLookup(undefined);
    return super.size;
  }

  override keys(): MapIterator<string> {
    this.#onLookup(undefined);
    return super.keys();
  }

  override values(): MapIterator<string> {
    this.#onLookup(undefined);
    return super.values();
  }

  override entries(): MapIterator<[string, string]> {
    this.#onLookup(undefined);
    return super.entries();
  }

  override forEach(callback: (value: string, name: string, map: Map<string, string>) => void): void {
    this.#onLookup(undefined);
    super.forEach(callback);
  }

  override [Symbol.iterator](): MapIterator<[string, string]> {
    return this.entries();
  }
}

export function watchVariables(
  values: ReadonlyMap<string, string>,
  onLookup: OnLookup | undefined,
): ReadonlyMap<string, string> {
  return onLookup === undefined ? values : new WatchedVariables(values, onLookup);
}

/** Variables with more of them, which win; watched as they were before. */
export function extendVariables(
  values: ReadonlyMap<string, string>,
  added: Iterable<readonly [string, string]>,
): ReadonlyMap<string, string> {
  return values instanceof WatchedVariables ? values.with(added) : new Map([...values, ...added]);
}
