/**
 * Gathers what a room has to say. A socket write costs the same whatever its size, so a room speaks
 * at most once a tick, counts are conflated, and what is published in one turn of the event loop is
 * one write for each socket. The first word after a silence goes at once.
 */
import type { Frame } from "./frame-codec.js";

/** Where a room speaks. */
export interface Broadcaster {
  /** One frame to every socket that has subscribed to the topic. */
  publish(topic: string, frame: Frame): void;
}

/** Something that is said in its newest form only, and not more often than `everyMs`. */
export interface Conflated {
  everyMs(): number;
  say(): void;
}

export class Announcer<Kind extends string> {
  readonly #outbox: { topic: string; frame: Frame }[] = [];
  readonly #due = new Set<Kind>();
  readonly #saidAt = new Map<Kind, number>();
  #spokeAt = Number.NEGATIVE_INFINITY;
  #timer: { at: number; cancel: () => void } | undefined;

  constructor(
    private readonly out: Broadcaster,
    private readonly tickMs: number,
    private readonly kinds: Readonly<Record<Kind, Conflated>>,
  ) {}

  /** In this turn of the event loop, in order, together with all that is due. */
  say(topic: string, frame: Frame): void {
    this.#outbox.push({ topic, frame });
    this.#wake(0);
  }

  /** As soon as tick and pace allow. */
  saySoon(kind: Kind): void {
    this.#due.add(kind);
    this.#wake(this.#dueAt(kind));
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#due.clear();
    this.#outbox.length = 0;
  }

  #dueAt(kind: Kind): number {
    return Math.max(this.#paceAt(kind), this.#spokeAt + this.tickMs);
  }

  #wake(at: number): void {
    if (this.#timer && this.#timer.at <= at) return;
    this.#timer?.cancel();
    const wait = at - performance.now();
    if (wait > 0) {
      const timer = setTimeout(() => this.#speak(), wait);
      this.#timer = { at, cancel: () => clearTimeout(timer) };
    } else {
      // At the end of this turn, so that what else arrived with it goes along.
      const turn = setImmediate(() => this.#speak());
      this.#timer = { at, cancel: () => clearImmediate(turn) };
    }
  }

  #speak(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (const { topic, frame } of this.#outbox.splice(0)) this.out.publish(topic, frame);
    for (const kind of [...this.#due]) {
      if (this.#paceAt(kind) > now) continue;
      this.#due.delete(kind);
      this.#saidAt.set(kind, now);
      this.kinds[kind].say();
    }
    this.#spokeAt = now;
    for (const kind of this.#due) this.#wake(this.#dueAt(kind));
  }

  #paceAt(kind: Kind): number {
    return (this.#saidAt.get(kind) ?? Number.NEGATIVE_INFINITY) + this.kinds[kind].everyMs();
  }
}
