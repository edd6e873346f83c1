// @ts-check
/** Draws a question, its options and its reveal, the same on every page. */
import { make, setShare, written } from "./dom.js";
import { count, number } from "./words.js";

/**
 * @typedef {import("@fanfare/proto/quiz/v1/session").PublicQuestionJson} PublicQuestion
 * @typedef {import("@fanfare/proto/quiz/v1/session").OptionJson} Option
 * @typedef {import("@fanfare/proto/quiz/v1/session").RevealJson} Reveal
 * @typedef {import("@fanfare/proto/common/v1/question").MediaJson} Media
 */

/**
 * The question's text and media.
 * @param {PublicQuestion} question
 * @param {HTMLElement} heading
 * @param {HTMLElement} media
 */
export function drawQuestion(question, heading, media) {
  const key = JSON.stringify([question.text, question.media]);
  // A question comes again with its options: what stands there stays, a film plays on.
  if (media.dataset.key === key) return;
  media.dataset.key = key;
  heading.textContent = question.text ?? "";
  media.replaceChildren(...(question.media ?? []).map(mediaElement));
}

/** Letter, shape and text of an option; the letter also names its colour in the stylesheet. */
export function optionParts(/** @type {Option} */ option) {
  const shape = make("span", "shape");
  shape.setAttribute("aria-hidden", "true");
  return [shape, make("span", "letter", option.choice ?? ""), written("text", option.text ?? "")];
}

/** Options that nobody can press, for a projector. */
export function optionTiles(/** @type {Option[]} */ options) {
  return options.map((option) => {
    const tile = make("div", "option", ...optionParts(option));
    tile.dataset.choice = option.choice ?? "";
    return make("li", "", tile);
  });
}

/**
 * The options with what the round brought: who is right, how many chose what, what was one's own.
 * @param {PublicQuestion | undefined} question Undefined where the client came after it.
 * @param {Reveal} reveal
 * @param {string[]} own
 */
export function revealRows(question, reveal, own = []) {
  const right = new Set(reveal.answer);
  const total = reveal.answers || 1;
  const texts = new Map(question?.options?.map((option) => [option.choice, option.text]));
  return (reveal.distribution ?? []).map(({ choice = "", count: chosen = 0 }) => {
    const row = make("li", right.has(choice) ? "outcome right" : "outcome");
    row.dataset.choice = choice;
    const parts = optionParts({ choice, text: texts.get(choice) ?? "" });
    const tags = make("span", "tags");
    if (right.has(choice)) tags.append(make("span", "tag", "✓ Right answer"));
    if (own.includes(choice)) tags.append(make("span", "tag own", "Your answer"));
    const label = make("div", "outcome-label", ...parts, tags);
    const bar = make("div", "bar");
    setShare(bar, chosen / total);
    const chosenText = make("span", "count", number(chosen));
    chosenText.append(make("span", "unseen", chosen === 1 ? " answer" : " answers"));
    row.append(label, make("div", "bar-line", bar, chosenText));
    return row;
  });
}

/** "12 answers. Because …" under the bars. */
export function revealNote(/** @type {Reveal} */ reveal) {
  const answers = count(reveal.answers, "answer");
  return reveal.explanation ? `${answers}. ${reveal.explanation}` : answers;
}

function mediaElement(/** @type {Media} */ media) {
  const description = media.description ?? "";
  if (media.kind === "MEDIA_KIND_IMAGE") {
    const image = make("img", "");
    image.alt = description;
    image.src = media.url ?? "";
    return make("figure", "", image);
  }
  const player = make(media.kind === "MEDIA_KIND_AUDIO" ? "audio" : "video", "");
  player.controls = true;
  player.src = media.url ?? "";
  player.setAttribute("playsinline", "");
  player.setAttribute("aria-label", description);
  return make("figure", "", player);
}
