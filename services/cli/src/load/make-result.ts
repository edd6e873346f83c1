/** From what a load's processes and readings say to its result. Pure. */
import { Histogram, type HistogramCounts } from "../crowd/histogram.js";
import { judge } from "./bottleneck.js";
import { type CastReport, MEASURES } from "./cast-plan.js";
import { noCounts } from "./counts.js";
import type { LedgerResult } from "./load-audit.js";
import type { LoadOptions } from "./load-flags.js";
import type { LoadResult, ServiceCost, Times } from "./result.js";
import { checkSlos, SHARES, type ShareName, type SloTime } from "./slo.js";
import type { StoreSizes } from "./stores.js";
import type { Timeline } from "./timeline.js";
import { unitCosts } from "./unit-costs.js";
import type { UsageSample } from "./usage-recorder.js";

/** Readings at the borders of a load's parts. */
export interface Borders {
  /** Twice before the first join, so that idling is known. */
  idle: UsageSample;
  before: UsageSample;
  joined: UsageSample;
  after: UsageSample;
  sizesBefore: StoreSizes;
  sizesAfter: StoreSizes;
}

export interface Findings {
  options: LoadOptions;
  at: string;
  machine: LoadResult["machine"];
  seconds: number;
  reports: readonly CastReport[];
  timeline: Timeline;
  borders: Borders;
  samples: readonly UsageSample[];
  machineIdle: number | undefined;
  ledgers: LedgerResult[];
  /** Somebody ended it early. */
  interrupted: boolean;
}

const SPECTRUM = [0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9999, 1];
const MIB = 1_024 * 1_024;

export function makeResult(findings: Findings): LoadResult {
  const { options, reports, borders, ledgers, timeline } = findings;
  const counts = sumCounts(reports);
  const merged = (name: (typeof MEASURES)[number]) => mergeAll(reports.map((r) => r.times[name]));
  const acks = merged("ack");
  const questions = questionsOf(reports);
  const skews = new Histogram();
  for (const { skewMs } of questions) skews.add(skewMs);
  const times = Object.fromEntries([
    ...MEASURES.map((name) => [name, timesOf(merged(name))]),
    ["skew", timesOf(skews)],
  ]) as LoadResult["times"];
  const services = servicesOf(borders, counts.acked);
  const slos = checkSlos(options.slos, (time: SloTime) => times[time]);
  const asked = reports.length === 0 ? 0 : counts.offered;
  const { token: _token, natsUrl: _nats, redisUrl: _redis, ...shown } = options;
  const result: LoadResult = {
    name: options.name,
    interrupted: findings.interrupted,
    at: findings.at,
    options: shown,
    machine: findings.machine,
    seconds: findings.seconds,
    players: { asked, joined: counts.admitted, missing: missingOf(reports) },
    times,
    ackSpectrum: SPECTRUM.map((share) => [share, acks.at(share)]),
    counts,
    kinds: kindsOf(reports),
    perClientAndRound: perClientAndRound(counts, options.rounds),
    questions,
    timeline: timeline.seconds(),
    services,
    serviceTimeline: coresOf(findings.samples),
    generator: generatorOf(findings),
    ledgers,
    unitCosts: [],
    slos,
    broken: [
      ...(counts.acked === 0 && !findings.interrupted
        ? ["no answer was acknowledged: nothing was shown"]
        : []),
      ...ledgers.flatMap(({ session, broken }) => broken.map((what) => `${session}: ${what}`)),
      ...slos
        .filter(({ kept }) => !kept)
        .map(
          ({ time, share, limitMs, valueMs }) =>
            `${time} ${share} was ${valueMs.toFixed(1)} ms, and ${limitMs} ms is the limit`,
        ),
    ],
  };
  result.unitCosts = unitCosts(result, borders);
  return result;
}

function mergeAll(parts: readonly HistogramCounts[]): Histogram {
  const sum = new Histogram();
  for (const part of parts) sum.merge(part);
  return sum;
}

function timesOf(histogram: Histogram): Times {
  const shares = Object.entries(SHARES).map(([name, share]) => [name, histogram.at(share)]);
  return { count: histogram.count, ...(Object.fromEntries(shares) as Record<ShareName, number>) };
}

