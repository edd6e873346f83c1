// @ts-check
/** One player's game: turns the server's frames into what the play page shows. */
import { boardTable, notOlder, podiumList } from "./board-view.js";
import { Countdown } from "./countdown.js";
import { announce, banner, byId, make, showView, textOrHide } from "./dom.js";
import { OptionButtons } from "./option-buttons.js";
import { drawQuestion, revealNote, revealRows } from "./question-view.js";
import { timeOf } from "./server-clock.js";
import { FanfareSocket } from "./socket.js";
import { count, number, ordinal, refusalText, standingTexts, verdictText } from "./words.js";

/**
 * @typedef {import("@fanfare/proto/gateway/v1/frames").JoinedJson} Joined
 * @typedef {import("@fanfare/proto/gateway/v1/frames").QuestionJson} Question
 * @typedef {import("@fanfare/proto/gateway/v1/frames").RevealJson} Reveal
 * @typedef {import("@fanfare/proto/gateway/v1/frames").OwnResultJson} OwnResult
 * @typedef {import("@fanfare/proto/gateway/v1/frames").EndedJson} Ended
 * @typedef {import("@fanfare/proto/gateway/v1/frames").RefusedJson} Refused
 * @typedef {object} GameEvents
 * @property {(place: import("./memory.js").Place) => void} joined
 * @property {(refused: Refused) => void} turnedAway
 * @property {(reason: string) => void} removed
 * @property {(why: {code: number, reason: string}) => void} closed
 */

export class Game {
  #socket;
  #countdown;
  #events;
  #next;
  #left = new AbortController();
  #options = new OptionButtons((choices) => this.#answer(choices), this.#left.signal);
  #answerState = byId("answer-state", HTMLElement);
  /** @type {Joined} */
  #joined = {};
  #round = 0;
  #revealed = false;
  /** @type {Question | undefined} */
  #question;
  /** @type {{round: number, choices: string[]} | undefined} */
  #ownAnswer;
  /** @type {OwnResult | undefined} */
  #own;
  /** @type {import("./board-view.js").Board | undefined} */
  #board;

  /**
   * @param {ConstructorParameters<typeof FanfareSocket>[0]} identity
   * @param {GameEvents} events
   */
  constructor(identity, events) {
    this.#events = events;
    this.#socket = new FanfareSocket(identity);
    this.#countdown = new Countdown(this.#socket.clock, byId("countdown", HTMLElement));
    this.#next = new Countdown(this.#socket.clock, byId("next", HTMLElement));
  }

