// @ts-check
/** The players of a session as its host's socket names them, with a way to remove one. */
import { byId, make, written } from "./dom.js";
import { count, number } from "./words.js";

/** Rows on the page; the filter finds the others. */
const SHOWN_MAX = 200;

/**
 * @typedef {import("@fanfare/proto/gateway/v1/frames").PlayersChangedJson} PlayersChanged
 * @typedef {(command: {kick: {playerId: string}} | {ban: {playerId: string}}) => void} Remove
 */

export class HostPlayers {
  #remove;
  #list = byId("players", HTMLElement);
  #filter = byId("players-filter", HTMLInputElement);
  /** Nickname by player id, in the order of joining. @type {Map<string, string>} */
  #names = new Map();
  #counted = 0;

  /** @param {Remove} remove */
  constructor(remove) {
    this.#remove = remove;
    this.#filter.oninput = () => this.#draw();
  }

  /** A new connection: the server tells all names again. */
  forget() {
    this.#names.clear();
    this.#draw();
  }

  changed(/** @type {PlayersChanged} */ { joined = [], removed = [] }) {
    for (const { playerId = "", nickname = "" } of joined) this.#names.set(playerId, nickname);
    for (const playerId of removed) this.#names.delete(playerId);
    this.#draw();
  }

  counted(/** @type {number} */ players) {
    this.#counted = players;
    this.#drawCount();
  }

  #draw() {
    const wanted = this.#filter.value.trim().toLowerCase();
    const found = [...this.#names].filter(([, name]) => name.toLowerCase().includes(wanted));
    const shown = found.slice(-SHOWN_MAX).reverse();
    this.#list.replaceChildren(...shown.map(([playerId, name]) => this.#row(playerId, name)));
    const more = found.length - shown.length;
    byId("players-note", HTMLElement).textContent =
      more > 0 ? `and ${number(more)} more: find them by name` : "";
    this.#drawCount();
  }

  #drawCount() {
    const players = Math.max(this.#counted, this.#names.size);
    byId("players-heading", HTMLElement).textContent = count(players, "player");
  }

  #row(/** @type {string} */ playerId, /** @type {string} */ name) {
    const kick = make("button", "quiet small", "Kick");
    kick.setAttribute("aria-label", `Kick ${name}`);
    kick.onclick = () => this.#remove({ kick: { playerId } });
    const ban = make("button", "quiet small", "Ban");
    ban.setAttribute("aria-label", `Ban ${name}`);
    ban.onclick = () => {
      if (confirm(`Ban ${name}? The name can’t join this quiz again.`))
        this.#remove({ ban: { playerId } });
    };
    return make("li", "", written("name", name), kick, ban);
  }
}
