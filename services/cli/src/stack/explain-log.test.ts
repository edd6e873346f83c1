import { expect, test } from "vitest";
import { explainLog } from "./explain-log.js";

const line = (level: string, msg: string, message?: string) =>
  JSON.stringify({ level, msg, ...(message ? { err: { message } } : {}) });

test("faults are told with their cause, other lines are left out", () => {
  const told = explainLog([
    line("info", "connected"),
    line("fatal", "start failed", "bad settings: NATS_URL"),
  ]);
  expect(told).toEqual(["start failed: bad settings: NATS_URL"]);
});

test("what Node itself wrote is told as it is", () => {
  const told = explainLog([line("info", "connected"), "Error: Cannot find module 'x'"]);
  expect(told).toEqual(["Error: Cannot find module 'x'"]);
});

test("where there are no faults the last lines are told", () => {
  const lines = Array.from({ length: 9 }, (_, index) => line("info", `step ${index}`));
  expect(explainLog(lines)).toEqual(lines.slice(-5));
});
