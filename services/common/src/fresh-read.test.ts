import { describe, expect, test } from "vitest";
import { FreshRead } from "./fresh-read.js";

/** Reads that end one by one, when the test says so. */
function steps() {
  const begun: { end(): void; fail(error: Error): void }[] = [];
  const read = () =>
    new Promise<void>((resolve, reject) => begun.push({ end: () => resolve(), fail: reject }));
  return { begun, fresh: new FreshRead(read) };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("FreshRead", () => {
  test("who comes while a read runs gets the next one, which all who come then share", async () => {
    const { begun, fresh } = steps();
    const done: string[] = [];
    const first = fresh.begin().then(() => done.push("first"));
    const late = [fresh.begin(), fresh.begin()];
    for (const [i, each] of late.entries()) void each.then(() => done.push(`late ${i}`));
    expect(begun).toHaveLength(1);
    begun[0]?.end();
    await first;
    await turn();
    expect(done).toEqual(["first"]);
    expect(begun).toHaveLength(2);
    const later = fresh.begin();
    begun[1]?.end();
    await Promise.all(late);
    await turn();
    expect(begun).toHaveLength(3);
    begun[2]?.end();
    await later;
    const again = fresh.begin();
    expect(begun).toHaveLength(4);
    begun[3]?.end();
    await again;
  });

  test("a read that fails fails those who asked for it, and the next one runs all the same", async () => {
    const { begun, fresh } = steps();
    const first = fresh.begin();
    const next = fresh.begin();
    begun[0]?.fail(new Error("away"));
    await expect(first).rejects.toThrow("away");
    await turn();
    begun[1]?.end();
    await next;
  });

  test("never more than one read runs, whoever asks in between", async () => {
    let running = 0;
    let most = 0;
    const fresh = new FreshRead(async () => {
      most = Math.max(most, ++running);
      await turn();
      running--;
    });
    const asked: Promise<void>[] = [];
    for (let i = 0; i < 50; i++) {
      asked.push(fresh.begin());
      await Promise.resolve();
      asked.push(fresh.begin());
      if (i % 3 === 0) await turn();
    }
    await Promise.all(asked);
    expect(most).toBe(1);
  });
});
