/**
 * Answers on their way to the log: those of one lane that arrive within some milliseconds are one entry
 * of the log, and the lanes that one quiz pod serves are one call to it. A call costs as much CPU as 50
 * answers (measured: 0.6 to 1 ms), so a crowd's batch waits twice as long as that of a few, and a
 * thousand classes share theirs (docs/adr/0007, 0010).
 */
import { ServiceError } from "@fanfare/common/errors";
import type { ServicePool } from "@fanfare/common/service-pool";
import type { Span } from "@fanfare/common/tracing";
import { fromVerdictColumns, toAnswerColumns } from "@fanfare/proto/answer-columns";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import type { LaneVerdicts, QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import type { Answers, PendingAnswer } from "../domain/service-ports.js";

const BATCH_MAX = 500;
/** Answers of one call: what the service takes (quiz_service.proto). */
const CALL_MAX = 1_000;
/** Answers within the first window that make a crowd: a thousand a second, at 20 ms. */
const CROWD_MIN = 20;
/** Without a verdict by then, players are asked to send again: within 2 s with what came before. */
const VERDICT_WITHIN_MS = 1_900;

export interface AnswerLanesOptions {
  /** One window for all lanes: an answer waits this long at most, a crowd's twice as long. */
  batchMs: number;
  /** For each lane's part of a call. */
  onBatch(answers: number): void;
  onFailed(error: unknown): void;
}

interface Batch {
  /** Which pod it is for. */
  key: string;
  answers: PendingAnswer[];
  /** Spans of the traced ones among them. */
  spans: Span[];
  /** A window is over, and it waits for the next one. */
  isCrowd: boolean;
}

export class AnswerLanes implements Answers {
  /** What waits, by session, round and lane. */
  readonly #waiting = new Map<string, Batch>();
  #window: NodeJS.Timeout | undefined;
  #pending = 0;

  constructor(
    private readonly quiz: Pick<ServicePool<typeof QuizService>, "request" | "ownerOf">,
    private readonly options: AnswerLanesOptions,
  ) {}

  get pending(): number {
    return this.#pending;
  }

  submit(answer: PendingAnswer): void {
    this.#pending++;
    const { sessionId, round, lane } = answer;
    const at = `${sessionId} ${round} ${lane}`;
    let batch = this.#waiting.get(at);
    if (!batch) {
      batch = { key: `${sessionId}:${lane}`, answers: [], spans: [], isCrowd: false };
      this.#waiting.set(at, batch);
    }
    batch.answers.push(answer);
    if (answer.span) batch.spans.push(answer.span);
    if (batch.answers.length >= BATCH_MAX) {
      this.#waiting.delete(at);
      void this.#send([batch]);
    } else this.#window ??= setTimeout(this.#windowOver, this.options.batchMs);
  }

  readonly #windowOver = (): void => {
    const byPod = new Map<string | undefined, Batch[]>();
    for (const [at, batch] of this.#waiting) {
      if (!batch.isCrowd && batch.answers.length >= CROWD_MIN) {
        batch.isCrowd = true;
        continue;
      }
      this.#waiting.delete(at);
      const pod = this.quiz.ownerOf(batch.key);
      const group = byPod.get(pod);
      if (group) group.push(batch);
      else byPod.set(pod, [batch]);
    }
    for (const group of byPod.values()) for (const part of parts(group)) void this.#send(part);
    this.#window =
      this.#waiting.size > 0 ? setTimeout(this.#windowOver, this.options.batchMs) : undefined;
  };

  /** Settles every answer of the batches. Never rejects. */
  async #send(batches: Batch[]): Promise<void> {
    for (const { answers } of batches) this.options.onBatch(answers.length);
    const deadline = performance.now() + VERDICT_WITHIN_MS;
    const verdicts = await this.#ask(batches, deadline);
    const away: Batch[] = [];
    for (const [i, batch] of batches.entries())
      if (verdicts[i]?.failed === ErrorReason.UNAVAILABLE) away.push(batch);
      else this.#settle(batch, verdicts[i]);
    if (away.length === 0) return;
    // Others had their verdicts, so that the pod did not fail the call. By themselves these find the next pod.
    const again = await this.#ask(away, deadline);
    for (const [i, batch] of away.entries()) this.#settle(batch, again[i]);
  }

  /** By batch, as far as there are any. Never rejects. */
  async #ask(batches: readonly Batch[], deadline: number): Promise<LaneVerdicts[]> {
    const origins = batches.flatMap(({ spans }) => spans);
    const lanes = batches.map(toRequest);
    try {
      const response = await this.quiz.request(batches[0]?.key, (client) =>
        client.submitAnswers(
          { lanes },
          { timeoutMs: Math.max(1, deadline - performance.now()), origins },
        ),
      );
      return response.lanes;
    } catch (error) {
      this.options.onFailed(error);
      return [];
    }
  }

  #settle({ answers }: Batch, verdicts: LaneVerdicts | undefined): void {
    this.#pending -= answers.length;
    if (verdicts?.failed)
      this.options.onFailed(new ServiceError(verdicts.failed, verdicts.message));
    const each = verdicts ? fromVerdictColumns(verdicts) : [];
    for (const [i, answer] of answers.entries()) answer.settle(each[i]);
  }
}

function toRequest({ answers, spans }: Batch) {
  const { sessionId = "", round = 0, lane = 0 } = answers[0] ?? {};
  return { sessionId, round, lane, ...toAnswerColumns(answers), traced: spans.length > 0 };
}

/** As many calls as it takes. */
function parts(batches: readonly Batch[]): Batch[][] {
  const found: Batch[][] = [];
  let left = 0;
  for (const batch of batches) {
    left -= batch.answers.length;
    if (left < 0) {
      found.push([]);
      left = CALL_MAX - batch.answers.length;
    }
    found.at(-1)?.push(batch);
  }
  return found;
}
