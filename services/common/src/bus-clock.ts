/**
 * One clock for all pods: that of the NATS server, read by round trips (Cristian 1989) and carried
 * on this process's monotonic clock between them. So a pod whose wall clock is wrong, or steps, ends
 * no round early and changes no score.
 */
import { STREAMS } from "@fanfare/proto/addresses";
import type { JetStreamManager } from "@nats-io/jetstream";
import { insist, JETSTREAM_AWAY } from "./bus-connection.js";
import type { Lifecycle } from "./lifecycle.js";
import { repeat } from "./loops.js";
import type { Metrics } from "./metrics.js";

const SYNC_EVERY_MS = 10_000;
const RETRY_FIRST_MS = 500;
const FIRST_READINGS = 3;
/** How fast two clocks may part at most (what NTP takes for possible): 30 ms a minute. */
const DRIFT = 500e-6;
/** A clock that NTP keeps is never so far from itself: somebody has set it, or another server leads. */
const STEP_MIN_MS = 1_000;
const CLOCK_AWAY = { ...JETSTREAM_AWAY, what: "NATS' clock can't be read" };

export interface Clock {
  /** Whole milliseconds since 1970 on the common clock. */
  now(): number;
}

/**
 * Reads the server's clock three times, then every 10 s. The reading that can be wrong by the least
 * counts: by half its round trip, and by what the clocks may have drifted since. So a slow round trip
 * moves nothing, and a step of the server's own clock is followed with the next quick one. Deadlines move
 * with such a step (points never do), so it is logged and counted.
 */
export async function startBusClock(
  jsm: JetStreamManager,
  lifecycle: Lifecycle,
  metrics?: Metrics,
): Promise<Clock> {
  let offset = Date.now() - performance.now();
  let best = { errorMs: Number.POSITIVE_INFINITY, at: 0 };
  const read = async () => {
    const sent = performance.now();
    const info = await jsm.streams.info(STREAMS.log);
    const received = performance.now();
    const server = Date.parse((info as unknown as { ts: string }).ts);
    const errorMs = (received - sent) / 2;
    if (errorMs > best.errorMs + (received - best.at) * DRIFT) return;
    const next = server - (sent + received) / 2;
    const isFirst = best.errorMs === Number.POSITIVE_INFINITY;
    if (!isFirst && Math.abs(next - offset) > STEP_MIN_MS + errorMs) tellStep(next - offset);
    best = { errorMs, at: received };
    offset = next;
  };
  const tellStep = (ms: number) => {
    metrics?.clockSteps.inc();
    lifecycle.log.warn({ stepMs: Math.round(ms) }, "NATS' clock has stepped; deadlines with it");
  };
  for (let i = 0; i < FIRST_READINGS; i++) await insist(read, CLOCK_AWAY, lifecycle);
  const retry = { firstMs: RETRY_FIRST_MS, maxMs: SYNC_EVERY_MS };
  void repeat("clock", read, { everyMs: SYNC_EVERY_MS, retry }, lifecycle);
  return { now: () => Math.round(performance.now() + offset) };
}