function sumCounts(reports: readonly CastReport[]) {
  const sum = noCounts();
  for (const { counts } of reports)
    for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += counts[name];
  return sum;
}

function missingOf(reports: readonly CastReport[]): Record<string, number> {
  const missing: Record<string, number> = {};
  for (const report of reports)
    for (const [why, count] of Object.entries(report.missing))
      missing[why] = (missing[why] ?? 0) + count;
  return missing;
}

function kindsOf(reports: readonly CastReport[]): LoadResult["kinds"] {
  const kinds: LoadResult["kinds"] = {};
  for (const report of reports)
    for (const [kind, { frames, bytes }] of Object.entries(report.kinds)) {
      const sum = kinds[kind] ?? { frames: 0, bytes: 0 };
      kinds[kind] = { frames: sum.frames + frames, bytes: sum.bytes + bytes };
    }
  return kinds;
}

function perClientAndRound(
  { frames, bytes, admitted }: ReturnType<typeof noCounts>,
  rounds: number,
) {
  const by = Math.max(1, admitted * rounds);
  return { frames: frames / by, bytes: bytes / by };
}

/** From the first to the last receiver of each question, over all processes of this machine. */
function questionsOf(reports: readonly CastReport[]): LoadResult["questions"] {
  const merged = new Map<string, CastReport["questions"][number]>();
  for (const each of reports.flatMap(({ questions }) => questions)) {
    const key = `${each.session} ${each.round}`;
    const sum = merged.get(key);
    merged.set(
      key,
      sum
        ? {
            ...sum,
            first: Math.min(sum.first, each.first),
            last: Math.max(sum.last, each.last),
            sockets: sum.sockets + each.sockets,
          }
        : each,
    );
  }
  return [...merged.values()]
    .map(({ session, round, first, last, sockets }) => ({
      session,
      round,
      skewMs: last - first,
      sockets,
    }))
    .sort((a, b) => a.round - b.round || (a.session < b.session ? -1 : 1));
}

function servicesOf(borders: Borders, answers: number): ServiceCost[] {
  const { idle, before, joined, after } = borders;
  const idleSeconds = Math.max(0.001, before.second - idle.second);
  return [...after.usages].map(([name, last]) => {
    const of = (sample: UsageSample) => sample.usages.get(name) ?? last;
    const idlePerSecond = (of(before).cpuSeconds - of(idle).cpuSeconds) / idleSeconds;
    const cpuSeconds = last.cpuSeconds - of(joined).cpuSeconds;
    const net = Math.max(0, cpuSeconds - idlePerSecond * (after.second - joined.second));
    return {
      name,
      cpuSeconds,
      cpuUsPerAnswer: answers > 0 ? (net * 1e6) / answers : 0,
      mebibytes: {
        before: of(before).residentBytes / MIB,
        joined: of(joined).residentBytes / MIB,
        after: last.residentBytes / MIB,
      },
    };
  });
}

function coresOf(samples: readonly UsageSample[]): LoadResult["serviceTimeline"] {
  const sorted = samples.toSorted((a, b) => a.second - b.second);
  return sorted.slice(1).flatMap((sample, i) => {
    const last = sorted[i];
    const seconds = sample.second - (last?.second ?? 0);
    if (!last || seconds < 0.5) return [];
    const cores: Record<string, number> = {};
    for (const [name, { cpuSeconds }] of sample.usages)
      cores[name] = (cpuSeconds - (last.usages.get(name)?.cpuSeconds ?? cpuSeconds)) / seconds;
    return [{ second: sample.second, cores }];
  });
}

function generatorOf({ reports, timeline, machineIdle }: Findings): LoadResult["generator"] {
  const strain = {
    lateP99Ms: mergeAll(reports.map(({ late }) => late)).at(0.99),
    loopLagP99Ms: Math.max(0, ...reports.map(({ loopLagP99Ms }) => loopLagP99Ms)),
    busyP95: timeline.busyP95(),
    machineIdle,
  };
  return {
    ...judge(strain),
    ...strain,
    processes: reports.length,
    cpuSeconds: reports.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
  };
}