  start() {
    const socket = this.#socket;
    socket.on("line", (line) => banner(line === "up" ? "" : "Connection lost. Coming back…"));
    socket.on("waiting", (refused) => banner(refusalText(refused)));
    socket.on("turnedAway", (refused) => this.#leave(() => this.#events.turnedAway(refused)));
    socket.on("removed", (it) => this.#leave(() => this.#events.removed(it.reason ?? "")));
    socket.on("closed", (it) => this.#leave(() => this.#events.closed(it)));
    socket.on("joined", (joined) => this.#greeted(joined));
    socket.on("lobby", (lobby) => {
      const players = count(lobby.players, "player");
      byId("lobby-count", HTMLElement).textContent = `${players} here`;
    });
    socket.on("question", (question) => this.#asked(question));
    socket.on("answer", (answer) => this.#answered(answer));
    socket.on("reveal", (reveal) => this.#reveal(reveal));
    socket.on("ownResult", (own) => this.#result(own));
    socket.on("board", (board) => {
      if (!notOlder(board, this.#board)) return;
      this.#board = board;
      this.#drawBoard();
    });
    socket.on("paused", (paused) => {
      const running = this.#revealed ? this.#next : this.#countdown;
      running.freeze(paused.remainingMs ?? 0);
      this.#options.setOpen(false);
      banner("The host has paused the quiz.");
    });
    socket.on("ended", (ended) => this.#ended(ended));
    socket.connect();
  }

  /** The end of a session of which nothing is left but its board. */
  showEnded(/** @type {string} */ sessionId) {
    this.#joined = { sessionId };
    this.#ended({});
  }

  #leave(/** @type {() => void} */ andThen) {
    this.#left.abort();
    this.#stopClocks();
    banner("");
    byId("who", HTMLElement).hidden = true;
    andThen();
  }

  #greeted(/** @type {Joined} */ joined) {
    const { sessionId = "", nickname = "", title = "", pin = "", resumeToken = "" } = joined;
    this.#joined = joined;
    this.#revealed = joined.phase === "PHASE_REVEAL";
    this.#events.joined({ sessionId, resumeToken, nickname, title, pin });
    byId("lobby-title", HTMLElement).textContent = title;
    byId("lobby-name", HTMLElement).textContent = nickname;
    this.#drawWho(joined.points ?? 0);
    if (joined.phase === "PHASE_LOBBY") {
      showView("view-lobby");
      return;
    }
    this.#toRound(joined.round ?? 0, joined.rounds ?? 0);
    // Until the question, the reveal or the end follows.
    if (!this.#question && joined.phase !== "PHASE_ENDED")
      showView(this.#revealed ? "view-reveal" : "view-question");
  }

  #stopClocks() {
    this.#countdown.stop();
    this.#next.stop();
  }

  #drawWho(/** @type {number} */ points) {
    textOrHide(byId("who", HTMLElement), `${this.#joined.nickname} · ${number(points)} points`);
  }

  /**
   * @param {number} round
   * @param {number} rounds
   */
  #toRound(round, rounds) {
    const text = `Question ${round} of ${rounds}`;
    byId("question-number", HTMLElement).textContent = text;
    document.title = `${text} · Fanfare`;
    if (round === this.#round) return;
    this.#round = round;
    this.#own = undefined;
    this.#question = undefined;
    this.#ownAnswer = undefined;
    this.#answerState.textContent = "";
    this.#answerState.dataset.state = "";
    byId("verdict-text", HTMLElement).textContent = `Round ${round}`;
    byId("verdict", HTMLElement).dataset.verdict = "";
    byId("verdict-standing", HTMLElement).replaceChildren();
  }

  #asked(/** @type {Question} */ frame) {
    const { round = 0, rounds = 0, question = {} } = frame;
    if (round !== this.#round) this.#revealed = false;
    this.#toRound(round, rounds);
    this.#question = frame;
    banner("");
    // A question whose reveal follows, as the client comes back in it.
    if (this.#revealed) return;
    const [heading, media] = [
      byId("question-text", HTMLElement),
      byId("question-media", HTMLElement),
    ];
    drawQuestion(question, heading, media);
    this.#options.draw(round, question);
    this.#next.stop();
    if (question.options?.length) this.#opened(frame);
    else this.#reading(frame);
    showView("view-question");
  }

  #reading(/** @type {Question} */ { opensAt }) {
    const endsAt = timeOf(opensAt);
    if (endsAt === undefined) return this.#countdown.stop();
    const totalMs = endsAt - this.#socket.clock.now();
    this.#countdown.run({ label: "Read! Answers come in", endsAt, totalMs });
  }

  #opened(/** @type {Question} */ { question, closesAt, timeLimitMs = 0 }) {
    if (this.#ownAnswer) this.#options.choose(this.#ownAnswer.choices);
    else this.#options.setOpen(true);
    const options = question?.options?.map(({ choice, text }) => `${choice}: ${text}`) ?? [];
    announce(`Answer now. ${options.join(". ")}`);
    const endsAt = timeOf(closesAt);
    if (endsAt === undefined) return this.#countdown.stop();
    // Own answer or none: only who may still answer has buttons that close and open again.
    const onOver = (/** @type {boolean} */ isOver) => {
      if (!this.#ownAnswer) this.#options.setOpen(!isOver);
    };
    this.#countdown.run({
      label: "Time left:",
      endsAt,
      totalMs: timeLimitMs,
      urgent: true,
      onOver,
    });
  }

  #answer(/** @type {string[]} */ choices) {
    this.#socket.answer(this.#round, choices);
  }

  #answered(/** @type {import("./answer-outbox.js").AnswerState} */ answer) {
    if (answer.round !== this.#round) return;
    const early = answer.reason === "ERROR_REASON_CHOICE_INVALID";
    this.#ownAnswer = early ? undefined : answer;
    if (early) this.#options.setOpen(true);
    else this.#options.choose(answer.choices);
    this.#answerState.dataset.state = answer.state;
    this.#answerState.textContent =
      answer.state === "sending"
        ? "Sending…"
        : answer.state === "received"
          ? "✓ Received. Wait for the others."
          : refusalText(answer);
  }

  #reveal(/** @type {Reveal} */ frame) {
    const reveal = frame.reveal ?? {};
    this.#revealed = true;
    this.#toRound(frame.round ?? 0, this.#joined.rounds ?? 0);
    banner("");
    const question = this.#question?.question;
    const own = this.#ownAnswer?.choices ?? [];
    byId("reveal-question", HTMLElement).textContent = question?.text ?? "";
    byId("reveal-rows", HTMLElement).replaceChildren(...revealRows(question, reveal, own));
    byId("reveal-note", HTMLElement).textContent = revealNote(reveal);
    this.#stopClocks();
    const endsAt = timeOf(frame.nextAt);
    if (endsAt !== undefined) {
      const totalMs = endsAt - this.#socket.clock.now();
      this.#next.run({ label: "It goes on in", endsAt, totalMs });
    }
    this.#drawBoard();
    showView("view-reveal");
  }

  #result(/** @type {OwnResult} */ own) {
    if ((own.round ?? 0) !== this.#round) return;
    this.#own = own;
    const verdict = verdictText(own);
    byId("verdict-text", HTMLElement).textContent = verdict;
    const isKnown = own.answerState !== "ANSWER_STATE_PENDING";
    const known = own.correct ? "right" : "wrong";
    byId("verdict", HTMLElement).dataset.verdict = isKnown ? known : "pending";
    const standing = standingTexts(own);
    const items = standing.map((text) => make("li", "", text));
    byId("verdict-standing", HTMLElement).replaceChildren(...items);
    announce([verdict, ...standing].join(". "));
    if (!own.stale) this.#drawWho(own.total ?? 0);
    this.#drawBoard();
    this.#drawEndedOwn();
  }

  #drawBoard() {
    const board = this.#board;
    const { playerId = "", nickname = "" } = this.#joined;
    const me = { playerId, nickname, rank: this.#own?.rank ?? 0, total: this.#own?.total ?? 0 };
    const table = board?.standings?.length ? [boardTable(board, me)] : [];
    byId("reveal-board", HTMLElement).replaceChildren(...table);
  }

  #ended(/** @type {Ended} */ ended) {
    const { sessionId = "", playerId = "" } = this.#joined;
    this.#stopClocks();
    banner("");
    document.title = "The end · Fanfare";
    this.#drawEndedOwn();
    byId("podium", HTMLElement).replaceChildren(podiumList(ended.podium ?? [], playerId));
    // A path at this server, whatever was sent.
    const path = ended.boardPath?.replace(/^\/*/, "/") || `/livescore/${sessionId}`;
    byId("board-link", HTMLAnchorElement).href = path;
    showView("view-ended");
  }

  #drawEndedOwn() {
    const own = this.#own;
    const text = own?.rank
      ? `You are ${ordinal(own.rank)} of ${number(own.players)} with ${number(own.total)} points.`
      : "";
    textOrHide(byId("ended-own", HTMLElement), text);
  }
}
