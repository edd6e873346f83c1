// @ts-check
/**
 * The server's clock as this device can know it: countdowns run on it, so a wrong clock of the
 * device harms nobody.
 */

const SAMPLES_MAX = 9;
const BEST_OF_SAMPLES = 3;

export class ServerClock {
  #offsetMs = 0;
  /** @type {{offsetMs: number, tripMs: number}[]} */
  #samples = [];

  /** The server's time in ms since 1970. */
  now() {
    return Date.now() + this.#offsetMs;
  }

  /** A new connection: forgets its samples and takes a first guess that is one way too early. */
  restart(/** @type {string | undefined} */ serverTime) {
    this.#samples = [];
    const at = timeOf(serverTime);
    if (at !== undefined) this.#offsetMs = at - Date.now();
  }

  /**
   * One ping and its pong. The offset is the median of those with the shortest trips, as delays
   * of a busy line only ever make a trip longer.
   * @param {number} sentAt
   * @param {string | undefined} serverTime
   */
  sample(sentAt, serverTime) {
    const at = timeOf(serverTime);
    const tripMs = Date.now() - sentAt;
    if (at === undefined || tripMs < 0) return;
    this.#samples.push({ offsetMs: at - (sentAt + tripMs / 2), tripMs });
    this.#samples = this.#samples.slice(-SAMPLES_MAX);
    const best = [...this.#samples]
      .sort((a, b) => a.tripMs - b.tripMs)
      .slice(0, BEST_OF_SAMPLES)
      .map((one) => one.offsetMs)
      .sort((a, b) => a - b);
    this.#offsetMs = best[Math.floor((best.length - 1) / 2)] ?? this.#offsetMs;
  }
}

/** A timestamp of a frame in ms since 1970; undefined where there is none. */
export function timeOf(/** @type {string | undefined} */ timestamp) {
  const at = Date.parse(timestamp ?? "");
  return Number.isNaN(at) ? undefined : at;
}
