// @ts-check
/**
 * The live table of /livescore/<session>: each array of its socket is the whole board, in order; an object
 * says what the board is of.
 */
import { byId, make, written } from "./dom.js";
import { emptyTextOf, limitFault, lineOf } from "./livescore-state.js";
import { ReconnectingSocket, socketUrl } from "./reconnecting-socket.js";
import { number } from "./words.js";

/** @typedef {{PlayerID: string, Score: number, Rank: number}} Row */

// /lovescore/<session> shows the same page; the socket has one path.
const session = location.pathname.split("/")[2] ?? "";
const name = decodeURIComponent(session);
const line = byId("line", HTMLElement);
const body = byId("rows", HTMLTableSectionElement);

byId("heading", HTMLElement).textContent = `Live score of ${name}`;
document.title = `${name} · Live score · Fanfare`;

const query = new URLSearchParams(location.search);
query.set("states", "1");
/** @type {import("./livescore-state.js").LiveState} */
let state = "unknown";

const socket = new ReconnectingSocket(socketUrl(`/livescore/${session}?${query}`), {
  onOpen: () => undefined,
  onText: (text) => {
    socket.settle();
    const said = JSON.parse(text);
    if (Array.isArray(said)) draw(said);
    else state = said.state;
    line.textContent = lineOf(state);
    byId("empty", HTMLElement).textContent = emptyTextOf(state, name);
  },
  onDown: () => {
    line.textContent = "Connection lost. Coming back…";
  },
  onFinal: (_code, reason) => {
    line.textContent = reason || "The server closed this board.";
  },
});
// Refused, a socket would not say why.
const fault = limitFault(query.get("limit"));
if (fault) line.textContent = fault;
else socket.connect();

/** Rows keep their elements: only what changed is written. */
function draw(/** @type {Row[]} */ rows) {
  byId("table", HTMLElement).hidden = rows.length === 0;
  byId("empty", HTMLElement).hidden = rows.length > 0;
  while (body.rows.length > rows.length) body.deleteRow(-1);
  while (body.rows.length < rows.length)
    body.append(
      make("tr", "", make("td", ""), make("td", "", written("name", "")), make("td", "")),
    );
  rows.forEach((row, at) => {
    const [rank, player, score] = body.rows[at]?.cells ?? [];
    write(rank, number(row.Rank));
    write(player?.firstElementChild, row.PlayerID);
    write(score, number(row.Score));
  });
}

function write(/** @type {Element | null | undefined} */ element, /** @type {string} */ text) {
  if (element && element.textContent !== text) element.textContent = text;
}
