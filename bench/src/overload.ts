/**
 * (h) Overload: a board that changes 50 times a second to many sockets, beside the same board twice a
 * second. What comes too fast is left out, so that each socket still gets what is newest, in time.
 */
import { nowMs } from "@fanfare/cli/crowd/clock";
import { Crowd, ONE_ADDRESS } from "@fanfare/cli/crowd/crowd";
import { residentBytes } from "@fanfare/cli/crowd/process-usage";
import { startStack } from "@fanfare/cli/stack/start-stack";
import { textTable } from "@fanfare/cli/text-table";
import { subjectForLeaderboard } from "@fanfare/proto/addresses";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { MARKERS, snapshot } from "./fanout.js";
import { median, percentile, sleep } from "./numbers.js";
import { gatewayOf } from "./sessions.js";

const SESSION = "overload";
const CONNECT_PER_SECOND = 2_000;
const CALM_PER_SECOND = 2;
const STORM_PER_SECOND = 50;
const SECONDS = 6;
const TURNS = 3;
/** What was flushed last may still be on its way. */
const SETTLE_MS = 1_500;

interface Storm {
  /** From the trigger whose board a frame shows until the frame is there. */
  p99Ms: number;
  /** From any trigger until its board, or a newer one, is shown. */
  shownP99Ms: number;
  /** Boards that reached anybody: flushes. */
  flushes: number;
  /** Frames for each socket and flush; 1 where nobody got one twice or missed one. */
  perFlush: number;
  residentMb: number;
  /** Sockets that show the last board at the end. */
  upToDate: number;
}

export interface OverloadResult {
  sockets: number;
  calm: Storm;
  storm: Storm;
  p99Ratio: number;
  memoryRatio: number;
}

export async function benchOverload(sockets: number): Promise<OverloadResult> {
  await using stack = await startStack({
    leaderboards: 0,
    histories: 0,
    quizMasters: 0,
    env: { gateway: ONE_ADDRESS },
  });
  await using crowd = new Crowd();
  const nc = await connect({ servers: stack.natsUrl });
  const url = `${gatewayOf(stack)}/livescore/${SESSION}`;
  const pid = stack.process("gateway-1").pid ?? 0;
  publish(nc, nextMarker++);
  await crowd.order({
    do: "connect",
    url,
    count: sockets,
    perSecond: CONNECT_PER_SECOND,
    until: "[",
  });
  const runs = { calm: [] as Storm[], storm: [] as Storm[] };
  for (let turn = 0; turn < TURNS; turn++) {
    runs.calm.push(await run(nc, crowd, { pid, sockets, perSecond: CALM_PER_SECOND }));
    runs.storm.push(await run(nc, crowd, { pid, sockets, perSecond: STORM_PER_SECOND }));
  }
  await nc.close();
  const [calm, storm] = [mediansOf(runs.calm), mediansOf(runs.storm)];
  const ratioOf = (name: keyof Storm) =>
    median(runs.storm.map((each, i) => each[name] / (runs.calm[i]?.[name] ?? Number.NaN)));
  const result = {
    sockets,
    calm,
    storm,
    p99Ratio: ratioOf("shownP99Ms"),
    memoryRatio: storm.residentMb / calm.residentMb,
  };
  print(result);
  return result;
}

let nextMarker = 2_000_000;

function publish(nc: NatsConnection, marker: number): void {
  nc.publish(subjectForLeaderboard(SESSION), snapshot(SESSION, marker));
}

async function run(
  nc: NatsConnection,
  crowd: Crowd,
  { pid, sockets, perSecond }: { pid: number; sockets: number; perSecond: number },
): Promise<Storm> {
  await crowd.order({ do: "watch", marker: MARKERS.liveScore });
  const sentAt = new Map<number, number>();
  const begun = nowMs();
  for (let i = 0; i < perSecond * SECONDS; i++) {
    const marker = nextMarker++;
    sentAt.set(marker, nowMs());
    publish(nc, marker);
    await sleep(begun + ((i + 1) * 1_000) / perSecond - nowMs());
  }
  const last = nextMarker - 1;
  await sleep(SETTLE_MS);
  const { seen } = await crowd.order({ do: "watched" });
  const flushes = new Set(seen.map(({ marker }) => marker)).size;
  return {
    p99Ms: percentile(
      seen.map(({ marker, at }) => at - (sentAt.get(marker) ?? Number.NaN)).filter((ms) => ms >= 0),
      0.99,
    ),
    shownP99Ms: percentile(shownMs(seen, sentAt), 0.99),
    flushes,
    perFlush: seen.length / sockets / flushes,
    residentMb: residentBytes(pid) / 1e6,
    upToDate: seen.filter(({ marker }) => marker === last).length,
  };
}

/** For each frame and each trigger that it was the first to show: how long that trigger waited. */
function shownMs(
  seen: readonly { marker: number; at: number }[],
  sentAt: ReadonlyMap<number, number>,
): number[] {
  const shown = [...new Set(seen.map(({ marker }) => marker))].sort((a, b) => a - b);
  const before = new Map(shown.map((marker, i) => [marker, shown[i - 1] ?? marker - 1]));
  return seen.flatMap(({ marker, at }) => {
    const waits: number[] = [];
    for (let each = (before.get(marker) ?? 0) + 1; each <= marker; each++) {
      const sent = sentAt.get(each);
      if (sent !== undefined) waits.push(at - sent);
    }
    return waits;
  });
}

function mediansOf(runs: readonly Storm[]): Storm {
  const of = (name: keyof Storm) => median(runs.map((run) => run[name]));
  return {
    p99Ms: of("p99Ms"),
    shownP99Ms: of("shownP99Ms"),
    flushes: of("flushes"),
    perFlush: of("perFlush"),
    residentMb: of("residentMb"),
    upToDate: of("upToDate"),
  };
}

function print({ sockets, calm, storm, p99Ratio, memoryRatio }: OverloadResult): void {
  const row = (name: string, of: Storm) => [
    name,
    ...[of.p99Ms, of.shownP99Ms, of.flushes / SECONDS, of.perFlush, of.residentMb, of.upToDate],
  ];
  console.log(
    `\n(h) a board to ${sockets} sockets, at 50 changes a second beside 2; targets: p99 at most twice, ` +
      "one frame a socket and flush, memory at most 1.20",
  );
  console.log(
    textTable(
      ["", "p99 ms", "until shown, p99", "flushes/s", "frames/socket/flush", "MB", "up to date"],
      [row("2 per second", calm), row("50 per second", storm)],
    ),
  );
  console.log(`p99 until shown ${p99Ratio.toFixed(2)}, memory ${memoryRatio.toFixed(2)}`);
}
