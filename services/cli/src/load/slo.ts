/** Limits that a load must keep, as `ack-p99=100,connect-p99=1000`: times in ms. Pure. */
import { UsageError } from "../flags.js";

/** Times that a limit can be set for. */
export const SLO_TIMES = ["connect", "resume", "ack", "reveal", "board", "skew"] as const;
export type SloTime = (typeof SLO_TIMES)[number];

export const SHARES = { p50: 0.5, p90: 0.9, p99: 0.99, p999: 0.999, max: 1 } as const;
export type ShareName = keyof typeof SHARES;

export interface Slo {
  time: SloTime;
  share: ShareName;
  limitMs: number;
}

export interface SloResult extends Slo {
  valueMs: number;
  kept: boolean;
}

const SLO = /^([a-z]+)-(p50|p90|p99|p999|max)=(\d+(?:\.\d+)?)$/;

/** Throws UsageError. */
export function readSlos(text: string): Slo[] {
  if (text === "") return [];
  return text.split(",").map((each) => {
    const [, time, share, limit] = SLO.exec(each.trim()) ?? [];
    const isTime = (SLO_TIMES as readonly (string | undefined)[]).includes(time);
    if (!isTime || limit === undefined)
      throw new UsageError(
        `-slo ${each} must be as ack-p99=100: one of ${SLO_TIMES.join(", ")}, one of ` +
          `${Object.keys(SHARES).join(", ")}, and ms`,
      );
    return { time: time as SloTime, share: share as ShareName, limitMs: Number(limit) };
  });
}

/** A limit on what was never measured is broken: nobody can say that it was kept. */
export function checkSlos(
  slos: readonly Slo[],
  measured: (time: SloTime) => (Record<ShareName, number> & { count: number }) | undefined,
): SloResult[] {
  return slos.map((slo) => {
    const times = measured(slo.time);
    const valueMs = times?.[slo.share] ?? 0;
    return { ...slo, valueMs, kept: (times?.count ?? 0) > 0 && valueMs <= slo.limitMs };
  });
}
