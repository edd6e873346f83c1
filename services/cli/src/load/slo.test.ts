import { expect, test } from "vitest";
import { UsageError } from "../flags.js";
import { checkSlos, readSlos } from "./slo.js";

const TIMES = { count: 5, p50: 10, p90: 20, p99: 99, p999: 100, max: 120 };

test("limits are read from one flag", () => {
  expect(readSlos("")).toEqual([]);
  expect(readSlos("ack-p99=100, connect-max=1500.5")).toEqual([
    { time: "ack", share: "p99", limitMs: 100 },
    { time: "connect", share: "max", limitMs: 1_500.5 },
  ]);
  for (const wrong of ["ack=100", "lag-p99=1", "ack-p98=1", "ack-p99=", "ack-p99=1ms"])
    expect(() => readSlos(wrong)).toThrow(UsageError);
});

test("a limit is kept up to its value, and broken beyond or where nothing was measured", () => {
  const slos = readSlos("ack-p99=99,ack-max=119,resume-p50=1000");
  const results = checkSlos(slos, (time) => (time === "ack" ? TIMES : undefined));
  expect(results.map(({ kept }) => kept)).toEqual([true, false, false]);
  expect(results[1]?.valueMs).toBe(120);
});
