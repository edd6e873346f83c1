// @ts-check
/**
 * The server's clock as this device can know it, carried on the device's monotonic clock: a wall clock
 * that is wrong, or that is set in mid-quiz, moves no countdown.
 */

const SAMPLES_MAX = 9;
const BEST_OF_SAMPLES = 3;
/** Wall and monotonic clock part by more: the wall clock was set, or the device slept. */
const STEP_MIN_MS = 500;

export class ServerClock {
  #monotonic;
  #wall;
  #offsetMs = 0;
  #apartMs;
  #onStep = () => {};
  /** @type {{offsetMs: number, tripMs: number}[]} */
  #samples = [];

  constructor(monotonic = () => performance.now(), wall = () => Date.now()) {
    this.#monotonic = monotonic;
    this.#wall = wall;
    // A guess until the server has said something.
    this.#apartMs = wall() - monotonic();
    this.#offsetMs = this.#apartMs;
  }

  /** The server's time in ms since 1970. */
  now() {
    this.checkStep();
    return this.#monotonic() + this.#offsetMs;
  }

  /** Is called when the samples are no good any more: new ones are wanted. */
  onStep(/** @type {() => void} */ listener) {
    this.#onStep = listener;
  }

  /**
   * Whether the wall clock has stepped against the monotonic one since the last look. Some devices stop
   * the monotonic clock while they sleep, which looks the same: what was measured before is forgotten.
   */
  checkStep() {
    const apartMs = this.#wall() - this.#monotonic();
    if (Math.abs(apartMs - this.#apartMs) < STEP_MIN_MS) return false;
    this.#apartMs = apartMs;
    this.#samples = [];
    this.#onStep();
    return true;
  }

  /** A new connection: forgets its samples and takes a first guess that is one way too early. */
  restart(/** @type {string | undefined} */ serverTime) {
    this.#samples = [];
    const at = timeOf(serverTime);
    if (at !== undefined) this.#offsetMs = at - this.#monotonic();
  }

  /**
   * One ping and its pong. The offset is the median of those with the shortest trips, as delays
   * of a busy line only ever make a trip longer.
   * @param {number} sentAt On the monotonic clock.
   * @param {string | undefined} serverTime
   */
  sample(sentAt, serverTime) {
    // The device may have slept between ping and pong.
    if (this.checkStep()) return;
    const at = timeOf(serverTime);
    const tripMs = this.#monotonic() - sentAt;
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
