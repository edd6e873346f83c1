import { expect, test } from "vitest";
import { judge } from "./bottleneck.js";

const CALM = { lateP99Ms: 1.2, loopLagP99Ms: 3, busyP95: 0.43, machineIdle: 0.4 };

test("a generator that kept its times was not the bottleneck, and says by how much", () => {
  expect(judge(CALM)).toEqual({
    wasBottleneck: false,
    sentence:
      "The load generator was not the bottleneck: it acted 1.2 ms late (p99), and its busiest process used 43 % of a core.",
  });
});

test.each([
  ["acts late", { lateP99Ms: 35.21 }, "it acted 35.2 ms late (p99), more than 10 ms"],
  ["stands still", { loopLagP99Ms: 80 }, "its event loop stood still for 80.0 ms (p99)"],
  [
    "fills a core",
    { busyP95: 0.98 },
    "a process of it used 98 % of a core: give it more processes",
  ],
])("one that %s was", (_, strain, why) => {
  const { wasBottleneck, sentence } = judge({ ...CALM, ...strain });
  expect(wasBottleneck).toBe(true);
  expect(sentence).toBe(
    `The load generator was the bottleneck: ${why}. Times are its own in part.`,
  );
});

test("all its faults are told in one sentence", () => {
  const { sentence } = judge({ ...CALM, lateP99Ms: 11, busyP95: 1 });
  expect(sentence).toMatch(/late \(p99\), more than 10 ms; a process of it used 100 % of a core/);
});

test("a machine without idle CPU is told, whoever used it", () => {
  const { wasBottleneck, sentence } = judge({ ...CALM, machineIdle: 0.02 });
  expect(wasBottleneck).toBe(false);
  expect(sentence).toContain("This machine had 2 % of its CPU left");
  expect(judge({ ...CALM, machineIdle: undefined }).sentence).not.toContain("machine");
});
