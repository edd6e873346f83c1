import { expect, test } from "vitest";
import { RoomReader } from "./room-reader.js";

/** When a read that failed is due again, in ms, for a number that was drawn. */
async function dueAfter(drawn: number): Promise<number> {
  const reader = new RoomReader(() => drawn);
  reader.follow({ read: () => Promise.reject(new Error("away")), close() {} });
  const before = performance.now();
  await reader.read().catch(() => {});
  let ms = 0;
  while (!reader.isDue(before + ms, false)) ms += 10;
  return ms;
}

test("rooms whose reads failed together are read again at moments of their own", async () => {
  const drawn = [0, 0.25, 0.5, 0.75, 0.999];
  const due = await Promise.all(drawn.map(dueAfter));
  for (const [i, ms] of due.entries()) {
    expect(ms).toBeGreaterThanOrEqual(1_000 + (drawn[i] ?? 0) * 1_000);
    expect(ms).toBeLessThan(1_000 + (drawn[i] ?? 0) * 1_000 + 100);
  }
});
