/** (a) One snapshot to many sockets: our gateway against the bare publish of the same bytes. */
import { create, toJsonString } from "@bufbuild/protobuf";
import { nowMs } from "@fanfare/cli/crowd/clock";
import { Crowd, ONE_ADDRESS } from "@fanfare/cli/crowd/crowd";
import { cpuSeconds, residentBytes } from "@fanfare/cli/crowd/process-usage";
import { type Stack, startStack } from "@fanfare/cli/stack/start-stack";
import { textTable } from "@fanfare/cli/text-table";
import { subjectForLeaderboard } from "@fanfare/proto/addresses";
import { LeaderboardChangedSchema } from "@fanfare/proto/events/v1/events";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { type Bare, startBare } from "./bare.js";
import { holdsWithin, median, percentile, sleep, sum } from "./numbers.js";
import { createSession, gatewayOf, JOINED, joinHello, openQuiz } from "./sessions.js";

const EVERY_MS = 500;
const IDLE_MS = 2_000;
const CONNECT_PER_SECOND = 2_500;
const SAMPLE_LIMIT_MS = 5_000;
/** First number of a row that a snapshot gives its marker, on either path. */
export const MARKERS = { liveScore: '"Score":', player: '"points":' };

export type Path = keyof typeof MARKERS;

export interface FanoutCase {
  path: Path;
  sockets: number;
}

interface Side {
  pid: number;
  crowd: Crowd;
  publish(marker: number): void;
  idleCpuPerMs: number;
}

interface Measured {
  cpuUs: number;
  /** Without what the process uses while nothing is said. */
  netUs: number;
  p50Ms: number;
  p99Ms: number;
  missing: number;
  crowdUs: number;
}

export interface FanoutResult extends FanoutCase {
  bare: Omit<Measured, "crowdUs" | "missing">;
  ours: Omit<Measured, "crowdUs" | "missing">;
  ratio: number;
  netRatio: number;
  kibPerSocket: number;
  missing: number;
  frameBytes: number;
  crowdUs: number;
}

export async function benchFanout(
  cases: readonly FanoutCase[],
  triggers: number,
  turns: number,
): Promise<FanoutResult[]> {
  await using stack = await startStack({
    leaderboards: 0,
    histories: 0,
    quizMasters: 0,
    env: { gateway: ONE_ADDRESS },
  });
  const nc = await connect({ servers: stack.natsUrl });
  const results: FanoutResult[] = [];
  for (const each of cases) {
    // A process that has held sockets before has their memory still.
    await stack.process("gateway-1").restart();
    results.push(await runCase(stack, nc, each, triggers, turns));
  }
  await nc.close();
  print(results);
  return results;
}

async function runCase(
  stack: Stack,
  nc: NatsConnection,
  of: FanoutCase,
  triggers: number,
  turns: number,
): Promise<FanoutResult> {
  await using bare = await startBare(stack.natsUrl);
  await using bareCrowd = new Crowd();
  await using ourCrowd = new Crowd();
  const sessionId = `${of.path}-${of.sockets}`;
  const ourPid = stack.process("gateway-1").pid ?? 0;
  const { failures, kib } = await connectBoth(stack, bare, of, sessionId, { bareCrowd, ourCrowd });
  const publishOurs = (marker: number) =>
    nc.publish(subjectForLeaderboard(sessionId), snapshot(sessionId, marker));
  const sample = await sampleOf(ourCrowd, publishOurs, of);
  const sides = {
    bare: {
      pid: bare.pid,
      crowd: bareCrowd,
      publish: (marker: number) => nc.publish("BARE.board", sample(marker)),
      idleCpuPerMs: 0,
    },
    ours: { pid: ourPid, crowd: ourCrowd, publish: publishOurs, idleCpuPerMs: 0 },
  };
  await measureIdle(Object.values(sides));
  const runs = { bare: [] as Measured[], ours: [] as Measured[] };
  for (let turn = 0; turn < turns; turn++)
    for (const name of ["bare", "ours"] as const)
      runs[name].push(await measure(sides[name], nc, of, triggers));
  const all = [...runs.bare, ...runs.ours];
  return {
    ...of,
    bare: mediansOf(runs.bare),
    ours: mediansOf(runs.ours),
    ratio: ratioOf(runs, "cpuUs"),
    netRatio: ratioOf(runs, "netUs"),
    kibPerSocket: kib,
    missing: failures + sum(all.map(({ missing }) => missing)),
    frameBytes: sample(0).length,
    crowdUs: median(all.map(({ crowdUs }) => crowdUs)),
  };
}

async function connectBoth(
  stack: Stack,
  bare: Bare,
  { path, sockets }: FanoutCase,
  sessionId: string,
  { bareCrowd, ourCrowd }: { bareCrowd: Crowd; ourCrowd: Crowd },
) {
  const pid = stack.process("gateway-1").pid ?? 0;
  const common = { do: "connect", count: sockets, perSecond: CONNECT_PER_SECOND } as const;
  const first = await bareCrowd.order({ ...common, url: bare.url, until: "[" });
  if (path === "player") await createSession(openQuiz(stack), sessionId, 1);
  const before = residentBytes(pid);
  const url = gatewayOf(stack);
  const second = await ourCrowd.order(
    path === "player"
      ? { ...common, url: `${url}/v1/socket`, hello: joinHello(sessionId), until: JOINED }
      : { ...common, url: `${url}/livescore/${sessionId}`, until: "[" },
  );
  const kib = (residentBytes(pid) - before) / sockets / 1_024;
  return { failures: first.failures + second.failures, kib };
}

