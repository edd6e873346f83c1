// @ts-check
/**
 * What everybody in the room sees: lobby, question with progress, reveal with board, podium. The
 * host's page and the projector draw the same stage.
 */
import { AnswerCount } from "./answer-count.js";
import { boardTable, notOlder, podiumList } from "./board-view.js";
import { Countdown } from "./countdown.js";
import { make, textOrHide } from "./dom.js";
import { drawQuestion, optionTiles, revealNote, revealRows } from "./question-view.js";
import { timeOf } from "./server-clock.js";
import { count, pinText } from "./words.js";

/**
 * @typedef {import("@fanfare/proto/gateway/v1/frames").JoinedJson} Joined
 * @typedef {import("@fanfare/proto/gateway/v1/frames").QuestionJson} Question
 * @typedef {import("@fanfare/proto/gateway/v1/frames").RevealJson} Reveal
 * @typedef {import("@fanfare/proto/gateway/v1/frames").EndedJson} Ended
 */

export class Stage {
  #socket;
  #countdown;
  #status = make("p", "soft stage-status");
  #time = make("div", "countdown");
  #text = make("h2", "question");
  #media = make("div", "media");
  #options = make("ul", "options plain");
  #rows = make("ul", "outcomes plain");
  #note = make("p", "soft");
  #board = make("div", "stage-board");
  #answered = new AnswerCount();
  #rounds = 0;
  #round = 0;
  #revealed = false;
  #over = false;
  /** @type {Question | undefined} */
  #question;
  /** @type {import("./board-view.js").Board | undefined} */
  #standings;

  /**
   * @param {HTMLElement} root An empty element.
   * @param {import("./socket.js").FanfareSocket} socket
   */
  constructor(root, socket) {
    this.#socket = socket;
    this.#text.dir = "auto";
    this.#note.dir = "auto";
    const asked = make("div", "stage-question", this.#text, this.#media, this.#options, this.#rows);
    asked.append(this.#note);
    root.replaceChildren(this.#status, this.#time, make("div", "stage", asked, this.#board));
    this.#countdown = new Countdown(socket.clock, this.#time);
    socket.on("joined", (joined) => this.#joined(joined));
    socket.on("lobby", (lobby) => this.#waiting(lobby.players ?? 0));
    socket.on("question", (question) => this.#asked(question));
    socket.on("progress", (progress) => {
      this.#answered.take(progress);
      if (progress.round === this.#round && !this.#revealed) this.#sayAnswered();
    });
    socket.on("reveal", (reveal) => this.#reveal(reveal));
    socket.on("paused", (paused) => this.#countdown.freeze(paused.remainingMs ?? 0));
    socket.on("ended", (ended) => this.#ended(ended));
    socket.on("board", (board) => {
      if (!notOlder(board, this.#standings)) return;
      this.#standings = board;
      this.#drawBoard();
    });
  }

  #joined(/** @type {Joined} */ joined) {
    this.#rounds = joined.rounds ?? 0;
    this.#round = joined.round ?? 0;
    this.#revealed = joined.phase === "PHASE_REVEAL";
    this.#answered.forget();
    if (joined.phase !== "PHASE_LOBBY" && !this.#over) return;
    // The next session of the same name begins where the last one ended, with a board of its own.
    this.#over = false;
    this.#clear();
    this.#standings = undefined;
    this.#board.replaceChildren();
  }

  #waiting(/** @type {number} */ players) {
    if (this.#round === 0) this.#status.textContent = `${count(players, "player")} in the lobby`;
  }

  #say(/** @type {string} */ text) {
    this.#status.textContent = `Question ${this.#round} of ${this.#rounds} · ${text}`;
  }

  #sayAnswered() {
    this.#say(this.#answered.text(this.#round) || "answer now");
  }

  #clear() {
    this.#countdown.stop();
    this.#text.textContent = "";
    this.#note.textContent = "";
    this.#media.dataset.key = "";
    for (const part of [this.#media, this.#options, this.#rows]) part.replaceChildren();
  }

  #asked(/** @type {Question} */ frame) {
    const { round = 0, rounds = 0, question = {}, timeLimitMs = 0 } = frame;
    if (round !== this.#round) this.#revealed = false;
    this.#round = round;
    this.#rounds = rounds;
    this.#question = frame;
    if (this.#revealed) return;
    if (this.#rows.childElementCount > 0) this.#clear();
    drawQuestion(question, this.#text, this.#media);
    this.#options.replaceChildren(...optionTiles(question.options ?? []));
    const reading = !question.options?.length;
    if (reading) this.#say("read");
    else this.#sayAnswered();
    const endsAt = timeOf(reading ? frame.opensAt : frame.closesAt);
    if (endsAt === undefined) return this.#countdown.stop();
    const totalMs = reading ? endsAt - this.#socket.clock.now() : timeLimitMs;
    const label = reading ? "Answers come in" : "Time left:";
    this.#countdown.run({ label, endsAt, totalMs, urgent: !reading });
  }

  #reveal(/** @type {Reveal} */ frame) {
    const reveal = frame.reveal ?? {};
    const asked = this.#question?.round === frame.round ? this.#question?.question : undefined;
    this.#round = frame.round ?? 0;
    this.#revealed = true;
    if (asked) drawQuestion(asked, this.#text, this.#media);
    this.#options.replaceChildren();
    this.#rows.replaceChildren(...revealRows(asked, reveal));
    this.#note.textContent = revealNote(reveal);
    this.#say("the answer");
    this.#countdown.stop();
    const endsAt = timeOf(frame.nextAt);
    const totalMs = (endsAt ?? 0) - this.#socket.clock.now();
    if (endsAt !== undefined) this.#countdown.run({ label: "It goes on in", endsAt, totalMs });
    this.#drawBoard();
  }

  #drawBoard() {
    const board = this.#standings;
    if (!board?.standings?.length || this.#over) return;
    this.#board.replaceChildren(boardTable(board));
  }

  #ended(/** @type {Ended} */ ended) {
    this.#over = true;
    this.#clear();
    this.#status.textContent = "The quiz has ended";
    this.#board.replaceChildren(podiumList(ended.podium ?? []));
    const link = make("a", "button", "See the whole board");
    link.href = ended.boardPath?.replace(/^\/*/, "/") || "/";
    this.#board.append(make("p", "actions", link));
  }
}

/**
 * "Join at quiz.example with PIN 123 456", hidden where there is no PIN.
 * @param {HTMLElement} strip
 * @param {string} pin
 */
export function drawJoinStrip(strip, pin) {
  if (!pin) return textOrHide(strip, "");
  const link = make("a", "", location.host);
  link.href = `/?pin=${pin}`;
  strip.replaceChildren("Join at ", link, " with PIN ", make("strong", "pin", pinText(pin)));
  strip.hidden = false;
}
