import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { pauseBeforeRestart, Supervisor } from "./supervisor.js";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function supervised(restart: () => Promise<void>) {
  const lines: string[] = [];
  const supervisor = new Supervisor(
    () => ({ restart }),
    (line) => lines.push(line),
  );
  return { supervisor, lines };
}

test("the pause doubles up to its bound", () => {
  expect([0, 1, 2, 20].map(pauseBeforeRestart)).toEqual([500, 1_000, 2_000, 30_000]);
});

test("what died is started again, with a line for its end and one for its return", async () => {
  const restart = vi.fn(async () => {});
  const { supervisor, lines } = supervised(restart);
  supervisor.ended("quiz-1", "SIGKILL");
  await vi.advanceTimersByTimeAsync(500);
  expect(restart).toHaveBeenCalledTimes(1);
  expect(lines).toEqual(["quiz-1 ended, starts again in 0.5 s: SIGKILL", "quiz-1 is back"]);
});

test("a start that fails is tried again after a longer pause", async () => {
  const restart = vi.fn<() => Promise<void>>().mockRejectedValueOnce(new Error("port busy"));
  const { supervisor, lines } = supervised(restart);
  supervisor.ended("quiz-1", "SIGKILL");
  await vi.advanceTimersByTimeAsync(1_500);
  expect(restart).toHaveBeenCalledTimes(2);
  expect(lines[1]).toBe("quiz-1 ended, starts again in 1 s: port busy");
});

test("an end that is heard twice is one end", async () => {
  const restart = vi.fn(async () => {});
  const { supervisor } = supervised(restart);
  supervisor.ended("quiz-1", "SIGKILL");
  supervisor.ended("quiz-1", "SIGKILL");
  await vi.advanceTimersByTimeAsync(10_000);
  expect(restart).toHaveBeenCalledTimes(1);
});

test("after a stop nothing is started", async () => {
  const restart = vi.fn(async () => {});
  const { supervisor } = supervised(restart);
  supervisor.ended("quiz-1", "SIGKILL");
  supervisor.stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(restart).not.toHaveBeenCalled();
});
