import { describe, expect, test } from "vitest";
import { noCounts } from "./counts.js";
import type { Borders } from "./make-result.js";
import type { LoadResult, ServiceCost } from "./result.js";
import { unitCosts } from "./unit-costs.js";

const service = (name: string, cpuUsPerAnswer: number, grownMib = 0): ServiceCost => ({
  ...{ name, cpuUsPerAnswer, cpuSeconds: 1 },
  mebibytes: { before: 50, joined: 50 + grownMib, after: 50 + 2 * grownMib },
});

const result = (services: ServiceCost[]) =>
  ({
    services,
    counts: { ...noCounts(), acked: 1_000, frames: 9_000, liveFrames: 1_000 },
    players: { asked: 2_048, joined: 2_048, missing: {} },
  }) as unknown as LoadResult;

const borders = (log?: number, redis?: number) =>
  ({
    sizesBefore: { logBytes: log && 5_000, redisBytes: redis && 1_000 },
    sizesAfter: { logBytes: log, redisBytes: redis },
  }) as unknown as Borders;

describe("unitCosts", () => {
  const costs = (services: ServiceCost[], stores: Borders) =>
    Object.fromEntries(unitCosts(result(services), stores).map((cost) => [cost.what, cost.value]));

  test("are what was used, by what was done", () => {
    const services = [
      service("gateway-1", 40, 2),
      service("gateway-2", 60, 4),
      service("history-1", 9),
      service("postgresql", 5),
      service("leaderboard-1", 7),
      service("redis", 3),
      service("nats", 1, 1),
    ];
    expect(costs(services, borders(105_000, 411_640))).toEqual({
      "gateway memory per player socket": 3,
      "gateway CPU per frame to a client": 10,
      "CPU per answer, all of these processes": 125,
      "CPU per row in PostgreSQL": 14,
      "CPU per answer on the board": 10,
      "Redis memory per player": (411_640 - 1_000) / 2_048,
      "JetStream file bytes per answer": 100,
      "NATS memory per answer": 1_048.576,
    });
  });

  test("what nobody could read is left out, not said to be 0", () => {
    expect(costs([service("quiz-1", 20)], borders())).toEqual({
      "CPU per answer, all of these processes": 20,
    });
    expect(costs([], borders())).toEqual({});
    const shrunk = costs([service("gateway-1", 0, -3)], borders());
    expect(shrunk).toEqual({});
  });
});
