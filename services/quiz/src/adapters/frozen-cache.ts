/** Questions of sessions in memory, bounded by what they take: those that were used longest ago go first. */
import type { FrozenQuiz } from "@fanfare/proto/quiz/v1/session";

export class FrozenCache {
  /** In the order of last use. */
  readonly #kept = new Map<string, { quiz: FrozenQuiz; bytes: number }>();
  #bytes = 0;

  constructor(
    private readonly bytesMax: number,
    private readonly onEvicted: () => void,
  ) {}

  /** Of all that is kept, as stored. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): FrozenQuiz | undefined {
    const found = this.#kept.get(key);
    if (!found) return undefined;
    this.#kept.delete(key);
    this.#kept.set(key, found);
    return found.quiz;
  }

  /** Keeps it, even where it is larger than all that may be kept: its session is being played. */
  set(key: string, quiz: FrozenQuiz, bytes: number): void {
    this.delete(key);
    this.#kept.set(key, { quiz, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.bytesMax || oldest === key) return;
      this.delete(oldest);
      this.onEvicted();
    }
  }

  delete(key: string): void {
    this.#bytes -= this.#kept.get(key)?.bytes ?? 0;
    this.#kept.delete(key);
  }
}
