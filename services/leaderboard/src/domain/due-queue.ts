/** Keys by the time at which each is due; those due at the same time in the order of coming. A binary heap. */

interface Waiting {
  key: string;
  at: number;
  turn: number;
}

export class DueQueue {
  readonly #heap: Waiting[] = [];
  #turn = 0;

  push(key: string, at: number): void {
    const heap = this.#heap;
    const added = { key, at, turn: this.#turn++ };
    let index = heap.push(added) - 1;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above] as Waiting;
      if (!isBefore(added, parent)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = added;
  }

  /** When the first is due; undefined where nothing waits. */
  nextAt(): number | undefined {
    return this.#heap[0]?.at;
  }

  /** Takes the first, if it is due by `now`. */
  take(now: number): string | undefined {
    const [first] = this.#heap;
    if (!first || first.at > now) return undefined;
    const last = this.#heap.pop() as Waiting;
    if (last !== first) this.#sink(last);
    return first.key;
  }

  /** Puts `moved` in the place of the first, and what is before it above it. */
  #sink(moved: Waiting): void {
    const heap = this.#heap;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      const [left, right] = [heap[child] as Waiting, heap[child + 1]];
      if (right && isBefore(right, left)) child++;
      const smaller = heap[child] as Waiting;
      if (!isBefore(smaller, moved)) break;
      heap[index] = smaller;
      index = child;
    }
    heap[index] = moved;
  }
}

function isBefore(a: Waiting, b: Waiting): boolean {
  return a.at < b.at || (a.at === b.at && a.turn < b.turn);
}
