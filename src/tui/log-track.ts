import type {LogPosition} from './types.ts';

export function comparePositions(a: LogPosition, b: LogPosition): number {
  return a.key - b.key || a.id - b.id;
}

/** Lines in order, cheap to add to at the end (nearly always) and to take from at the start. */
export class LogTrack<T extends LogPosition> {
  /** Slots before `#start` are empty. */
  #items: (T | undefined)[] = [];
  #start = 0;

  get length(): number {
    return this.#items.length - this.#start;
  }

  at(index: number): T | undefined {
    return index < 0 ? undefined : this.#items[this.#start + index];
  }

  insert(item: T): void {
    const last = this.#items.at(-1);
    if (last === undefined || this.length === 0 || comparePositions(last, item) < 0) this.#items.push(item);
    else this.#items.splice(this.#start + this.countUpTo(item), 0, item);
  }

  removeFirst(): T | undefined {
    const first = this.at(0);
    if (first === undefined) return undefined;
    this.#items[this.#start] = undefined;
    this.#start += 1;
    if (this.#start >= 1024 && this.#start * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#start);
      this.#start = 0;
    }
    return first;
  }

  /** How many stand at or before a position. */
  countUpTo(position: LogPosition): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const item = this.at(middle);
      if (item !== undefined && comparePositions(item, position) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  *[Symbol.iterator](): Generator<T> {
    for (let index = 0; index < this.length; index++) {
      const item = this.at(index);
      if (item !== undefined) yield item;
    }
  }
}
