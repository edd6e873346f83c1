/**
 * Answers on their way to the log: those of one lane that arrive within some milliseconds are one
 * call to the quiz pod that serves the lane, and one entry of the log.
 */
import type { ServicePool } from "@fanfare/common/service-pool";
import type { QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import { Batcher } from "../domain/batcher.js";
import type { Answers, PendingAnswer } from "../domain/service-ports.js";

const BATCH_MAX = 500;
/** Without a verdict by then, a player is asked to send again. */
const VERDICT_WITHIN_MS = 2_000;

export interface AnswerLanesOptions {
  batchMs: number;
  onBatch(answers: number): void;
  onFailed(error: unknown): void;
}

export class AnswerLanes implements Answers {
  readonly #batcher: Batcher<PendingAnswer>;
  #pending = 0;

  constructor(
    private readonly quiz: ServicePool<typeof QuizService>,
    private readonly options: AnswerLanesOptions,
  ) {
    this.#batcher = new Batcher(options.batchMs, BATCH_MAX, (batch) => void this.#send(batch));
  }

  get pending(): number {
    return this.#pending;
  }

  submit(answer: PendingAnswer): void {
    this.#pending++;
    this.#batcher.add(`${answer.sessionId} ${answer.round} ${answer.lane}`, answer);
  }

  async #send(batch: PendingAnswer[]): Promise<void> {
    const [first] = batch;
    if (!first) return;
    const { sessionId, round, lane } = first;
    this.options.onBatch(batch.length);
    const deadline = performance.now() + VERDICT_WITHIN_MS;
    try {
      const { results } = await this.quiz.request(`${sessionId}:${lane}`, (client) =>
        client.submitAnswers(
          { sessionId, round, lane, answers: batch.map(toAnswer) },
          { timeoutMs: Math.max(1, deadline - performance.now()) },
        ),
      );
      for (const [index, answer] of batch.entries()) answer.settle(results[index]);
    } catch (error) {
      this.options.onFailed(error);
      for (const answer of batch) answer.settle(undefined);
    } finally {
      this.#pending -= batch.length;
    }
  }
}

function toAnswer({ playerId, submissionId, choices, elapsedMs }: PendingAnswer) {
  return { playerId, submissionId, choices, elapsedMs };
}
