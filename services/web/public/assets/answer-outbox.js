// @ts-check
/**
 * A player's answer on its way: sent again with the same submission id until the server says that
 * it is durable, or that it will not be. It outlives a lost connection and a refreshed page.
 */
import { drawId } from "./ids.js";
import { forgetAnswer, recallAnswer, rememberAnswer } from "./memory.js";
import { backoffMs } from "./reconnecting-socket.js";

const REPLY_WAIT_MS = 3_000;

/**
 * @typedef {import("@fanfare/proto/gateway/v1/frames").RefusedJson} Refused
 * @typedef {import("@fanfare/proto/gateway/v1/frames").AcceptedJson} Accepted
 * @typedef {import("@fanfare/proto/gateway/v1/frames").JoinedJson} Joined
 * @typedef {{round: number, choices: string[], submissionId: string}} Answer
 * @typedef {Answer & {state: "sending" | "received" | "refused", reason?: string}} AnswerState
 */

export class AnswerOutbox {
  /** @type {AnswerState | undefined} */
  #answer;
  #attempt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #send;
  #changed;

  /**
   * @param {(answer: Answer) => boolean} send
   * @param {(answer: AnswerState) => void} changed Told of every change of the current answer.
   */
  constructor(send, changed) {
    this.#send = send;
    this.#changed = changed;
  }

  /** Takes an answer; a second one to a round that has one on its way or received is not taken. */
  submit(/** @type {number} */ round, /** @type {string[]} */ choices) {
    if (this.#answer?.round === round && this.#answer.state !== "refused") return;
    const answer = { round, choices, submissionId: drawId() };
    rememberAnswer(answer);
    this.#set({ ...answer, state: "sending" });
    this.#attempt = 0;
    this.#push();
  }

  /** The connection stands (again): what the log holds counts, what it lacks goes out again. */
  joined(/** @type {Joined} */ joined) {
    const round = joined.round ?? 0;
    const stored = joined.answer;
    const waiting = this.#answer?.state === "sending" ? this.#answer : recallAnswer();
    if (stored?.round === round && round > 0) {
      forgetAnswer();
      this.#set({
        round,
        choices: stored.choices ?? [],
        submissionId: stored.submissionId ?? "",
        state: "received",
      });
    } else if (waiting?.round === round) {
      this.#set({ ...waiting, state: "sending" });
      this.#push();
    } else if (waiting) this.drop();
  }

  /** Sends an answer that was refused for now at once, for instance when a pause is over. */
  nudge() {
    if (this.#answer?.state === "sending" && this.#attempt > 0) this.#push();
  }

  accepted(/** @type {Accepted} */ { round = 0, submissionId = "" }) {
    if (this.#answer?.submissionId === submissionId) {
      forgetAnswer();
      this.#set({ ...this.#answer, state: "received" });
    } else if (this.#answer?.round !== round && recallAnswer()?.round !== round) {
      // It was on its way through an earlier connection, and this page knows nothing of it.
      this.#set({ round, choices: [], submissionId, state: "received" });
    }
  }

  /** Whether the refusal was for the current answer. */
  refused(/** @type {Refused} */ refused) {
    if (!refused.requestId || this.#answer?.submissionId !== refused.requestId) return false;
    if (this.#answer.state !== "sending") return true;
    if (refused.retryable) {
      this.#again(Math.max(refused.retryAfterMs ?? 0, backoffMs(++this.#attempt)));
    } else {
      forgetAnswer();
      this.#set({ ...this.#answer, state: "refused", reason: refused.reason });
    }
    return true;
  }

  /** The round is over for good. */
  drop() {
    clearTimeout(this.#timer);
    forgetAnswer();
    this.#answer = undefined;
  }

  #push() {
    if (this.#answer?.state !== "sending") return;
    const { round, choices, submissionId } = this.#answer;
    // Without a connection nothing is timed: joined() sends it again.
    if (this.#send({ round, choices, submissionId })) this.#again(REPLY_WAIT_MS);
    else clearTimeout(this.#timer);
  }

  #again(/** @type {number} */ afterMs) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#push(), afterMs);
  }

  #set(/** @type {AnswerState} */ answer) {
    clearTimeout(this.#timer);
    this.#answer = answer;
    this.#changed(answer);
  }
}
