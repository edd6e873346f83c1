import { expect, test } from "vitest";
import { Histogram } from "../crowd/histogram.js";
import type { CastProgress } from "./cast-plan.js";
import { noCounts } from "./counts.js";
import { Timeline } from "./timeline.js";

function progress(second: number, acks: number[], busy: number): CastProgress {
  const ack = new Histogram();
  for (const ms of acks) ack.add(ms);
  const counts = { ...noCounts(), acked: acks.length, drops: 1 };
  return { second, sockets: 10, counts, ack: ack.toCounts(), connect: [], busy };
}

test("the seconds of several processes are told as one, in order", () => {
  const timeline = new Timeline();
  timeline.take(0, progress(1, [30], 0.2));
  timeline.take(0, progress(0, [10, 20], 0.1));
  timeline.take(1, progress(0, [40], 0.6));
  const [first, second] = timeline.seconds();
  expect(first).toMatchObject({ second: 0, sockets: 20, busy: 0.6 });
  expect(first?.counts.acked).toBe(3);
  // Of 10, 20 and 40.
  expect(first?.ackP50Ms).toBeCloseTo(20, 0);
  expect(first?.ackP99Ms).toBeCloseTo(40, 0);
  expect(second).toMatchObject({ second: 1, sockets: 10 });
  expect(timeline.total).toMatchObject({ acked: 4, drops: 3 });
});

test("the busiest process is judged by the seconds that it was busy in, but for one in twenty", () => {
  const timeline = new Timeline();
  for (let second = 0; second < 20; second++) {
    timeline.take(0, progress(second, [], second === 7 ? 1 : 0.3));
    timeline.take(1, progress(second, [], 0.1));
  }
  expect(timeline.busyP95()).toBe(0.3);
  timeline.take(0, progress(20, [], 0.95));
  expect(timeline.busyP95()).toBe(0.95);
  expect(new Timeline().busyP95()).toBe(0);
});
