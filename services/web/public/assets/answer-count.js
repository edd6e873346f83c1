// @ts-check
/** How many have answered the open round: what was heard stays until another round begins. */
import { count, number } from "./words.js";

/** @typedef {import("@fanfare/proto/gateway/v1/frames").ProgressJson} Progress */

export class AnswerCount {
  /** @type {Progress} */
  #heard = {};

  take(/** @type {Progress} */ progress) {
    this.#heard = progress;
  }

  /** Another session, or another connection. */
  forget() {
    this.#heard = {};
  }

  /** "12 of 30 players answered"; "" where nothing was heard of this round. */
  text(/** @type {number} */ round) {
    const { round: heard = 0, answers = 0, players = 0 } = this.#heard;
    if (heard !== round || round === 0) return "";
    return `${number(answers)} of ${count(players, "player")} answered`;
  }
}
