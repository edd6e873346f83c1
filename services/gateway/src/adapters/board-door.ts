/** Who may come to /livescore, which asks for no word: so many at a time, and so many in all, from one place. */
import { addressPrefix } from "@fanfare/common/address-prefix";
import { KeyedRateLimit, RateLimit } from "@fanfare/common/rate-limit";

export interface BoardLimits {
  LIVE_SCORES_PER_SECOND_PER_IP: number;
  LIVE_SCORES_MAX_PER_IP: number;
}

export class BoardDoor {
  readonly #rate: KeyedRateLimit;
  readonly #open = new Map<string, number>();

  constructor(private readonly limits: BoardLimits) {
    const perSecond = limits.LIVE_SCORES_PER_SECOND_PER_IP;
    this.#rate = new KeyedRateLimit(new RateLimit(perSecond, 1_000, perSecond * 2));
  }

  /** The limit that keeps a socket out; it is in where there is none. */
  enter(address: string, now: number): keyof BoardLimits | undefined {
    const prefix = addressPrefix(address);
    const open = this.#open.get(prefix) ?? 0;
    if (open >= this.limits.LIVE_SCORES_MAX_PER_IP) return "LIVE_SCORES_MAX_PER_IP";
    if (this.#rate.take(prefix, now) > 0) return "LIVE_SCORES_PER_SECOND_PER_IP";
    this.#open.set(prefix, open + 1);
    return undefined;
  }

  leave(address: string): void {
    const prefix = addressPrefix(address);
    const open = (this.#open.get(prefix) ?? 0) - 1;
    if (open > 0) this.#open.set(prefix, open);
    else this.#open.delete(prefix);
  }
}
