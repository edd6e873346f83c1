// @ts-check
/** A countdown by the server's clock: a bar, seconds, and a word to screen readers near the end. */
import { Deadline } from "./deadline.js";
import { announce, make, setShare } from "./dom.js";

const TICK_MS = 100;
const HURRY_MS = 5_000;
const ANNOUNCED_SECONDS = [30, 10, 5];

/**
 * @typedef {object} Run
 * @property {string} label Stands before the seconds.
 * @property {number} endsAt The server's time in ms.
 * @property {number} totalMs What fills the bar.
 * @property {boolean} [urgent] The end matters: colour and spoken seconds.
 * @property {(isOver: boolean) => void} [onOver] The end has come, or was called too early.
 */

export class Countdown {
  #clock;
  #root;
  #label = make("p", "countdown-label");
  #bar = make("div", "fill");
  #shown = -1;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;

  /**
   * @param {import("./server-clock.js").ServerClock} clock
   * @param {HTMLElement} root An empty element.
   */
  constructor(clock, root) {
    this.#clock = clock;
    this.#root = root;
    this.#label.setAttribute("role", "timer");
    root.replaceChildren(make("div", "track", this.#bar), this.#label);
    this.stop();
  }

  run(/** @type {Run} */ { onOver = () => {}, ...run }) {
    this.stop();
    this.#root.hidden = false;
    const deadline = new Deadline(this.#clock, run.endsAt, onOver);
    // It goes on at zero: the clock may be set right after that.
    const tick = () => this.#draw(deadline.leftMs(), run);
    this.#timer = setInterval(tick, TICK_MS);
    tick();
  }

  /** Stands still at the time that will be left; nothing is shown where none was running. */
  freeze(/** @type {number} */ remainingMs) {
    if (remainingMs <= 0) return this.stop();
    clearInterval(this.#timer);
    this.#root.hidden = false;
    this.#root.classList.remove("hurry");
    this.#shown = -1;
    this.#label.textContent = `Paused with ${seconds(remainingMs)} s left`;
  }

  stop() {
    clearInterval(this.#timer);
    this.#root.hidden = true;
    this.#root.classList.remove("hurry");
    this.#shown = -1;
  }

  /**
   * @param {number} leftMs
   * @param {Run} run
   */
  #draw(leftMs, { label, totalMs, urgent = false }) {
    setShare(this.#bar, totalMs > 0 ? leftMs / totalMs : 0);
    const left = seconds(leftMs);
    if (left === this.#shown) return;
    const began = this.#shown === -1;
    this.#shown = left;
    this.#label.textContent = urgent && left === 0 ? "Time’s up" : `${label} ${left} s`;
    this.#root.classList.toggle("hurry", urgent && leftMs <= HURRY_MS);
    if (urgent && !began && ANNOUNCED_SECONDS.includes(left)) announce(`${left} seconds left`);
  }
}

function seconds(/** @type {number} */ ms) {
  return Math.max(0, Math.ceil(ms / 1_000));
}
