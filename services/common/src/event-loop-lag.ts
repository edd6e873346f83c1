/** How late the event loop is, from the one monitor that prom-client runs. */
import { Gauge, type Registry } from "prom-client";

const OF_QUANTILE = { "0.5": "p50", "0.99": "p99", "1": "max" } as const;
/** What prom-client makes of its monitor: each holds the pause between two looks too. */
const MISLEADING = ["min", "max", "mean", "stddev", "p50", "p90", "p99"];

/**
 * Exports quiz_event_loop_lag_seconds{quantile} in place of prom-client's own quantiles. The monitor
 * looks every `everyMs` and notes how long after the last look that was: what is beyond `everyMs` is
 * the lag. A pause that begins and ends between two looks is not seen, so short pauses are seen in
 * part only; one as long as `everyMs` always is. Reading begins the next interval: two scrapers see
 * half of it each.
 */
export function watchEventLoop(registry: Registry, everyMs: number): void {
  const quantiles = Object.entries(OF_QUANTILE).map(([quantile, part]) => ({
    quantile,
    gauge: registry.getSingleMetric(nameOf(part)) as Gauge | undefined,
  }));
  // nodejs_eventloop_lag_seconds stays: reading it is what fills the others.
  for (const part of MISLEADING) registry.removeSingleMetric(nameOf(part));
  new Gauge({
    name: "quiz_event_loop_lag_seconds",
    help: "How late the event loop was, since the last scrape",
    labelNames: ["quantile"],
    registers: [registry],
    async collect() {
      for (const { quantile, gauge } of quantiles) {
        const value = (await gauge?.get())?.values[0]?.value ?? 0;
        this.set({ quantile }, Math.max(0, value - everyMs / 1_000));
      }
    },
  });
}

function nameOf(part: string): string {
  return `nodejs_eventloop_lag_${part}_seconds`;
}
