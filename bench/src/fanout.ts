/** (a) One snapshot to many sockets: our gateway against the bare publish of the same bytes. */

import { create, toJsonString } from "@bufbuild/protobuf";
import { startStack } from "@fanfare/cli/stack/start-stack";
import { subjectForLeaderboard } from "@fanfare/proto/addresses";
import { LeaderboardChangedSchema } from "@fanfare/proto/events/v1/events";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { startBare } from "./bare.js";
import { cpuSeconds, residentBytes } from "./cpu.js";
import { Crowd } from "./crowd.js";
import { median, nowMs, percentile, sleep, table } from "./numbers.js";

const EVERY_MS = 500;
const CONNECT_PER_SECOND = 3_000;

interface Side {
  pid: number;
  crowd: Crowd;
  publish(marker: number): void;
}

interface Measured {
  cpuUs: number;
  p50: number;
  p99: number;
  missing: number;
}

export async function benchFanout(sizes: readonly number[], triggers: number, turns: number) {
  const rows: (string | number)[][] = [];
  const ratios: number[] = [];
  await using stack = await startStack({ quiz: 0, leaderboards: 0, histories: 0, quizMasters: 0 });
  const nc = await connect({ servers: stack.natsUrl });
  for (const size of sizes) {
    await using bare = await startBare(stack.natsUrl);
    await using bareCrowd = new Crowd();
    await using ourCrowd = new Crowd();
    const ourPid = stack.process("gateway-1").pid ?? 0;
    const memoryBefore = residentBytes(ourPid);
    const ourPort = Number(new URL(stack.gatewayUrls[0] ?? "").port);
    const connectAll = (crowd: Crowd, port: number) =>
      crowd.order({
        do: "connect",
        port,
        path: "/livescore/bench",
        count: size,
        perSecond: CONNECT_PER_SECOND,
        until: "[",
      });
    const failed = [await connectAll(bareCrowd, bare.port), await connectAll(ourCrowd, ourPort)];
    const kib = (residentBytes(ourPid) - memoryBefore) / size / 1_024;
    const sides = {
      bare: {
        pid: bare.pid,
        crowd: bareCrowd,
        publish: (n: number) => nc.publish("BARE.board", liveScore(n)),
      },
      ours: {
        pid: ourPid,
        crowd: ourCrowd,
        publish: (n: number) => nc.publish(subjectForLeaderboard("bench"), snapshot(n)),
      },
    };
    const results = { bare: [] as Measured[], ours: [] as Measured[] };
    for (let turn = 0; turn < turns; turn++)
      for (const name of ["bare", "ours"] as const)
        results[name].push(await measure(sides[name], nc, size, triggers));
    const of = (name: "bare" | "ours", what: keyof Measured) =>
      median(results[name].map((each) => each[what]));
    const ratio = median(
      results.ours.map((each, i) => each.cpuUs / (results.bare[i]?.cpuUs ?? Number.NaN)),
    );
    ratios.push(ratio);
    const missing =
      of("ours", "missing") +
      of("bare", "missing") +
      failed.reduce((sum, { failures }) => sum + failures, 0);
    rows.push([
      String(size),
      of("bare", "cpuUs"),
      of("ours", "cpuUs"),
      ratio,
      of("bare", "p50"),
      of("ours", "p50"),
      of("bare", "p99"),
      of("ours", "p99"),
      kib,
      missing,
    ]);
  }
  await nc.close();
  console.log("\n(a) fan-out of a top-10 snapshot, 2 per second; target: ratio at most 1.25");
  console.log(
    table(
      [
        "sockets",
        "bare µs/delivery",
        "ours",
        "ratio",
        "bare p50 ms",
        "ours",
        "bare p99",
        "ours",
        "KiB/socket",
        "missing",
      ],
      rows,
    ),
  );
  return { rows, ratios };
}

let next = 1_000_000;

async function measure(
  { pid, crowd, publish }: Side,
  nc: NatsConnection,
  size: number,
  triggers: number,
): Promise<Measured> {
  await crowd.order({ do: "watch", marker: '"Score":' });
  const sentAt = new Map<number, number>();
  const cpuBefore = cpuSeconds(pid);
  for (let i = 0; i < triggers; i++) {
    const marker = next++;
    sentAt.set(marker, nowMs());
    publish(marker);
    await nc.flush();
    await sleep(EVERY_MS);
  }
  const cpu = cpuSeconds(pid) - cpuBefore;
  const { frames } = await crowd.order({ do: "watched" });
  const latencies = frames
    .map(({ marker, at }) => at - (sentAt.get(marker) ?? Number.NaN))
    .filter((ms) => !Number.isNaN(ms));
  return {
    cpuUs: (cpu * 1e6) / Math.max(1, latencies.length),
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    missing: size * triggers - latencies.length,
  };
}

const standings = (marker: number) =>
  Array.from({ length: 10 }, (_, i) => ({
    playerId: `player${i}`,
    nickname: `player${i}`,
    points: marker - i,
    rank: i + 1,
  }));

/** What our gateway makes of `snapshot`, byte for byte. */
function liveScore(marker: number): string {
  return JSON.stringify(
    standings(marker).map(({ nickname, points, rank }) => ({
      PlayerID: nickname,
      Score: points,
      Rank: rank,
    })),
  );
}

function snapshot(marker: number): string {
  return toJsonString(
    LeaderboardChangedSchema,
    create(LeaderboardChangedSchema, {
      sessionId: "bench",
      epoch: 1n,
      version: BigInt(marker),
      standings: standings(marker),
      players: 10,
    }),
  );
}
