/** What the gateway counts. Labels are of small, fixed sets: never a player, a session or an address. */
import { Metrics } from "@fanfare/common/metrics";
import { Counter, Gauge, Histogram } from "prom-client";
import type { LimitName } from "./config.js";

const QUICK = [0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2, 5];

export class GatewayMetrics extends Metrics {
  readonly #on = { registers: [this.registry] };
  readonly closes = new Counter({
    name: "gateway_closes_total",
    help: "Closed sockets by close code",
    labelNames: ["code"],
    ...this.#on,
  });
  readonly refusedUpgrades = new Counter({
    name: "gateway_upgrades_refused_total",
    help: "Sockets refused before the upgrade",
    labelNames: ["cause"],
    ...this.#on,
  });
  readonly framesReceived = new Counter({
    name: "gateway_frames_received_total",
    help: "Client frames",
    labelNames: ["type"],
    ...this.#on,
  });
  readonly framesSent = new Counter({
    name: "gateway_frames_sent_total",
    help: "Frames given to sockets",
    labelNames: ["type"],
    ...this.#on,
  });
  readonly encodes = new Counter({
    name: "gateway_frame_encodes_total",
    help: "Frames encoded: for a room once, however many sockets it has",
    labelNames: ["type"],
    ...this.#on,
  });
  readonly refusals = new Counter({
    name: "gateway_refusals_total",
    help: "Refused frames by reason",
    labelNames: ["reason"],
    ...this.#on,
  });
  readonly answers = new Counter({
    name: "gateway_answers_total",
    help: "Answers by outcome",
    labelNames: ["outcome"],
    ...this.#on,
  });
  readonly answerAck = new Histogram({
    name: "gateway_answer_ack_seconds",
    help: "From an answer's arrival to its acknowledgement",
    buckets: QUICK,
    ...this.#on,
  });
  readonly answerBatch = new Histogram({
    name: "gateway_answer_batch",
    help: "Answers in one call",
    buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500],
    ...this.#on,
  });
  readonly joins = new Counter({
    name: "gateway_joins_total",
    help: "Joins by outcome",
    labelNames: ["outcome"],
    ...this.#on,
  });
  readonly resumes = new Counter({
    name: "gateway_resumes_total",
    help: "Returns of players by outcome",
    labelNames: ["outcome"],
    ...this.#on,
  });
  readonly takeovers = new Counter({
    name: "gateway_takeovers_total",
    help: "Sockets closed because their player came in through a newer one",
    ...this.#on,
  });
  readonly dropped = new Counter({
    name: "gateway_dropped_total",
    help: "Frames dropped because their socket had too much waiting",
    ...this.#on,
  });
  readonly slowClosed = new Counter({
    name: "gateway_slow_closed_total",
    help: "Sockets closed because they read too slowly",
    ...this.#on,
  });
  readonly results = new Histogram({
    name: "gateway_results_seconds",
    help: "From a reveal to the last player's own result",
    buckets: QUICK,
    ...this.#on,
  });
  readonly boardAge = new Histogram({
    name: "gateway_board_age_seconds",
    help: "From the leaderboard's snapshot to its arrival here",
    buckets: QUICK,
    ...this.#on,
  });
  readonly doorCalls = new Counter({
    name: "gateway_door_calls_total",
    help: "Calls at the JSON door by code",
    labelNames: ["code"],
    ...this.#on,
  });

  /** Counted when asked for: open sockets by role (new ones have not said hello), and rooms. */
  watch(state: { sockets(): ReadonlyMap<string, number>; rooms(): number }): void {
    new Gauge({
      name: "gateway_sockets",
      help: "Open sockets by role; new ones have not said hello",
      labelNames: ["role"],
      ...this.#on,
      collect() {
        this.reset();
        for (const [role, count] of state.sockets()) this.set({ role }, count);
      },
    });
    new Gauge({
      name: "gateway_rooms",
      help: "Sessions followed",
      ...this.#on,
      collect() {
        this.set(state.rooms());
      },
    });
  }

  limitHit(limit: LimitName): void {
    this.limitHits.inc({ limit });
  }
}
