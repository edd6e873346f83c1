// @ts-check
/** Draws the board's first rows and the podium, and tells a newer board from an older one. */
import { make, written } from "./dom.js";
import { count, number, ordinal } from "./words.js";

/**
 * @typedef {import("@fanfare/proto/gateway/v1/frames").BoardJson} Board
 * @typedef {import("@fanfare/proto/leaderboard/v1/leaderboard_service").StandingJson} Standing
 */

/** Whether `next` is at least as new as `current`: by epoch, then by version. */
export function notOlder(/** @type {Board} */ next, /** @type {Board | undefined} */ current) {
  if (!current) return true;
  const epochs = BigInt(next.epoch ?? 0) - BigInt(current.epoch ?? 0);
  return (
    epochs > 0n || (epochs === 0n && BigInt(next.version ?? 0) >= BigInt(current.version ?? 0))
  );
}

/** Whether a row is this player's, and not that of an outsider who goes by the same id. */
function isPlayer(/** @type {Standing} */ one, playerId = "") {
  return playerId !== "" && one.playerId === playerId && !one.outside;
}

/**
 * A table of the board.
 * @param {Board} board
 * @param {{playerId?: string, nickname?: string, rank?: number, total?: number}} me Shown below
 *   the first rows where it is not among them.
 */
export function boardTable(board, me = {}) {
  const standings = board.standings ?? [];
  const isMe = (/** @type {Standing} */ one) => isPlayer(one, me.playerId);
  const head = make("tr", "", columnHead("Rank"), columnHead("Player"), columnHead("Points"));
  const rows = standings.map((one) => standingRow(one, isMe(one)));
  const last = standings.at(-1)?.rank ?? 0;
  const listed = standings.some(isMe);
  if (me.playerId && me.rank && !listed && me.rank > last) {
    const { playerId, nickname, rank, total } = me;
    rows.push(standingRow({ playerId, nickname, rank, points: total ?? 0 }, true));
    if (me.rank > last + 1) rows.at(-1)?.classList.add("apart");
  }
  const note = board.stale ? "The board can’t be reached: these are its last known rows." : "";
  const caption = `Board: ${count(board.players, "player")}. ${note}`.trim();
  return make(
    "table",
    board.stale ? "board stale" : "board",
    make("caption", "", caption),
    make("thead", "", head),
    make("tbody", "", ...rows),
  );
}

/** The first three as steps, the others as lines below them. */
export function podiumList(/** @type {Standing[]} */ podium, playerId = "") {
  const list = make("ol", "podium");
  for (const one of podium) {
    const step = make("li", isPlayer(one, playerId) ? "me" : "");
    step.dataset.rank = String(one.rank ?? 0);
    step.append(
      make("span", "place", ordinal(one.rank ?? 0)),
      written("name", one.nickname || one.playerId || ""),
      make("span", "points", number(one.points)),
    );
    list.append(step);
  }
  return list;
}

function columnHead(/** @type {string} */ text) {
  const cell = make("th", "", text);
  cell.scope = "col";
  return cell;
}

/**
 * @param {Standing} standing
 * @param {boolean} mine
 */
function standingRow(standing, mine) {
  const name = make("td", "", written("name", standing.nickname || standing.playerId || ""));
  if (mine) name.append(make("span", "tag own", "You"));
  return make(
    "tr",
    mine ? "me" : "",
    make("td", "", number(standing.rank)),
    name,
    make("td", "", number(standing.points)),
  );
}
