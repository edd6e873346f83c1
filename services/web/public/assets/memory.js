// @ts-check
/**
 * What a browser remembers: places at quizzes (for all tabs, so that a closed tab is no loss), and
 * for one tab the place it plays at, a join or answer on its way, and a host's tokens. Where the
 * browser allows no storage, nothing is remembered and everything else works.
 */

const PLACES_MAX = 10;
const PLACES = "fanfare.places";
const TAB = "fanfare.tab";
const ANSWER = "fanfare.answer";
const JOIN = "fanfare.join";
const TOKEN = "fanfare.token";

/**
 * @typedef {{sessionId: string, resumeToken: string, nickname: string, title: string, pin: string}} Place
 * @typedef {{pin: string, nickname: string, submissionId: string}} JoinWish
 * @typedef {{round: number, choices: string[], submissionId: string}} Answer
 */

/** All places, newest first. */
export function places() {
  const stored = read(() => localStorage, PLACES);
  return /** @type {Place[]} */ (Array.isArray(stored) ? stored : []);
}

/** Keeps a place for all tabs, and as the one of this tab. */
export function rememberPlace(/** @type {Place} */ place) {
  const others = places().filter((one) => one.sessionId !== place.sessionId);
  write(() => localStorage, PLACES, [place, ...others].slice(0, PLACES_MAX));
  write(() => sessionStorage, TAB, place);
}

/** The place that this tab plays at. */
export function tabPlace() {
  return /** @type {Place | undefined} */ (read(() => sessionStorage, TAB));
}

/** Forgets a place that leads nowhere any more. */
export function forgetPlace(/** @type {string} */ sessionId) {
  const others = places().filter((one) => one.sessionId !== sessionId);
  write(() => localStorage, PLACES, others);
  if (tabPlace()?.sessionId === sessionId) leaveTab();
}

/** This tab plays nowhere; the place itself stays. */
export function leaveTab() {
  write(() => sessionStorage, TAB, undefined);
  forgetAnswer();
}

export function rememberJoin(/** @type {JoinWish | undefined} */ wish) {
  write(() => sessionStorage, JOIN, wish);
}

/** The join on its way with the same PIN and name, so that a second try is the same join. */
export function recallJoin(/** @type {string} */ pin, /** @type {string} */ nickname) {
  const wish = /** @type {JoinWish | undefined} */ (read(() => sessionStorage, JOIN));
  return wish?.pin === pin && wish.nickname === nickname ? wish : undefined;
}

export function rememberAnswer(/** @type {Answer} */ answer) {
  write(() => sessionStorage, ANSWER, answer);
}

export function recallAnswer() {
  return /** @type {Answer | undefined} */ (read(() => sessionStorage, ANSWER));
}

export function forgetAnswer() {
  write(() => sessionStorage, ANSWER, undefined);
}

/** A host's token: that of one session, or the general one. */
export function rememberToken(/** @type {string} */ token, sessionId = "") {
  write(() => sessionStorage, `${TOKEN}.${sessionId}`, token);
}

export function recallToken(sessionId = "") {
  return /** @type {string | undefined} */ (read(() => sessionStorage, `${TOKEN}.${sessionId}`));
}

export function forgetToken(sessionId = "") {
  write(() => sessionStorage, `${TOKEN}.${sessionId}`, undefined);
}

/** Signs the host out: no token stays. */
export function forgetTokens() {
  try {
    for (const key of Object.keys(sessionStorage))
      if (key.startsWith(TOKEN)) sessionStorage.removeItem(key);
  } catch {
    // Nothing was stored either.
  }
}

/**
 * @param {() => Storage} storage
 * @param {string} key
 * @returns {unknown}
 */
function read(storage, key) {
  try {
    return JSON.parse(storage().getItem(key) ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}

/**
 * @param {() => Storage} storage
 * @param {string} key
 * @param {unknown} value
 */
function write(storage, key, value) {
  try {
    if (value === undefined) storage().removeItem(key);
    else storage().setItem(key, JSON.stringify(value));
  } catch {
    // Full, or not allowed here.
  }
}
