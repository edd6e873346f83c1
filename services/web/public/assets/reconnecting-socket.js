// @ts-check
/**
 * A WebSocket that comes back by itself, with full jitter between attempts. It obeys close codes
 * (4500 and above are final) and a delay that the server asked for.
 */

const BACKOFF_BASE_MS = 500;
const BACKOFF_CAP_MS = 20_000;
const FINAL_CODES_FROM = 4500;
const SETTLE_WAIT_MS = 15_000;

/** Full jitter: anything from 0 to a bound that doubles with each attempt, in ms. */
export function backoffMs(/** @type {number} */ attempt, random = Math.random) {
  return random() * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** attempt);
}

/** The address of a socket path at the server that the page came from. */
export function socketUrl(/** @type {string} */ path) {
  const url = new URL(path, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

/**
 * @typedef {object} SocketEvents
 * @property {() => void} onOpen
 * @property {(text: string) => void} onText
 * @property {() => void} onDown Lost; the next attempt is planned.
 * @property {(code: number, reason: string) => void} onFinal Closed for good by the server.
 */

export class ReconnectingSocket {
  #url;
  #events;
  #attempt = 0;
  #orderedUntil = 0;
  #waiting = false;
  /** @type {WebSocket | undefined} */
  #socket;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {string} url
   * @param {SocketEvents} events
   */
  constructor(url, events) {
    this.#url = url;
    this.#events = events;
    addEventListener("online", () => this.retryNow());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.retryNow();
    });
  }

  connect() {
    clearTimeout(this.#timer);
    this.#waiting = false;
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    this.#timer = setTimeout(() => this.restart(), SETTLE_WAIT_MS);
    // A socket that was given up may still speak; only the current one is heard.
    const current = () => this.#socket === socket;
    socket.addEventListener("open", () => current() && this.#events.onOpen());
    socket.addEventListener("message", (event) => current() && this.#events.onText(event.data));
    socket.addEventListener(
      "close",
      (event) => current() && this.#closed(event.code, event.reason),
    );
  }

  /** Whether the text was handed to an open socket. */
  send(/** @type {string} */ text) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(text);
    return true;
  }

  /**
   * The conversation works: the next loss starts from the shortest delay again. A connection of
   * which nobody says this within 15 s is given up.
   */
  settle() {
    this.#attempt = 0;
    clearTimeout(this.#timer);
  }

  /** The next attempt comes no sooner than this, as the server asked. */
  waitAtLeast(/** @type {number} */ ms) {
    this.#orderedUntil = Math.max(this.#orderedUntil, performance.now() + ms);
  }

  /** Cuts a waiting short, unless it is the server's. */
  retryNow() {
    if (this.#waiting && performance.now() >= this.#orderedUntil) this.connect();
  }

  /** Gives the current connection up without waiting for its close, and comes back. */
  restart() {
    const given = this.#socket;
    this.#closed(1006, "");
    given?.close();
  }

  /** Ends it; nothing comes back and no event follows. */
  stop() {
    this.#waiting = false;
    clearTimeout(this.#timer);
    const given = this.#socket;
    this.#socket = undefined;
    given?.close();
  }

  #closed(/** @type {number} */ code, /** @type {string} */ reason) {
    this.#socket = undefined;
    clearTimeout(this.#timer);
    if (code >= FINAL_CODES_FROM) {
      this.#events.onFinal(code, reason);
      return;
    }
    const ordered = this.#orderedUntil - performance.now();
    const delayMs = ordered > 0 ? ordered : backoffMs(this.#attempt);
    this.#attempt += 1;
    this.#waiting = true;
    this.#timer = setTimeout(() => this.connect(), delayMs);
    this.#events.onDown();
  }
}
