/**
 * What the gateway counts (docs/metrics.md). Labels are of small, fixed sets: never a player, a
 * session or an address. What each answer and each frame passes is a HotCounter or a HotHistogram.
 */
import { HotCounter, LabelledHotCounter } from "@fanfare/common/hot-counter";
import { HotHistogram } from "@fanfare/common/hot-histogram";
import { Metrics, startAtZero } from "@fanfare/common/metrics";
import { LIMIT_NAMES, type LimitName } from "./config.js";
import { SocketGauges } from "./socket-gauges.js";

const QUICK = [0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2, 5];

export class GatewayMetrics extends Metrics {
  readonly #on = { registers: [this.registry] };

  constructor(options?: { isRehearsed: boolean }) {
    super("gateway", options);
    startAtZero(this.connects, "result", ["open", "full"]);
    startAtZero(this.joins, "result", ["joined", ...FAULTS]);
    startAtZero(this.resumes, "recovered", ["true", "false"]);
    startAtZero(this.dropped, "reason", ["slow"]);
    startAtZero(this.#turnedAway, "reason", Object.values(ADMISSION));
    startAtZero(this.#rateLimited, "scope", Object.values(SCOPE));
    startAtZero(this.pins, "result", ["known", "right", "wrong", "refused"]);
    startAtZero(this.limitHits, "limit", LIMIT_NAMES);
  }

  /** Gauges that are read off the sockets and rooms when the page is. */
  readonly gauges = new SocketGauges(this.registry);
  /** open, or the cause of the refusal. */
  readonly connects = this.counter("quiz_ws_connects_total", "Upgrades by result", "result");
  readonly disconnects = this.counter(
    "quiz_ws_disconnects_total",
    "Closed sockets by close code's name; other where the client or the line chose the code",
    "reason",
  );
  readonly handshake = this.histogram(
    "quiz_ws_handshake_duration_seconds",
    "From a socket's opening to its being in",
    QUICK,
  );
  readonly joins = this.counter("quiz_ws_joins_total", "Joins by result", "result");
  readonly resumes = this.counter(
    "quiz_ws_resumes_total",
    "Players who came back: true, or false where they were refused",
    "recovered",
  );
  readonly takeovers = this.counter(
    "quiz_ws_takeovers_total",
    "Sockets closed because their player came in through a newer one",
  );
  readonly #turnedAway = this.counter(
    "quiz_ws_admission_rejected_total",
    "Sockets and joins turned away by a limit",
    "reason",
  );
  readonly #rateLimited = this.counter(
    "quiz_ws_rate_limited_total",
    "Frames refused as too many",
    "scope",
  );
  readonly framesReceived = new LabelledHotCounter({
    name: "quiz_ws_frames_received_total",
    help: "Client frames",
    label: "type",
    ...this.#on,
  });
  readonly framesSent = new LabelledHotCounter({
    name: "quiz_ws_frames_sent_total",
    help: "Frames given to sockets",
    label: "type",
    ...this.#on,
  });
  readonly framesEncoded = new LabelledHotCounter({
    name: "quiz_ws_frames_encoded_total",
    help: "Frames encoded: for a room once, however many sockets it has",
    label: "type",
    ...this.#on,
  });
  readonly sentBytes = new HotCounter({
    name: "quiz_ws_sent_bytes_total",
    help: "Bytes of frames given to sockets",
    ...this.#on,
  });
  readonly refusals = this.counter(
    "quiz_ws_frames_refused_total",
    "Refused frames by reason",
    "reason",
  );
  readonly dropped = this.counter(
    "quiz_ws_frames_dropped_total",
    "Frames dropped because their socket had too much waiting",
    "reason",
  );
  readonly slowClosed = this.counter(
    "quiz_ws_slow_disconnects_total",
    "Sockets closed because they read too slowly",
  );
  /** known: told from where its host or a player of it has come; refused: not even looked up. */
  readonly pins = this.counter(
    "quiz_pins_total",
    "PINs that were told, by what they were",
    "result",
  );
  readonly doorCalls = this.counter("quiz_door_calls_total", "Calls at the JSON door", "code");
  readonly answers = new LabelledHotCounter({
    name: "quiz_answers_total",
    help: "Answers as players were told: accepted, or the reason",
    label: "result",
    from: ["accepted", ...FAULTS],
    ...this.#on,
  });
  readonly answerAck = new HotHistogram({
    name: "quiz_answer_ack_duration_seconds",
    help: "From an answer's arrival to its acknowledgement",
    buckets: QUICK,
    ...this.#on,
  });
  readonly answerBatch = this.histogram(
    "quiz_answer_batch_size",
    "Answers of one lane in a call",
    [1, 2, 5, 10, 25, 50, 100, 250, 500],
  );
  readonly questionBroadcast = this.histogram(
    "quiz_question_broadcast_duration_seconds",
    "From the first to the last socket of a room's question",
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  );
  readonly results = this.histogram(
    "quiz_results_duration_seconds",
    "From a reveal to the last player's own result",
    QUICK,
  );
  readonly freshness = new HotHistogram({
    name: "quiz_leaderboard_freshness_seconds",
    help: "From the log's storing of the oldest change in a snapshot to its frame",
    buckets: QUICK,
    ...this.#on,
  });

  limitHit(limit: LimitName): void {
    this.limitHits.inc({ limit });
    const admission = ADMISSION[limit];
    if (admission) this.#turnedAway.inc({ reason: admission });
    const scope = SCOPE[limit];
    if (scope) this.#rateLimited.inc({ scope });
  }
}

/** What counts against the promises (docs/monitoring.md). */
const FAULTS = ["UNAVAILABLE", "INTERNAL", "CONFLICT"];

/** Limits that turn sockets and joins away. */
const ADMISSION: Partial<Record<LimitName, string>> = {
  LIVE_SCORES_PER_SECOND_PER_IP: "boards",
  LIVE_SCORES_MAX_PER_IP: "boards",
  SOCKETS_MAX: "sockets",
  ROOMS_MAX: "rooms",
  HELLO_WITHIN_MS: "no hello",
  JOINS_PER_SECOND_PER_IP: "joins",
  PINS_PER_MINUTE_PER_CALLER: "pins",
  PINS_PER_MINUTE_PER_IP: "pins",
  PINS_PER_MINUTE: "pins",
  IDS_PER_MINUTE_PER_IP: "ids",
};

/** Limits of how often something may be said. */
const SCOPE: Partial<Record<LimitName, string>> = {
  FRAMES_PER_SECOND_MAX: "frames",
  ANSWERS_PER_SECOND_MAX: "answers",
  ANSWERS_PENDING_MAX: "answers",
  BOARD_REQUESTS_PER_SECOND_MAX: "boards",
  JOINS_PER_SECOND_PER_IP: "joins",
  PINS_PER_MINUTE_PER_CALLER: "pins",
  PINS_PER_MINUTE_PER_IP: "pins",
  PINS_PER_MINUTE: "pins",
  IDS_PER_MINUTE_PER_IP: "ids",
};
