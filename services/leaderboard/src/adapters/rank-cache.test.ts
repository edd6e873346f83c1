/** What a hit costs does not grow with what is kept, and what is kept has a bound in every direction. */
import { expect, test } from "vitest";
import { RankTable } from "../domain/rank-table.js";
import { RankCache } from "./rank-cache.js";

const state = { epoch: "1", scored: "1", finalRound: 1, closing: false };
const final = { ended: async () => undefined, ranks: async () => new RankTable() };

function cacheOf(players: number) {
  let hits = 0;
  let scans = 0;
  const live = {
    state: async () => state,
    scan: async () => {
      scans++;
      // As if there were so many in it.
      return Object.defineProperty(new RankTable(), "players", { value: players });
    },
  };
  const limitHits = { inc: () => hits++ } as never;
  const cache = new RankCache(live, final, { limitHits });
  return { cache, evictions: () => hits, scans: () => scans };
}

/** Microseconds of a hit with so many tables kept; the best of some rounds, as the machine has other work. */
async function hitCost(tables: number): Promise<number> {
  const { cache } = cacheOf(1);
  for (let i = 0; i < tables; i++) await cache.ranksOf(`s${i}`);
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 20; round++) {
    const startedAt = performance.now();
    for (let i = 0; i < 100; i++) await cache.ranksOf(`s${i % 100}`);
    best = Math.min(best, (performance.now() - startedAt) * 10);
  }
  return best;
}

test("a hit costs with ten thousand tables what it costs with a hundred", async () => {
  const [few, many] = [await hitCost(100), await hitCost(10_000)];
  process.stdout.write(
    `rank cache hit: ${few.toFixed(1)} µs of 100 tables, ${many.toFixed(1)} of 10,000\n`,
  );
  // Summed up anew at each hit they were 100 times apart.
  expect(many / few).toBeLessThan(10);
});

test("tables without players are bounded as well", async () => {
  const { cache, evictions } = cacheOf(0);
  for (let i = 0; i < 30_000; i++) await cache.ranksOf(`s${i}`);
  expect(evictions()).toBe(5_000);
});

test("the session that was asked for last stays, however many players it has", async () => {
  const { cache, scans, evictions } = cacheOf(600_000);
  await cache.ranksOf("giant");
  await cache.ranksOf("giant");
  expect(scans()).toBe(1);
  expect(evictions()).toBe(0);
  await cache.ranksOf("another");
  expect(evictions()).toBe(1);
});
