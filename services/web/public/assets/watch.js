// @ts-check
/**
 * The projector: /watch/<session> for everybody in the room, no token needed. The host's link names the
 * PIN behind the #, as the server tells it to hosts alone.
 */
import { banner, byId } from "./dom.js";
import { FanfareSocket } from "./socket.js";
import { drawJoinStrip, Stage } from "./stage.js";
import { pinText, refusalText } from "./words.js";

const session = decodeURIComponent(location.pathname.split("/")[2] ?? "");
const pin = /^#pin=(\d+)$/.exec(location.hash)?.[1] ?? "";
const socket = new FanfareSocket({ watch: session });
new Stage(byId("stage", HTMLElement), socket);

socket.on("line", (line) => banner(line === "up" ? "" : "Connection lost. Coming back…"));
socket.on("waiting", (refused) => banner(refusalText(refused)));
socket.on("turnedAway", (refused) =>
  banner(
    refused.reason === "ERROR_REASON_SESSION_NOT_FOUND"
      ? `There is no quiz with the name “${session}”.`
      : refusalText(refused),
  ),
);
socket.on("closed", ({ reason }) => banner(reason || "The server closed this connection."));
socket.on("joined", ({ title = "", phase }) => {
  document.title = `${title} · Fanfare`;
  byId("session-title", HTMLElement).textContent = title;
  byId("join-host", HTMLElement).textContent = location.host;
  byId("pin", HTMLElement).textContent = pinText(pin);
  invite(phase === "PHASE_ENDED" ? "" : pin, phase === "PHASE_LOBBY");
});
socket.on("paused", () => banner("Paused"));
socket.on("question", () => {
  banner("");
  byId("invitation", HTMLElement).hidden = true;
});
socket.on("reveal", () => banner(""));
socket.on("ended", () => invite("", false));
socket.connect();

/**
 * The way in: big in the lobby, a line at the top later, nothing where there is no PIN.
 * @param {string} pin
 * @param {boolean} big
 */
function invite(pin, big) {
  drawJoinStrip(byId("join-strip", HTMLElement), pin);
  byId("invitation", HTMLElement).hidden = !big || pin === "";
}
