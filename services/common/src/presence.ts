/**
 * Which pods share a kind of work now: each says its name once a second on NATS. Whoever is silent
 * for 3 s is taken for gone, so that a pod that dies is replaced within 4 s. It decides who does
 * what, never what is true: two pods that both feel responsible do no harm.
 */
import { subjectForPresence } from "@fanfare/proto/addresses";
import type { Bus } from "./bus.js";
import { type Lifecycle, pause } from "./lifecycle.js";
import { repeat } from "./loops.js";
import { rendezvousOrder } from "./rendezvous.js";

const SAY_EVERY_MS = 1_000;
const GONE_AFTER_MS = 3_000;

export class Presence {
  readonly #seen = new Map<string, number>();
  readonly #listeners: (() => void)[] = [];

  private constructor(readonly pod: string) {}

  /** Begins to say and to listen. Waits a moment to hear the others first. */
  static async start(kind: string, pod: string, bus: Bus, lifecycle: Lifecycle): Promise<Presence> {
    const presence = new Presence(pod);
    const subject = subjectForPresence(kind);
    const say = (word: "here" | "bye") => {
      if (bus.connected()) bus.nc.publish(subject, `${word} ${pod}`);
    };
    const hearing = bus.listen(subject, (message) => {
      const [word, ...rest] = message.string().split(" ");
      const name = rest.join(" ");
      if (!name || name === pod) return;
      if (word === "bye") return presence.#forget(name);
      if (!presence.#seen.has(name)) say("here");
      presence.#hear(name);
    });
    lifecycle.push(`presence of ${kind}`, () => {
      // Heard after the farewell, a newcomer would be answered, and count on this pod.
      hearing.unsubscribe();
      say("bye");
    });
    const turn = async () => {
      say("here");
      presence.#dropSilent();
    };
    // Never later than usual: a pod that is silent for three turns is taken for gone.
    const retry = { firstMs: SAY_EVERY_MS, maxMs: SAY_EVERY_MS };
    void repeat(`presence of ${kind}`, turn, { everyMs: SAY_EVERY_MS, retry }, lifecycle);
    await pause(100, lifecycle.signal);
    return presence;
  }

  /** All pods that are there, this one included. */
  members(): string[] {
    return [this.pod, ...this.#seen.keys()].sort();
  }

  /** Whether this pod is the one to do `key`. */
  isMine(key: string): boolean {
    return rendezvousOrder(key, this.members())[0] === this.pod;
  }

  /** This pod's place in the order of responsibility for `key`, from 0. */
  rank(key: string): number {
    return rendezvousOrder(key, this.members()).indexOf(this.pod);
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  #hear(name: string): void {
    const isNew = !this.#seen.has(name);
    this.#seen.set(name, performance.now());
    if (isNew) this.#tell();
  }

  #forget(name: string): void {
    if (this.#seen.delete(name)) this.#tell();
  }

  #dropSilent(): void {
    const limit = performance.now() - GONE_AFTER_MS;
    for (const [name, at] of this.#seen) if (at < limit) this.#forget(name);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
