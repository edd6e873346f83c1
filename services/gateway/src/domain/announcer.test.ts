import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Announcer } from "./announcer.js";

const TICK_MS = 25;

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "setImmediate", "clearImmediate", "performance"],
  });
});
afterEach(() => {
  vi.useRealTimers();
});

function open() {
  const said: string[] = [];
  const out = {
    publish: (topic: string, { type }: { type: string }) => said.push(`${topic} ${type}`),
  };
  const announcer = new Announcer(out, TICK_MS, {
    count: { everyMs: () => 500, say: () => said.push("count") },
    board: { everyMs: () => 100, say: () => said.push("board") },
  });
  return { announcer, said };
}

const frame = (type: string) => ({ type, text: "" });

test("what is said goes out in the same turn, in order, with what else is due", () => {
  const { announcer, said } = open();
  announcer.say("all", frame("question"));
  announcer.saySoon("board");
  announcer.say("all", frame("paused"));
  expect(said).toEqual([]);
  vi.advanceTimersByTime(0);
  expect(said).toEqual(["all question", "all paused", "board"]);
});

test("the first word after a silence goes at once, the next waits for its pace", () => {
  const { announcer, said } = open();
  announcer.saySoon("board");
  vi.advanceTimersByTime(0);
  expect(said).toEqual(["board"]);
  announcer.saySoon("board");
  announcer.saySoon("board");
  vi.advanceTimersByTime(99);
  expect(said).toEqual(["board"]);
  vi.advanceTimersByTime(2);
  expect(said).toEqual(["board", "board"]);
  vi.advanceTimersByTime(5_000);
  expect(said).toEqual(["board", "board"]);
});

test("different counts share a tick", () => {
  const { announcer, said } = open();
  announcer.saySoon("board");
  vi.advanceTimersByTime(0);
  announcer.saySoon("count");
  vi.advanceTimersByTime(TICK_MS - 1);
  expect(said).toEqual(["board"]);
  vi.advanceTimersByTime(2);
  expect(said).toEqual(["board", "count"]);
});

test("the last change is never lost", () => {
  const { announcer, said } = open();
  for (let change = 0; change < 1_000; change++) {
    announcer.saySoon("count");
    vi.advanceTimersByTime(1);
  }
  const before = said.length;
  expect(before).toBeLessThanOrEqual(3);
  announcer.saySoon("count");
  vi.advanceTimersByTime(501);
  expect(said.length).toBe(before + 1);
});

test("a closed announcer says nothing more", () => {
  const { announcer, said } = open();
  announcer.say("all", frame("question"));
  announcer.saySoon("count");
  announcer.close();
  vi.advanceTimersByTime(5_000);
  expect(said).toEqual([]);
});
