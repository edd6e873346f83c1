/** PINs that were asked for lately: a class that joins at once costs one call. */
import { ServiceError } from "@fanfare/common/errors";
import type { ServicePool } from "@fanfare/common/service-pool";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import type { QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import type { Pins } from "../domain/service-ports.js";

const KEEP_MS = 5_000;
/** A PIN that leads nowhere may be given to a new session any moment. */
const KEEP_UNKNOWN_MS = 1_000;
const PINS_MAX = 10_000;

export class PinBook implements Pins {
  readonly #pins = new Map<string, { session: Promise<string | undefined>; until: number }>();

  constructor(private readonly quiz: ServicePool<typeof QuizService>) {}

  resolve(pin: string): Promise<string | undefined> {
    const now = performance.now();
    const known = this.#pins.get(pin);
    if (known && known.until > now) return known.session;
    const entry = { session: this.#ask(pin), until: now + KEEP_MS };
    this.#pins.delete(pin);
    this.#pins.set(pin, entry);
    if (this.#pins.size > PINS_MAX) this.#dropOldest();
    entry.session.then(
      (sessionId) => {
        if (sessionId === undefined) entry.until = performance.now() + KEEP_UNKNOWN_MS;
      },
      () => {
        if (this.#pins.get(pin) === entry) this.#pins.delete(pin);
      },
    );
    return entry.session;
  }

  async #ask(pin: string): Promise<string | undefined> {
    try {
      const { sessionId } = await this.quiz.request(pin, (client) => client.resolvePin({ pin }));
      return sessionId;
    } catch (error) {
      if (error instanceof ServiceError && error.reason === ErrorReason.SESSION_NOT_FOUND)
        return undefined;
      throw error;
    }
  }

  #dropOldest(): void {
    for (const pin of this.#pins.keys()) {
      this.#pins.delete(pin);
      return;
    }
  }
}
