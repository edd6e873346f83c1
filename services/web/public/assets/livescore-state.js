// @ts-check
/** What the live table says of itself, by what the server says that its rows are of. */

/** @typedef {"unknown" | "lobby" | "live" | "ended"} LiveState */

const LIMIT_MAX = 1_000;

/** What is wrong with the `limit` of the page's address, as the server would say; "" for nothing. */
export function limitFault(/** @type {string | null} */ limit) {
  const fits = limit === null || (/^\d{1,4}$/.test(limit) && +limit >= 1 && +limit <= LIMIT_MAX);
  return fits ? "" : `limit is 1 to ${LIMIT_MAX}`;
}

/** Beside the heading. */
export function lineOf(/** @type {LiveState} */ state) {
  if (state === "live") return "● Live";
  return state === "ended" ? "Final" : "Waiting";
}

/** In the place of rows, where there are none. */
export function emptyTextOf(/** @type {LiveState} */ state, /** @type {string} */ name) {
  if (state === "unknown")
    return `There is no session “${name}” yet. When it begins, its scores appear here by themselves.`;
  if (state === "ended") return "This session ended without a score.";
  return "No scores yet. They appear here by themselves.";
}
