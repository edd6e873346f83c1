// @ts-check
/**
 * Buttons change places under the finger: the second press of a double press, the next ones of somebody
 * who presses again and again, or one that was meant for what stood there a moment ago, must not become
 * the next command.
 */

/** A double click takes half a second at most; some of it passes before the buttons change. */
export const DEAD_MS = 600;

export class PressGuard {
  #now;
  #changedAt = Number.NEGATIVE_INFINITY;
  #shown = "";

  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /** Notes which buttons stand there now. */
  showing(/** @type {string} */ buttons) {
    if (buttons !== this.#shown) this.#changedAt = this.#now();
    this.#shown = buttons;
  }

  /** Whether a press now was meant for what stands there. One that was not makes the next ones wait, too. */
  allows() {
    const now = this.#now();
    if (now - this.#changedAt >= DEAD_MS) return true;
    this.#changedAt = now;
    return false;
  }
}
