// @ts-check
/** A running session as its host sees it: the invitation, the commands, the stage, the players. */
import { banner, byId, showView } from "./dom.js";
import { HostPlayers } from "./host-players.js";
import { PressGuard } from "./press-guard.js";
import { FanfareSocket } from "./socket.js";
import { Stage } from "./stage.js";
import { pinText, refusalText } from "./words.js";

const EXTEND_SECONDS = 15;

/**
 * @typedef {import("./socket.js").HostCommand} HostCommand
 * @typedef {import("@fanfare/proto/gateway/v1/frames").JoinedJson} Joined
 * @typedef {import("@fanfare/proto/quiz/v1/session").PhaseJson} Phase
 * @typedef {{phase: Phase, round: number, rounds: number, timeLimitMs: number, paused: boolean,
 *   locked: boolean}} Seen
 */

export class HostSession {
  #sessionId;
  #socket;
  #players;
  #turnedAway;
  #guard = new PressGuard();
  /** What the host sees, which commands name so that none is done twice. @type {Seen} */
  #seen = {
    phase: "PHASE_LOBBY",
    round: 0,
    rounds: 0,
    timeLimitMs: 0,
    paused: false,
    locked: false,
  };

  /**
   * @param {string} sessionId
   * @param {string} token
   * @param {(refused: import("./socket.js").Refused) => void} turnedAway
   */
  constructor(sessionId, token, turnedAway) {
    this.#sessionId = sessionId;
    this.#turnedAway = turnedAway;
    this.#socket = new FanfareSocket({ token, sessionId });
    this.#players = new HostPlayers((command) => this.#command(command));
  }

  start() {
    const socket = this.#socket;
    new Stage(byId("stage", HTMLElement), socket);
    for (const button of byId("controls", HTMLElement).querySelectorAll("button"))
      button.onclick = () => this.#press(button.dataset.command ?? "");
    socket.on("line", (line) => banner(line === "up" ? "" : "Connection lost. Coming back…"));
    socket.on("waiting", (refused) => banner(refusalText(refused)));
    socket.on("turnedAway", (refused) => this.#turnedAway(refused));
    socket.on("closed", ({ reason }) => banner(reason || "The server closed this connection."));
    socket.on("joined", (joined) => this.#joined(joined));
    socket.on("lobby", (lobby) => {
      this.#see({ locked: lobby.locked ?? false });
      this.#players.counted(lobby.players ?? 0);
    });
    socket.on("playersChanged", (changed) => this.#players.changed(changed));
    socket.on("question", ({ round = 0, rounds = 0, question, timeLimitMs = 0 }) => {
      // A question whose reveal follows, as the host comes back in it.
      const revealed = this.#seen.phase === "PHASE_REVEAL" && this.#seen.round === round;
      const asked = question?.options?.length ? "PHASE_OPEN" : "PHASE_READING";
      const phase = revealed ? "PHASE_REVEAL" : asked;
      this.#see({ phase, round, rounds, timeLimitMs, paused: false });
    });
    socket.on("reveal", ({ round = 0 }) => {
      this.#see({ phase: "PHASE_REVEAL", round, paused: false });
    });
    socket.on("paused", () => this.#see({ paused: true }));
    socket.on("ended", () => this.#see({ phase: "PHASE_ENDED", paused: false }));
    socket.connect();
  }

  #joined(/** @type {Joined} */ joined) {
    const { phase = "PHASE_LOBBY", round = 0, rounds = 0, title = "", pin = "" } = joined;
    byId("session-title", HTMLElement).textContent = title;
    document.title = `${title} · Host · Fanfare`;
    byId("pin", HTMLElement).textContent = pinText(pin);
    const joinUrl = byId("join-url", HTMLAnchorElement);
    joinUrl.textContent = location.host;
    joinUrl.href = `/?pin=${pin}`;
    const session = encodeURIComponent(this.#sessionId);
    // The projector is told no PIN; what stands behind # stays in the browser.
    byId("watch-url", HTMLAnchorElement).href = `/watch/${session}#pin=${pin}`;
    byId("board-url", HTMLAnchorElement).href = `/livescore/${session}`;
    showView("view-session");
    this.#see({ phase, round, rounds, paused: false });
    this.#players.forget();
  }

  #see(/** @type {Partial<Seen>} */ news) {
    Object.assign(this.#seen, news);
    const { phase, round, rounds, paused, locked } = this.#seen;
    const lobby = phase === "PHASE_LOBBY";
    const open = phase === "PHASE_OPEN";
    const asking = open || phase === "PHASE_READING";
    const over = phase === "PHASE_ENDED";
    /** @type {Record<string, boolean>} */
    const offered = {
      start: lobby,
      close: open && !paused,
      next: phase === "PHASE_REVEAL",
      pause: !lobby && !over && !paused,
      continue: paused,
      extend: open && !paused,
      skip: asking && !paused,
      lock: !over && !locked,
      unlock: !over && locked,
      end: !over,
    };
    for (const button of byId("controls", HTMLElement).querySelectorAll("button"))
      button.hidden = !offered[button.dataset.command ?? ""];
    // The same buttons of another round stand for something else, too.
    this.#guard.showing(JSON.stringify([offered, phase, round]));
    const next = byId("controls", HTMLElement).querySelector("[data-command=next]");
    if (next) next.textContent = round < rounds ? "Next question" : "To the podium";
    byId("invitation", HTMLElement).classList.toggle("slim", !lobby);
    byId("invitation", HTMLElement).hidden = over;
  }

  #press(/** @type {string} */ name) {
    if (!this.#guard.allows()) return;
    const { phase, round, timeLimitMs } = this.#seen;
    const next = { next: { expectedPhase: phase, expectedRound: round } };
    /** @type {Record<string, Omit<HostCommand, "requestId">>} */
    const commands = {
      start: { start: {} },
      close: next,
      next,
      pause: { pause: {} },
      continue: { continue: {} },
      extend: { extend: { seconds: EXTEND_SECONDS, expectedTimeLimitMs: timeLimitMs } },
      skip: { skip: { expectedRound: round } },
      lock: { lock: { locked: true } },
      unlock: { lock: { locked: false } },
      end: { end: {} },
    };
    const command = commands[name];
    if (!command || (name === "end" && !confirm("End the quiz for everybody?"))) return;
    this.#command(command);
  }

  async #command(/** @type {Omit<HostCommand, "requestId">} */ command) {
    const state = byId("command-state", HTMLElement);
    state.textContent = "…";
    try {
      await this.#socket.command(command);
      if (command.lock) this.#see({ locked: command.lock.locked ?? false });
      state.textContent = "";
    } catch (error) {
      state.textContent = error instanceof Error ? error.message : String(error);
    }
  }
}
