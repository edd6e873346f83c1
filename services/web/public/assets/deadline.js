// @ts-check
/** A moment of the server's that passes, and may turn out not to have passed when the clock is set right. */

export class Deadline {
  #clock;
  #endsAt;
  #passed;
  /** @type {boolean | undefined} */
  #said;

  /**
   * @param {{now(): number}} clock
   * @param {number} endsAt The clock's time in ms.
   * @param {(passed: boolean) => void} passed Told at the first look where it has passed, and of every change.
   */
  constructor(clock, endsAt, passed) {
    this.#clock = clock;
    this.#endsAt = endsAt;
    this.#passed = passed;
  }

  /** Looks; the ms that are left. */
  leftMs() {
    const leftMs = this.#endsAt - this.#clock.now();
    const passed = leftMs <= 0;
    if (passed !== (this.#said ?? false)) this.#passed(passed);
    this.#said = passed;
    return leftMs;
  }
}
