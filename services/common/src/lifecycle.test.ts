import { stat } from "node:fs/promises";
import { expect, test, vi } from "vitest";
import { newLifecycle } from "../test/parts.js";
import { pause, within } from "./lifecycle.js";

const forever = () => new Promise<void>(() => {});

test("parts close in reverse, one after the other, after the signal", async () => {
  const { lifecycle } = newLifecycle();
  const events: string[] = [];
  lifecycle.signal.addEventListener("abort", () => events.push("signal"));
  for (const name of ["first", "second", "third"])
    lifecycle.push(name, async () => {
      events.push(`${name} begins`);
      await pause(1);
      events.push(`${name} ends`);
    });
  await lifecycle.close();
  expect(events).toEqual([
    "signal",
    "third begins",
    "third ends",
    "second begins",
    "second ends",
    "first begins",
    "first ends",
  ]);
});

test("a stuck part is passed over after its limit, with a line in the log", async () => {
  const { lifecycle, lines } = newLifecycle();
  const closed: string[] = [];
  lifecycle.push("below", () => void closed.push("below"));
  lifecycle.push("stuck", forever, 20);
  lifecycle.push("above", () => void closed.push("above"));
  await lifecycle.close();
  expect(closed).toEqual(["above", "below"]);
  expect(lines).toMatchObject([{ part: "stuck", msg: "part did not close cleanly" }]);
});

test("a part that says that it takes longer is waited for", async () => {
  vi.useFakeTimers();
  try {
    const { lifecycle, lines } = newLifecycle();
    const closed: string[] = [];
    lifecycle.push("what it needs", () => void closed.push("what it needs"));
    const drain = async () => {
      await pause(15_000);
      closed.push("drained");
    };
    lifecycle.push("drains", drain, 20_000);
    const closing = lifecycle.close();
    await vi.advanceTimersByTimeAsync(14_999);
    expect(closed).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    await closing;
    expect(closed).toEqual(["drained", "what it needs"]);
    expect(lines).toEqual([]);
  } finally {
    vi.useRealTimers();
  }
});

test("a close in a hurry gives every part the same short time", async () => {
  const { lifecycle, lines } = newLifecycle();
  lifecycle.push("slow", forever, 60_000);
  await lifecycle.close(10);
  expect(lines).toMatchObject([{ part: "slow" }]);
});

test.each([
  [
    "throws",
    () => {
      throw new Error("no");
    },
  ],
  ["rejects", () => Promise.reject(new Error("no"))],
])("a part that %s does not keep the others open", async (_how, close) => {
  const { lifecycle, lines } = newLifecycle();
  let closed = false;
  lifecycle.push("below", () => {
    closed = true;
  });
  lifecycle.push("bad", close);
  await lifecycle.close();
  expect(closed).toBe(true);
  expect(lines).toMatchObject([{ part: "bad", err: { message: "no" } }]);
});

test("everything closes once, and every caller waits for the end", async () => {
  const { lifecycle } = newLifecycle();
  let count = 0;
  lifecycle.push("part", async () => {
    await pause(5);
    count++;
  });
  await Promise.all([lifecycle.close(), lifecycle.close()]);
  expect(count).toBe(1);
  await lifecycle.close();
  expect(count).toBe(1);
});

test("what is pushed while it closes, and after that, is closed too", async () => {
  const { lifecycle } = newLifecycle();
  const closed: string[] = [];
  lifecycle.push("part", () => {
    lifecycle.push("late", () => void closed.push("late"));
  });
  await lifecycle.close();
  lifecycle.push("too late", () => void closed.push("too late"));
  expect(closed).toEqual(["late", "too late"]);
});

test("within gives the result, the error, or its own after the limit", async () => {
  expect(await within(1_000, Promise.resolve(7))).toBe(7);
  await expect(within(1_000, Promise.reject(new Error("bad")))).rejects.toThrow("bad");
  await expect(within(5, forever())).rejects.toThrow("took longer than 5 ms");
});

test("a pause ends with the signal, and leaves nothing on it", async () => {
  const abort = new AbortController();
  const add = vi.spyOn(abort.signal, "addEventListener");
  const remove = vi.spyOn(abort.signal, "removeEventListener");
  await pause(1, abort.signal);
  expect(remove).toHaveBeenCalledTimes(add.mock.calls.length);
  const paused = pause(60_000, abort.signal);
  abort.abort();
  await paused;
  await pause(60_000, abort.signal);
});

test("an answer that came while the process was busy is in time", async () => {
  const answer = within(20, stat(new URL(import.meta.url)));
  const busyUntil = performance.now() + 200;
  while (performance.now() < busyUntil);
  await expect(answer).resolves.toBeDefined();
});
