import { pino } from "pino";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Lifecycle } from "./lifecycle.js";
import { OutageLog } from "./outage-log.js";

let lines: { msg: string; [field: string]: unknown }[];
let outages: OutageLog;
let lifecycle: Lifecycle;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
  lines = [];
  lifecycle = new Lifecycle(
    pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) }),
  );
  outages = new OutageLog(lifecycle);
});

afterEach(() => {
  vi.useRealTimers();
});

test("an outage is two lines, whatever many calls meet it", () => {
  for (let fault = 0; fault < 1_000; fault++) {
    outages.onFault(new Error("away"), "answers got no verdict");
    vi.advanceTimersByTime(20);
  }
  vi.advanceTimersByTime(10_000);
  expect(lines.map(({ msg }) => msg)).toEqual(["answers got no verdict", "an outage is over"]);
  expect(lines[1]).toMatchObject({ what: "answers got no verdict", faults: 1_000, seconds: 20 });
});

test("each kind of fault has its own outage, and the next one is told again", () => {
  outages.onFault(new Error("a"), "one");
  outages.onFault(new Error("b"), "two");
  vi.advanceTimersByTime(10_000);
  outages.onFault(new Error("c"), "one");
  // A single fault has nothing to add at its end.
  expect(lines.map(({ msg }) => msg)).toEqual(["one", "two", "one"]);
});

test("an outage that lasts until the stop is told then", async () => {
  outages.onFault(new Error("a"), "one");
  outages.onFault(new Error("a"), "one");
  await lifecycle.close();
  expect(lines.at(-1)).toMatchObject({ msg: "an outage is over", faults: 2 });
});
