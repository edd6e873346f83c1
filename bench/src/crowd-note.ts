/** Whether the crowd of a benchmark may have set the pace itself. */
import type { DrillReport } from "@fanfare/cli/crowd/drills";

/** A core's share from which the crowd, not the server, may have set the pace. */
const BUSY_SHARE = 0.8;
const LATE_MS = 10;

export function crowdNote(reports: readonly DrillReport[]): string {
  const busy = Math.max(...reports.map(({ cpuSeconds, wallSeconds }) => cpuSeconds / wallSeconds));
  const late = Math.max(...reports.map(({ lateMs }) => lateMs));
  const limits = busy > BUSY_SHARE || late > LATE_MS ? "it was a bottleneck" : "not a bottleneck";
  return `the crowd used ${Math.round(busy * 100)} % of a core at most, p99 ${late.toFixed(1)} ms late: ${limits}`;
}
