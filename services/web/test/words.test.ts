import { expect, test } from "vitest";
import { pinText, runningText } from "../public/assets/words.js";

test.each([
  ["123456", "123\u00a0456"],
  ["1234567", "123\u00a04567"],
  ["12345678", "1234\u00a05678"],
  ["", ""],
])("the PIN %s is read as %s", (pin, text) => {
  expect(pinText(pin)).toBe(text);
});

test("a running session says where it stands", () => {
  const session = { sessionId: "quiz_1", pin: "123456", rounds: 10 };
  expect(runningText({ ...session, phase: "PHASE_LOBBY" })).toBe(
    "Lobby · PIN 123\u00a0456 · quiz_1",
  );
  expect(runningText({ ...session, phase: "PHASE_OPEN", round: 3, paused: true, pin: "" })).toBe(
    "Question 3 of 10, paused · quiz_1",
  );
});
