/** A player's page while the host pauses. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Game } from "../public/assets/game.js";
import { type StagedElement, StagedSocket, stagePage, strikePage } from "./staged-page.js";

let byId: (id: string) => StagedElement;

beforeEach(() => {
  byId = stagePage();
});
afterEach(strikePage);

const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
const question = (closesInMs: number) => ({
  question: {
    round: 1,
    rounds: 3,
    question: { text: "Capital?", options: [{ choice: "A", text: "Oslo" }] },
    opensAt: inMs(0),
    closesAt: inMs(closesInMs),
    timeLimitMs: 20_000,
  },
});
const reveal = (nextInMs?: number) => ({
  reveal: {
    round: 1,
    reveal: { answer: ["A"] },
    ...(nextInMs === undefined ? {} : { nextAt: inMs(nextInMs) }),
  },
});

/** A player who is in a session's first round. */
function play(): StagedSocket {
  new Game({ resumeToken: "ticket" } as never, {
    joined() {},
    turnedAway() {},
    removed() {},
    closed() {},
  }).start();
  const [line] = StagedSocket.all as [StagedSocket];
  line.answersPings = true;
  line.dispatchEvent(new Event("open"));
  line.says({ hello: { protocolVersion: 1, serverTime: inMs(0), heartbeatSeconds: 16 } });
  line.says({ joined: { sessionId: "quiz_1", phase: "PHASE_OPEN", round: 1, rounds: 3 } });
  line.says(question(20_000));
  return line;
}

test("in a pause the time to answer stands, and goes on after it", () => {
  const line = play();
  vi.advanceTimersByTime(8_100);
  expect(byId("countdown").text).toBe("Time left: 12 s");
  line.says({ paused: { remainingMs: 12_000 } });
  vi.advanceTimersByTime(60_000);
  expect(byId("countdown").text).toBe("Paused with 12 s left");
  line.says(question(12_000));
  vi.advanceTimersByTime(2_100);
  expect(byId("countdown").text).toBe("Time left: 10 s");
});

test("in a pause the way to the next question stands, and goes on after it", () => {
  const line = play();
  line.says(reveal(8_000));
  vi.advanceTimersByTime(3_100);
  expect(byId("next").text).toBe("It goes on in 5 s");
  line.says({ paused: { remainingMs: 5_000 } });
  vi.advanceTimersByTime(60_000);
  expect(byId("next").text).toBe("Paused with 5 s left");
  line.says(reveal(5_000));
  vi.advanceTimersByTime(1_100);
  expect(byId("next").text).toBe("It goes on in 4 s");
});

test("a pause of a reveal that waits for its host shows no countdown", () => {
  const line = play();
  line.says(reveal());
  line.says({ paused: { remainingMs: 0 } });
  expect([byId("next").hidden, byId("countdown").hidden]).toEqual([true, true]);
});
