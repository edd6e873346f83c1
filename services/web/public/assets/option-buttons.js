// @ts-check
/** A player's options: big buttons, and the keys 1-8 and A-H while the focus is on one of them. */
import { byId, make } from "./dom.js";
import { optionParts } from "./question-view.js";
import { placeOfKey } from "./shortcuts.js";

/** @typedef {import("@fanfare/proto/quiz/v1/session").PublicQuestionJson} PublicQuestion */

export class OptionButtons {
  #list = byId("options", HTMLElement);
  #send = byId("send-answer", HTMLButtonElement);
  #hint = byId("options-hint", HTMLElement);
  #onAnswer;
  #key = "";
  #multiple = false;
  #open = false;
  /** @type {Set<string>} */
  #chosen = new Set();

  /**
   * @param {(choices: string[]) => void} onAnswer
   * @param {AbortSignal} signal Ends it: another game draws its options here.
   */
  constructor(onAnswer, signal) {
    this.#onAnswer = onAnswer;
    this.#send.addEventListener("click", () => this.#answer(), { signal });
    document.addEventListener("keydown", (event) => this.#typed(event), { signal });
  }

  /**
   * Draws the options of a round, open; the same ones again keep what is chosen and the focus.
   * @param {number} round
   * @param {PublicQuestion} question
   */
  draw(round, question) {
    const options = question.options ?? [];
    const key = JSON.stringify([round, options]);
    if (key === this.#key) return;
    this.#key = key;
    this.#multiple = question.type === "QUESTION_TYPE_MULTIPLE_CHOICE";
    this.#hint.hidden = !this.#multiple || options.length === 0;
    this.#list.replaceChildren(
      ...options.map((option) => {
        const button = make("button", "option", ...optionParts(option));
        button.type = "button";
        button.dataset.choice = option.choice ?? "";
        button.addEventListener("click", () => this.#press(option.choice ?? ""));
        return make("li", "", button);
      }),
    );
    this.#chosen.clear();
    this.setOpen(options.length > 0);
  }

  /** Whether answers are taken. Buttons stay focusable, so that the keyboard keeps its place. */
  setOpen(/** @type {boolean} */ open) {
    this.#open = open;
    this.#show();
  }

  /** Shows an answer that was given. */
  choose(/** @type {string[]} */ choices) {
    this.#chosen = new Set(choices);
    this.setOpen(false);
  }

  #press(/** @type {string} */ choice) {
    if (!this.#open) return;
    if (!this.#multiple) {
      this.#chosen = new Set([choice]);
      this.#answer();
      return;
    }
    if (!this.#chosen.delete(choice)) this.#chosen.add(choice);
    this.#show();
  }

  #answer() {
    if (!this.#open || this.#chosen.size === 0) return;
    this.#onAnswer([...this.#chosen].sort());
  }

  #show() {
    for (const button of this.#list.querySelectorAll("button")) {
      button.setAttribute("aria-disabled", String(!this.#open));
      button.setAttribute("aria-pressed", String(this.#chosen.has(button.dataset.choice ?? "")));
    }
    this.#send.hidden = !this.#multiple || !this.#open;
    this.#send.disabled = this.#chosen.size === 0;
  }

  #typed(/** @type {KeyboardEvent} */ event) {
    const place = placeOfKey(event, this.#list.contains(document.activeElement));
    const button = this.#list.querySelectorAll("button")[place];
    if (!button) return;
    button.focus();
    button.click();
  }
}