let nextMarker = 1_000_000;

/** What our gateway makes of a snapshot, with any marker in it: the bare server sends the same bytes. */
async function sampleOf(crowd: Crowd, publish: (marker: number) => void, { path }: FanoutCase) {
  const marker = nextMarker++;
  await crowd.order({ do: "watch", marker: MARKERS[path] });
  publish(marker);
  let sample = "";
  await holdsWithin(SAMPLE_LIMIT_MS, async () => {
    sample = (await crowd.order({ do: "watched" })).sample;
    return sample !== "";
  });
  if (!sample.includes(String(marker))) throw new Error(`the gateway sent no board: ${sample}`);
  return (of: number) => sample.replaceAll(String(marker), String(of));
}

async function measureIdle(sides: readonly Side[]): Promise<void> {
  await sleep(EVERY_MS);
  const before = sides.map(({ pid }) => cpuSeconds(pid));
  await sleep(IDLE_MS);
  for (const [i, side] of sides.entries())
    side.idleCpuPerMs = (cpuSeconds(side.pid) - (before[i] ?? 0)) / IDLE_MS;
}

async function measure(
  { pid, crowd, publish, idleCpuPerMs }: Side,
  nc: NatsConnection,
  { path, sockets }: FanoutCase,
  triggers: number,
): Promise<Measured> {
  await crowd.order({ do: "watch", marker: MARKERS[path] });
  const sentAt = new Map<number, number>();
  const begun = nowMs();
  const cpuBefore = cpuSeconds(pid);
  for (let i = 0; i < triggers; i++) {
    const marker = nextMarker++;
    sentAt.set(marker, nowMs());
    publish(marker);
    await nc.flush();
    await sleep(begun + (i + 1) * EVERY_MS - nowMs());
  }
  const cpu = cpuSeconds(pid) - cpuBefore;
  const idle = idleCpuPerMs * (nowMs() - begun);
  const report = await crowd.order({ do: "watched" });
  const latencies = report.seen
    .map(({ marker, at }) => at - (sentAt.get(marker) ?? Number.NaN))
    .filter((ms) => !Number.isNaN(ms));
  return {
    cpuUs: (cpu * 1e6) / latencies.length,
    netUs: ((cpu - idle) * 1e6) / latencies.length,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    missing: sockets * triggers - latencies.length,
    crowdUs: (report.cpuSeconds * 1e6) / latencies.length,
  };
}

function mediansOf(runs: readonly Measured[]) {
  const of = (name: "cpuUs" | "netUs" | "p50Ms" | "p99Ms") => median(runs.map((run) => run[name]));
  return { cpuUs: of("cpuUs"), netUs: of("netUs"), p50Ms: of("p50Ms"), p99Ms: of("p99Ms") };
}

/** Of each turn to the one beside it: what the machine does meanwhile befalls both. */
function ratioOf(
  { bare, ours }: { bare: readonly Measured[]; ours: readonly Measured[] },
  what: "cpuUs" | "netUs",
): number {
  return median(ours.map((run, i) => run[what] / (bare[i]?.[what] ?? Number.NaN)));
}

/** A top ten of which only the leader moves. */
export function snapshot(sessionId: string, marker: number): string {
  const standings = Array.from({ length: 10 }, (_, i) => ({
    playerId: `player${i}`,
    nickname: `player${i}`,
    points: i === 0 ? marker : 900_000 - i,
    rank: i + 1,
  }));
  const version = BigInt(marker);
  return toJsonString(
    LeaderboardChangedSchema,
    create(LeaderboardChangedSchema, { sessionId, epoch: 1n, version, standings, players: 10 }),
  );
}

function print(results: readonly FanoutResult[]): void {
  const head = ["sockets", "bytes", "bare µs/delivery", "ours", "ratio", "ratio net of idle"];
  const more = ["bare p50 ms", "ours", "bare p99 ms", "ours", "KiB/socket", "missing", "crowd µs"];
  const rows = results.map(({ path, sockets, bare, ours, ...of }) => [
    `${sockets} ${path === "player" ? "players" : "watchers"}`,
    of.frameBytes,
    ...[bare.cpuUs, ours.cpuUs, of.ratio, of.netRatio],
    ...[bare.p50Ms, ours.p50Ms, bare.p99Ms, ours.p99Ms],
    ...[of.kibPerSocket, of.missing, of.crowdUs],
  ]);
  console.log("\n(a) fan-out of a top-10 snapshot, 2 per second; target: ratio at most 1.10");
  console.log(textTable([...head, ...more], rows));
  const slower = results.filter(({ crowdUs, ours }) => crowdUs > ours.cpuUs);
  console.log(
    slower.length === 0
      ? "the crowd takes a frame in less CPU than ours sends it: not a bottleneck"
      : `the crowd was the slower side, so that times are its own, at ${slower.map(({ sockets }) => sockets)}`,
  );
}
