// @ts-check
/** What the pages say, where it depends on a value. */

/** What a refusal means for a player, by reason; other reasons show the server's own sentence. */
const REFUSALS = new Map([
  ["ERROR_REASON_SESSION_NOT_FOUND", "No quiz has this PIN. Check its digits and try again."],
  ["ERROR_REASON_SESSION_ENDED", "This quiz has ended."],
  ["ERROR_REASON_SESSION_FULL", "This quiz is full: no more players fit in."],
  ["ERROR_REASON_SESSION_LOCKED", "The host has locked this quiz: nobody new can join now."],
  [
    "ERROR_REASON_NAME_TAKEN",
    "Somebody else has this nickname, or a very similar one. Take another.",
  ],
  ["ERROR_REASON_NAME_INVALID", "This nickname can't be used. Take 1 to 24 letters or digits."],
  ["ERROR_REASON_BANNED", "You have been banned from this quiz."],
  ["ERROR_REASON_KICKED", "The host has removed you. You may join again under another name."],
  ["ERROR_REASON_PLAYER_NOT_FOUND", "This quiz does not know you any more. Join again."],
  ["ERROR_REASON_UNAUTHENTICATED", "Your ticket is not valid any more. Join again."],
  ["ERROR_REASON_UNSUPPORTED_VERSION", "This page is out of date. Load it again."],
  ["ERROR_REASON_SLOW_DOWN", "Very many people are joining. You are in the queue…"],
  ["ERROR_REASON_UNAVAILABLE", "The quiz can't be reached for a moment. Trying again…"],
  ["ERROR_REASON_ROUND_CLOSED", "Too late: the time was up."],
  ["ERROR_REASON_ALREADY_ANSWERED", "You had answered already: your first answer counts."],
  ["ERROR_REASON_CHOICE_INVALID", "This choice is not possible here. Choose again."],
]);

/** @param {{reason?: string, message?: string}} refused */
export function refusalText(refused) {
  return REFUSALS.get(refused.reason ?? "") || refused.message || "The server refused this.";
}

export function number(/** @type {number | undefined} */ value) {
  return (value ?? 0).toLocaleString("en");
}

/** "1 player", "1,200 players". */
export function count(/** @type {number | undefined} */ value, /** @type {string} */ noun) {
  return `${number(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** "123 456", "123 4567", "1234 5678": a PIN as people read it aloud. */
export function pinText(/** @type {string} */ pin) {
  const half = Math.floor(pin.length / 2);
  return half < 3 ? pin : `${pin.slice(0, half)}\u00a0${pin.slice(half)}`;
}

/**
 * "Lobby · PIN 123 456 · quiz_1": what tells one running session from another.
 * @param {import("@fanfare/proto/quiz/v1/session").SessionJson} session
 */
export function runningText({ sessionId = "", pin = "", phase, round = 0, rounds = 0, paused }) {
  const where = phase === "PHASE_LOBBY" ? "Lobby" : `Question ${round} of ${rounds}`;
  const parts = [paused ? `${where}, paused` : where, pin && `PIN ${pinText(pin)}`, sessionId];
  return parts.filter(Boolean).join(" · ");
}

/** "1st", "22nd", "113th". */
export function ordinal(/** @type {number} */ rank) {
  const teens = rank % 100 >= 11 && rank % 100 <= 13;
  return number(rank) + ((!teens && ["th", "st", "nd", "rd"][rank % 10]) || "th");
}

/** @typedef {import("@fanfare/proto/gateway/v1/frames").OwnResultJson} OwnResult */

/** The headline of a player's own result. */
export function verdictText(/** @type {OwnResult} */ own) {
  if (own.answerState === "ANSWER_STATE_PENDING") return "Looking your answer up…";
  const points = own.points ?? 0;
  const gained = points === 0 ? "" : `  ${points > 0 ? "+" : "−"}${number(Math.abs(points))}`;
  if (!own.answered) return `No answer${gained}`;
  return `${own.correct ? "Correct!" : "Not this time"}${gained}`;
}

/** Total, rank, change and gap of a player's own result, a sentence each. */
export function standingTexts(/** @type {OwnResult} */ own) {
  if (own.stale) return ["Your points are safe. The board can't be reached right now."];
  const texts = [`${number(own.total)} points`];
  if (own.rank) texts.push(`${ordinal(own.rank)} of ${number(own.players)}`);
  const change = own.change ?? 0;
  if (change !== 0)
    texts.push(`${change > 0 ? "▲ up" : "▼ down"} ${count(Math.abs(change), "place")}`);
  if (own.rank && own.rank > 1) texts.push(`${number(own.gap)} behind ${ordinal(own.rank - 1)}`);
  if ((own.streak ?? 0) > 1) texts.push(`${own.streak} right in a row`);
  return texts;
}
