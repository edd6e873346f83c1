/** What a crowd process counts and measures while it plays. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { nowMs } from "../crowd/clock.js";
import { Histogram } from "../crowd/histogram.js";
import type { OwnAnswer } from "../ledgers/compare.js";
import {
  type Arrival,
  type CastProgress,
  type CastReport,
  type Count,
  MEASURES,
  type Measure,
} from "./cast-plan.js";
import { noCounts } from "./counts.js";

const LOOP_RESOLUTION_MS = 10;
const NS_PER_MS = 1e6;

export class Tally {
  readonly #counts = noCounts();
  readonly #times = Object.fromEntries(MEASURES.map((name) => [name, new Histogram()])) as Record<
    Measure,
    Histogram
  >;
  readonly #late = new Histogram();
  readonly #book = new Map<string, OwnAnswer>();
  readonly #kinds = new Map<string, { frames: number; bytes: number }>();
  readonly #questions = new Map<string, Arrival>();
  readonly #loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  readonly #cpu = process.cpuUsage();
  readonly #begun = nowMs();
  /** Of the running second. */
  #second = { counts: noCounts(), ack: new Histogram(), connect: new Histogram() };
  #secondCpu = process.cpuUsage();
  #secondBegun = nowMs();
  sockets = 0;

  constructor() {
    this.#loop.enable();
  }

  count(what: Count, more = 1): void {
    this.#counts[what] += more;
    this.#second.counts[what] += more;
  }

  time(what: Measure, ms: number): void {
    this.#times[what].add(ms);
    if (what === "ack" || what === "connect") this.#second[what].add(ms);
  }

  /** How much later than due this process acted. */
  late(ms: number): void {
    this.#late.add(ms);
  }

  /** A frame that came to a player. */
  frame(kind: string, bytes: number): void {
    this.count("frames");
    this.count("bytes", bytes);
    const sum = this.#kinds.get(kind);
    if (!sum) this.#kinds.set(kind, { frames: 1, bytes });
    else {
      sum.frames++;
      sum.bytes += bytes;
    }
  }

  /** The question of a round came to one more socket. */
  question(session: string, round: number, at: number): void {
    const key = `${session} ${round}`;
    const arrival = this.#questions.get(key);
    if (!arrival) this.#questions.set(key, { session, round, first: at, last: at, sockets: 1 });
    else {
      arrival.last = at;
      arrival.sockets++;
    }
  }

  /** The book's line of an answer; it is made when the answer goes out. */
  answer(submissionId: string, of: Pick<OwnAnswer, "round" | "playerId">): OwnAnswer {
    let answer = this.#book.get(submissionId);
    if (!answer) {
      answer = { ...of, verdict: "unknown", points: undefined };
      this.#book.set(submissionId, answer);
    }
    return answer;
  }

  hasAnswer(submissionId: string): boolean {
    return this.#book.has(submissionId);
  }

  /** What the second that ends now held. */
  takeSecond(second: number): CastProgress {
    const { counts, ack, connect } = this.#second;
    const { user, system } = process.cpuUsage(this.#secondCpu);
    const passedMs = nowMs() - this.#secondBegun;
    this.#second = { counts: noCounts(), ack: new Histogram(), connect: new Histogram() };
    this.#secondCpu = process.cpuUsage();
    this.#secondBegun = nowMs();
    return {
      second,
      sockets: this.sockets,
      counts,
      ack: ack.toCounts(),
      connect: connect.toCounts(),
      busy: (user + system) / 1_000 / passedMs,
    };
  }

  report(missing: Record<string, number>): CastReport {
    const { user, system } = process.cpuUsage(this.#cpu);
    this.#loop.disable();
    return {
      book: [...this.#book],
      times: Object.fromEntries(
        MEASURES.map((name) => [name, this.#times[name].toCounts()]),
      ) as CastReport["times"],
      counts: this.#counts,
      kinds: Object.fromEntries(this.#kinds),
      questions: [...this.#questions.values()],
      missing,
      late: this.#late.toCounts(),
      loopLagP99Ms: Math.max(0, this.#loop.percentile(99) / NS_PER_MS - LOOP_RESOLUTION_MS),
      cpuSeconds: (user + system) / 1e6,
      wallSeconds: (nowMs() - this.#begun) / 1_000,
      residentBytes: process.memoryUsage.rss(),
    };
  }
}
