/** The plots of a load's report. Pure. */
import type { LoadResult } from "./result.js";
import { barPlot, linePlot, type Series } from "./svg-plot.js";
import type { Second } from "./timeline.js";

const BARS_MAX = 30;
const SECONDS = { x: "seconds since the first join" };

export function reportPlots(result: LoadResult): string {
  return [
    connects(result),
    answers(result),
    acksOverTime(result),
    ackSpectrum(result),
    skews(result),
    serviceCpu(result),
    generatorCpu(result),
    frameBytes(result),
  ].join("");
}

function over(
  timeline: readonly Second[],
  name: string,
  figure: (second: Second) => number,
): Series {
  return { name, points: timeline.map((each) => [each.second, figure(each)] as const) };
}

function connects({ timeline }: LoadResult): string {
  return linePlot(
    [
      over(timeline, "offered", ({ counts }) => counts.offered),
      over(timeline, "admitted", ({ counts }) => counts.admitted),
      over(timeline, "came back", ({ counts }) => counts.returns),
    ],
    { title: "Connects", y: "per second", ...SECONDS },
  );
}

function answers({ timeline }: LoadResult): string {
  return linePlot(
    [
      over(timeline, "due", ({ counts }) => counts.due),
      over(timeline, "acknowledged", ({ counts }) => counts.acked),
    ],
    { title: "Answers", y: "per second", ...SECONDS },
  );
}

function acksOverTime({ timeline }: LoadResult): string {
  const answered = timeline.filter(({ counts }) => counts.acked > 0);
  return linePlot(
    [
      over(answered, "p50", ({ ackP50Ms }) => ackP50Ms),
      over(answered, "p99", ({ ackP99Ms }) => ackP99Ms),
    ],
    { title: "Answer, due to acknowledged, over time", y: "ms", ...SECONDS },
  );
}

/** By how many nines: the tail is what a percentile is for. */
function ackSpectrum({ ackSpectrum: spectrum }: LoadResult): string {
  const points = spectrum
    .filter(([share]) => share < 1)
    .map(([share, ms]) => [-Math.log10(1 - share), ms] as const);
  return linePlot([{ name: "ack", points }], {
    title: "Answer, due to acknowledged, by percentile",
    y: "ms",
    x: "percentile",
    xTicks: [0, 1, 2, 3, 4],
    xTick: (x) => `${Number((100 * (1 - 10 ** -x)).toFixed(2))} %`,
  });
}

/** Of many, the widest. */
function skews({ questions, options }: LoadResult): string {
  const widest = questions.toSorted((a, b) => b.skewMs - a.skewMs).slice(0, BARS_MAX);
  const bars = questions
    .filter((each) => widest.includes(each))
    .map(({ session, round, skewMs }) => ({
      label: options.sessions > 1 ? `${session} ${round}` : `round ${round}`,
      value: skewMs,
      text: `${skewMs < 100 ? skewMs.toFixed(1) : Math.round(skewMs)} ms`,
    }));
  return barPlot(bars, { title: "Question, first to last socket" });
}

function serviceCpu({ services, serviceTimeline }: LoadResult): string {
  const series = services.map(({ name }) => ({
    name,
    points: serviceTimeline.map(({ second, cores }) => [second, cores[name] ?? 0] as const),
  }));
  return linePlot(series, { title: "CPU of the services", y: "cores", ...SECONDS });
}

function generatorCpu({ timeline }: LoadResult): string {
  return linePlot([over(timeline, "busiest client", ({ busy }) => busy)], {
    title: "The load generator's busiest process",
    y: "cores",
    ...SECONDS,
  });
}

function frameBytes({ kinds }: LoadResult): string {
  const bars = Object.entries(kinds)
    .sort(([, a], [, b]) => b.bytes - a.bytes)
    .map(([kind, { frames, bytes }]) => ({
      label: kind,
      value: bytes,
      text: `${frames.toLocaleString("en")} × ${Math.round(bytes / frames)} B`,
    }));
  return barPlot(bars, { title: "Bytes to players, by kind of frame" });
}
