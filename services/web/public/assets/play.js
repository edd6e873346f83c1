// @ts-check
/** The player's page: finds the way in (this tab's place, a place kept, PIN and nickname) and plays. */

import { pinOf } from "./digits.js";
import { byId, make, showView, textOrHide } from "./dom.js";
import { Game } from "./game.js";
import { drawId } from "./ids.js";
import * as memory from "./memory.js";
import { refusalText } from "./words.js";

const PLACES_OFFERED = 3;
const PIN_DIGITS_MIN = 6;
/** The close code by which the gateway says that the same player came in elsewhere. */
const CLOSED_REPLACED = 4502;

const form = byId("join-form", HTMLFormElement);
const pinInput = byId("pin", HTMLInputElement);
const nameInput = byId("nickname", HTMLInputElement);
const joinError = byId("join-error", HTMLElement);
const joinButton = byId("join-button", HTMLButtonElement);

const pinOfPage = pinOf(new URLSearchParams(location.search).get("pin") ?? "");
/** The place that "Play here" goes back to. @type {memory.Place | undefined} */
let lastPlace;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  join(pinOf(pinInput.value), nameInput.value.trim());
});
byId("out-back", HTMLButtonElement).addEventListener("click", () => lastPlace && resume(lastPlace));
byId("out-leave", HTMLButtonElement).addEventListener("click", () => {
  memory.leaveTab();
  showForm();
});

const place = memory.tabPlace();
if (place && (pinOfPage === "" || pinOfPage === place.pin)) resume(place);
else showForm();

/** Shows the form, with a sentence on why, and the places that this browser has kept. */
function showForm(error = "") {
  if (pinOfPage && !pinInput.value) pinInput.value = pinOfPage;
  joinButton.disabled = false;
  joinButton.textContent = "Join";
  drawPlaces();
  showView("view-join");
  textOrHide(joinError, error);
  (pinInput.value && !/PIN/.test(error) ? nameInput : pinInput).focus();
}

function drawPlaces() {
  const kept = memory.places().filter((one) => pinOfPage === "" || one.pin === pinOfPage);
  byId("places", HTMLElement).hidden = kept.length === 0;
  const buttons = kept.slice(0, PLACES_OFFERED).map((one) => {
    const button = make("button", "place-button", `${one.title} as ${one.nickname}`);
    button.type = "button";
    button.addEventListener("click", () => resume(one));
    return make("li", "", button);
  });
  byId("places-list", HTMLElement).replaceChildren(...buttons);
}

function join(/** @type {string} */ pin, /** @type {string} */ nickname) {
  if (pin.length < PIN_DIGITS_MIN)
    return showForm(`A PIN has ${PIN_DIGITS_MIN} digits or more. The host’s screen shows it.`);
  if (!nickname) return showForm("Choose a nickname.");
  memory.leaveTab();
  const wish = memory.recallJoin(pin, nickname) ?? { pin, nickname, submissionId: drawId() };
  memory.rememberJoin(wish);
  joinButton.disabled = true;
  joinButton.textContent = "Joining…";
  textOrHide(joinError, "");
  play({ join: wish });
}

function resume(/** @type {memory.Place} */ back) {
  lastPlace = back;
  play({ resumeToken: back.resumeToken }, back);
}

/**
 * @param {ConstructorParameters<typeof Game>[0]} identity
 * @param {memory.Place} [back] Where a resume token leads.
 */
function play(identity, back) {
  const game = new Game(identity, {
    joined: (place) => {
      lastPlace = place;
      memory.rememberJoin(undefined);
      memory.rememberPlace(place);
    },
    turnedAway: (refused) => {
      if (back) memory.forgetPlace(back.sessionId);
      // The next try is another join: this one has its verdict.
      memory.rememberJoin(undefined);
      if (back && refused.reason === "ERROR_REASON_SESSION_ENDED") game.showEnded(back.sessionId);
      else showForm(refusalText(refused));
    },
    removed: (reason) => {
      if (lastPlace) memory.forgetPlace(lastPlace.sessionId);
      showOut("You are out of the quiz", refusalText({ reason }), false);
    },
    closed: ({ code, reason }) => {
      if (code === CLOSED_REPLACED)
        showOut("You play on elsewhere", "Another tab or device has taken your place.", true);
      else showOut("The server hung up", reason ? `It said: ${reason}.` : "", true);
    },
  });
  game.start();
}

/**
 * @param {string} title
 * @param {string} text
 * @param {boolean} mayComeBack
 */
function showOut(title, text, mayComeBack) {
  byId("out-title", HTMLElement).textContent = title;
  byId("out-text", HTMLElement).textContent = text;
  byId("out-back", HTMLElement).hidden = !mayComeBack;
  showView("view-out");
}
