/** Whether the load generator itself set the pace: one plain sentence, and the limits it rests on. Pure. */

export interface Strain {
  /** 99th percentile of how much later than due it acted, in ms. */
  lateP99Ms: number;
  /** 99th percentile of how long an event loop stood still, in ms; of the worst process. */
  loopLagP99Ms: number;
  /** Part of a core that the busiest process used in its busy seconds (95th percentile). */
  busyP95: number;
  /** Part of the machine's CPU that was idle; undefined where that can't be read. */
  machineIdle: number | undefined;
}

export interface Verdict {
  wasBottleneck: boolean;
  sentence: string;
}

export const LATE_P99_MS_MAX = 10;
export const LOOP_LAG_P99_MS_MAX = 20;
export const BUSY_P95_MAX = 0.9;
export const MACHINE_IDLE_MIN = 0.05;

export function judge(strain: Strain): Verdict {
  const { lateP99Ms, loopLagP99Ms, busyP95, machineIdle } = strain;
  const late = `it acted ${lateP99Ms.toFixed(1)} ms late (p99)`;
  const faults = [
    ...(lateP99Ms > LATE_P99_MS_MAX ? [`${late}, more than ${LATE_P99_MS_MAX} ms`] : []),
    ...(loopLagP99Ms > LOOP_LAG_P99_MS_MAX
      ? [`its event loop stood still for ${loopLagP99Ms.toFixed(1)} ms (p99)`]
      : []),
    ...(busyP95 > BUSY_P95_MAX
      ? [`a process of it used ${percent(busyP95)} of a core: give it more processes`]
      : []),
  ];
  const shared =
    machineIdle !== undefined && machineIdle < MACHINE_IDLE_MIN
      ? ` This machine had ${percent(machineIdle)} of its CPU left: whatever else runs here, the servers too, waited for it.`
      : "";
  if (faults.length > 0) {
    const why = faults.join("; ");
    return {
      wasBottleneck: true,
      sentence: `The load generator was the bottleneck: ${why}. Times are its own in part.${shared}`,
    };
  }
  const calm = `${late}, and its busiest process used ${percent(busyP95)} of a core`;
  return {
    wasBottleneck: false,
    sentence: `The load generator was not the bottleneck: ${calm}.${shared}`,
  };
}

function percent(part: number): string {
  return `${Math.round(part * 100)} %`;
}
