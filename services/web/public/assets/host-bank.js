// @ts-check
/** The bank as a host sees it: quizzes to choose from, how to play, and sessions that run. */
import { byId, make, showView, textOrHide, written } from "./dom.js";
import { call, RpcError } from "./rpc.js";
import { count, runningText } from "./words.js";

const PAGE_SIZE = 30;
const TOKEN_REFUSED = 401;
const NOT_FOR_THIS_ROLE = 403;

/**
 * @typedef {import("@fanfare/proto/quizmaster/v1/quiz_master_service").QuizHeadJson} QuizHead
 * @typedef {import("@fanfare/proto/quizmaster/v1/quiz_master_service").ListQuizzesResponseJson} Page
 * @typedef {import("@fanfare/proto/quiz/v1/quiz_service").CreateSessionResponseJson} Created
 * @typedef {import("@fanfare/proto/quiz/v1/quiz_service").ListSessionsResponseJson} Running
 * @typedef {import("@fanfare/proto/quiz/v1/session").SessionOptionsJson} SessionOptions
 */

export class Bank {
  #token;
  #events;
  #nextPage = "";
  #list = byId("bank-list", HTMLElement);
  #error = byId("create-error", HTMLElement);

  /**
   * @param {string} token
   * @param {{opened: (sessionId: string, token: string) => void,
   *   refused: (reason: string) => void}} events
   */
  constructor(token, events) {
    this.#token = token;
    this.#events = events;
  }

  /** Shows the bank, and the running sessions: a host's own, or all to an admin. */
  show(/** @type {boolean} */ isAdmin) {
    showView("view-bank");
    byId("search-form", HTMLFormElement).onsubmit = (event) => {
      event.preventDefault();
      this.#load("");
    };
    byId("options-form", HTMLFormElement).onsubmit = (event) => {
      event.preventDefault();
      this.#create();
    };
    byId("bank-more", HTMLButtonElement).onclick = () => this.#load(this.#nextPage);
    this.#load("");
    byId("running-heading", HTMLElement).textContent = isAdmin
      ? "Running now"
      : "Your running sessions";
    this.#loadRunning();
  }

  /** One page of quizzes; the first replaces what stands there. */
  async #load(/** @type {string} */ pageToken) {
    const text = byId("search", HTMLInputElement).value.trim();
    const page = await this.#call("quizmaster.v1.QuizMasterService/ListQuizzes", {
      text,
      pageSize: PAGE_SIZE,
      pageToken,
    });
    if (!page) return;
    const { quizzes = [], nextPageToken = "" } = /** @type {Page} */ (page);
    if (pageToken === "") this.#list.replaceChildren();
    this.#list.append(...quizzes.map(quizChoice));
    this.#nextPage = nextPageToken;
    byId("bank-more", HTMLElement).hidden = nextPageToken === "";
    byId("bank-empty", HTMLElement).hidden = this.#list.childElementCount > 0;
    const inputs = this.#list.querySelectorAll("input");
    if (inputs[0] && !this.#chosen()) inputs[0].checked = true;
  }

  async #loadRunning() {
    const running = await this.#call("quiz.v1.QuizService/ListSessions", {}, [NOT_FOR_THIS_ROLE]);
    const { sessions = [] } = /** @type {Running} */ (running ?? {});
    byId("running", HTMLElement).hidden = sessions.length === 0;
    const items = sessions.map((session) => {
      const { sessionId = "", title = "" } = session;
      const about = make("span", "soft", runningText(session));
      const button = make("button", "place-button", written("name", title), about);
      button.type = "button";
      button.addEventListener("click", () => this.#events.opened(sessionId, this.#token));
      return make("li", "", button);
    });
    byId("running-list", HTMLElement).replaceChildren(...items);
  }

  #chosen() {
    return new FormData(byId("bank-form", HTMLFormElement)).get("quiz");
  }

  async #create() {
    const quizId = this.#chosen();
    if (typeof quizId !== "string") {
      textOrHide(this.#error, "Choose a quiz first.");
      return;
    }
    const button = byId("create", HTMLButtonElement);
    button.disabled = true;
    const request = { quizId, options: chosenOptions() };
    const created = await this.#call("quiz.v1.QuizService/CreateSession", request);
    button.disabled = false;
    const { session, hostToken = "" } = /** @type {Created} */ (created ?? {});
    if (session?.sessionId) this.#events.opened(session.sessionId, hostToken);
  }

  /**
   * Undefined where the call failed, which is shown then.
   * @param {string} method
   * @param {object} request
   * @param {number[]} passedOver Statuses that are no fault here.
   */
  async #call(method, request, passedOver = []) {
    try {
      const response = await call(method, request, this.#token);
      textOrHide(this.#error, "");
      return response;
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      if (error.status === TOKEN_REFUSED) this.#events.refused(error.message);
      else if (!passedOver.includes(error.status)) textOrHide(this.#error, error.message);
      return undefined;
    }
  }
}

function quizChoice(/** @type {QuizHead} */ quiz) {
  const radio = make("input", "");
  radio.type = "radio";
  radio.name = "quiz";
  radio.value = quiz.quizId ?? "";
  const about = [count(quiz.questions, "question"), ...(quiz.tags ?? [])].join(" · ");
  const label = make("label", "quiz-choice", radio, written("name", quiz.title ?? ""));
  label.append(make("span", "soft", about));
  return make("li", "", label);
}

/** @returns {SessionOptions} */
function chosenOptions() {
  const numberOf = (/** @type {string} */ id) => byId(id, HTMLInputElement).valueAsNumber;
  const choiceOf = (/** @type {string} */ id) => byId(id, HTMLSelectElement).value;
  return {
    pacing: /** @type {SessionOptions["pacing"]} */ (choiceOf("pacing")),
    scoring: /** @type {SessionOptions["scoring"]} */ (choiceOf("scoring")),
    roundSeconds: numberOf("round-seconds"),
    readingSeconds: numberOf("reading-seconds"),
    revealSeconds: numberOf("reveal-seconds"),
    liveBoard: byId("live-board", HTMLInputElement).checked,
    closeWhenAllAnswered: byId("close-early", HTMLInputElement).checked,
  };
}
