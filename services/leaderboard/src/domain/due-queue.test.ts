import fc from "fast-check";
import { expect, test } from "vitest";
import { DueQueue } from "./due-queue.js";

test("whatever comes in whatever order, what is due comes out by its time, then by its coming", () => {
  const times = fc.array(fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constant(-Infinity)));
  fc.assert(
    fc.property(times, fc.integer({ min: 0, max: 9 }), (given, now) => {
      const queue = new DueQueue();
      for (const [i, at] of given.entries()) queue.push(`${i}`, at);
      const taken: string[] = [];
      for (let key = queue.take(now); key !== undefined; key = queue.take(now)) taken.push(key);
      const order = [...given.entries()].sort(([a, x], [b, y]) =>
        x === y ? a - b : x < y ? -1 : 1,
      );
      expect(taken).toEqual(order.filter(([, at]) => at <= now).map(([i]) => `${i}`));
      expect(queue.nextAt()).toBe(order.find(([, at]) => at > now)?.[1]);
    }),
  );
});
