/**
 * Answers on their way to the log: those of one lane that arrive within some milliseconds are one
 * call to the quiz pod that serves the lane, and one entry of the log. A call costs as much CPU as 50
 * answers (measured: 0.6 to 1 ms), so a crowd's batch waits twice as long as that of a few, and while
 * one is on its way the next waits for it a little: the slower the log, the larger the batches.
 */
import type { ServicePool } from "@fanfare/common/service-pool";
import type { Span } from "@fanfare/common/tracing";
import { fromVerdictColumns, toAnswerColumns } from "@fanfare/proto/answer-columns";
import type { QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import type { Answers, PendingAnswer } from "../domain/service-ports.js";

const BATCH_MAX = 500;
/** Answers within the first window that make a crowd: a thousand a second, at 20 ms. */
const CROWD_MIN = 20;
/** Longest that a batch waits for the one before it. */
const HOLD_MS = 20;
/** Without a verdict by then, players are asked to send again: within 2 s with what came before. */
const VERDICT_WITHIN_MS = 1_900;

export interface AnswerLanesOptions {
  batchMs: number;
  onBatch(answers: number): void;
  onFailed(error: unknown): void;
}

interface Lane {
  waiting: PendingAnswer[];
  /** Spans of the traced ones among them. */
  spans: Span[] | undefined;
  timer: NodeJS.Timeout | undefined;
  /** The batch is ready and waits for the call before it. */
  isHeld: boolean;
  onTheWay: number;
  sentAt: number;
}

export class AnswerLanes implements Answers {
  readonly #lanes = new Map<string, Lane>();
  #pending = 0;

  constructor(
    private readonly quiz: Pick<ServicePool<typeof QuizService>, "request">,
    private readonly options: AnswerLanesOptions,
  ) {}

  get pending(): number {
    return this.#pending;
  }

  submit(answer: PendingAnswer): void {
    this.#pending++;
    const key = `${answer.sessionId} ${answer.round} ${answer.lane}`;
    let lane = this.#lanes.get(key);
    if (!lane) {
      lane = {
        waiting: [],
        spans: undefined,
        timer: undefined,
        isHeld: false,
        onTheWay: 0,
        sentAt: 0,
      };
      this.#lanes.set(key, lane);
    }
    lane.waiting.push(answer);
    if (answer.span) {
      lane.spans ??= [];
      lane.spans.push(answer.span);
    }
    if (lane.waiting.length >= BATCH_MAX) void this.#send(key, lane);
    else lane.timer ??= setTimeout(this.#due, this.options.batchMs, key, lane);
  }

  /** The first window is over. */
  readonly #due = (key: string, lane: Lane): void => {
    if (lane.waiting.length < CROWD_MIN) this.#ready(key, lane);
    else lane.timer = setTimeout(this.#ready, this.options.batchMs, key, lane);
  };

  readonly #ready = (key: string, lane: Lane): void => {
    const holdMs = lane.sentAt + HOLD_MS - performance.now();
    if (lane.onTheWay > 0 && holdMs >= 1) {
      lane.isHeld = true;
      lane.timer = setTimeout(this.#ready, holdMs, key, lane);
    } else void this.#send(key, lane);
  };

  async #send(key: string, lane: Lane): Promise<void> {
    const { waiting: batch, spans } = lane;
    clearTimeout(lane.timer);
    Object.assign(lane, { waiting: [], spans: undefined, timer: undefined, isHeld: false });
    lane.onTheWay++;
    lane.sentAt = performance.now();
    await this.#call(batch, spans);
    lane.onTheWay--;
    this.#pending -= batch.length;
    if (lane.isHeld && lane.onTheWay === 0) void this.#send(key, lane);
    else if (lane.onTheWay === 0 && lane.waiting.length === 0) this.#lanes.delete(key);
  }

  /** Settles every answer of the batch. Never rejects. */
  async #call(batch: PendingAnswer[], origins: Span[] | undefined): Promise<void> {
    const [first] = batch;
    if (!first) return;
    const { sessionId, round, lane } = first;
    this.options.onBatch(batch.length);
    const deadline = performance.now() + VERDICT_WITHIN_MS;
    try {
      const request = { sessionId, round, lane, ...toAnswerColumns(batch) };
      const response = await this.quiz.request(`${sessionId}:${lane}`, (client) =>
        client.submitAnswers(request, {
          timeoutMs: Math.max(1, deadline - performance.now()),
          origins,
        }),
      );
      const verdicts = fromVerdictColumns(response);
      for (const [index, answer] of batch.entries()) answer.settle(verdicts[index]);
    } catch (error) {
      this.options.onFailed(error);
      for (const answer of batch) answer.settle(undefined);
    }
  }
}
