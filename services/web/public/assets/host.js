// @ts-check
/**
 * The host's page: takes a token from the address or the form, then opens the session that the
 * address or the token names, or shows the bank.
 */
import { banner, byId, showView, textOrHide } from "./dom.js";
import { Bank } from "./host-bank.js";
import { HostSession } from "./host-session.js";
import * as memory from "./memory.js";
import { refusalText } from "./words.js";

takeTokenFromAddress();
byId("token-form", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  const token = byId("token", HTMLInputElement).value.trim();
  memory.rememberToken(token);
  begin();
});
byId("sign-out", HTMLButtonElement).addEventListener("click", () => {
  memory.forgetTokens();
  location.assign("/host");
});
// Back and forward move between the bank and a session.
addEventListener("popstate", () => location.reload());
begin();

/** A token in the fragment never reaches a server's log; here it leaves the address bar too. */
function takeTokenFromAddress() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!token) return;
  memory.rememberToken(token, new URLSearchParams(location.search).get("session") ?? "");
  history.replaceState(null, "", location.pathname + location.search);
}

function begin(error = "") {
  const wanted = new URLSearchParams(location.search).get("session") ?? "";
  const token = memory.recallToken(wanted) ?? memory.recallToken();
  byId("sign-out", HTMLElement).hidden = !token;
  banner(token ? error : "");
  textOrHide(byId("token-error", HTMLElement), error);
  if (!token) {
    showView("view-token");
    byId("token", HTMLInputElement).focus();
    return;
  }
  const claims = claimsOf(token);
  const sessionId = wanted || claims.sid || "";
  if (sessionId) openSession(sessionId, token);
  else new Bank(token, { opened, refused: askAgain }).show(claims.role === "admin");
}

/** A session made or chosen in the bank: its address is one to come back to. */
function opened(/** @type {string} */ sessionId, /** @type {string} */ token) {
  memory.rememberToken(token, sessionId);
  history.pushState(null, "", `/host?session=${encodeURIComponent(sessionId)}`);
  openSession(sessionId, token);
}

function openSession(/** @type {string} */ sessionId, /** @type {string} */ token) {
  new HostSession(sessionId, token, (refused) => {
    memory.forgetToken(sessionId);
    // A token that is no good, or good for this session alone, leads nowhere else.
    const spent = refused.reason === "ERROR_REASON_UNAUTHENTICATED" || claimsOf(token).sid;
    if (spent && memory.recallToken() === token) memory.forgetToken();
    history.replaceState(null, "", "/host");
    begin(refused.message || refusalText(refused));
  }).start();
}

function askAgain(/** @type {string} */ reason) {
  memory.forgetToken();
  begin(reason);
}

/**
 * What the token says about itself; only to choose a view, as the server checks every token.
 * @param {string} token
 * @returns {{role?: string, sid?: string}}
 */
function claimsOf(token) {
  try {
    const body = (token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/");
    return JSON.parse(atob(body));
  } catch {
    return {};
  }
}
