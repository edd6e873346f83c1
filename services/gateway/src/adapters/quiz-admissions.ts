/** Joins and returns, gathered for some milliseconds, so that a crowd at the door is few calls. */
import { toServiceError } from "@fanfare/common/errors";
import type { ServicePool } from "@fanfare/common/service-pool";
import type { Span } from "@fanfare/common/tracing";
import { laneOf, nicknameKey } from "@fanfare/proto/addresses";
import type { JoinResult, QuizService, StoredAnswer } from "@fanfare/proto/quiz/v1/quiz_service";
import { Batcher } from "../domain/batcher.js";
import type { Verdict } from "../domain/client.js";
import type { Admissions, Boards, FoundAnswers, Resumed } from "../domain/service-ports.js";

const BATCH_MAX = 500;
/** How long joins and returns wait for others to travel with. */
const BATCH_MS = 20;
const TIMEOUT_MS = 5_000;
/** A player who comes back does not wait longer for its standing. */
const STANDING_WITHIN_MS = 1_500;
const LIST_PAGE = 1_000;

interface Waiting<T> {
  resolve(value: T): void;
  reject(error: unknown): void;
}

type WaitingJoin = Waiting<JoinResult> & {
  sessionId: string;
  logStart: bigint;
  lane: number;
  nickname: string;
  submissionId: string;
  span: Span | undefined;
};
type WaitingResume = Waiting<Resumed> & {
  sessionId: string;
  playerId: string;
  round: number;
  closedRound: number;
  liveBoard: boolean;
};

export class QuizAdmissions implements Admissions {
  readonly #joins: Batcher<WaitingJoin>;
  readonly #resumes: Batcher<WaitingResume>;

  constructor(
    private readonly quiz: ServicePool<typeof QuizService>,
    private readonly boards: Boards,
  ) {
    this.#joins = new Batcher(BATCH_MS, BATCH_MAX, (batch) => void this.#join(batch));
    this.#resumes = new Batcher(BATCH_MS, BATCH_MAX, (batch) => void this.#resume(batch));
  }

  join(of: Parameters<Admissions["join"]>[0]): Promise<JoinResult> {
    const { sessionId, logStart, nickname, submissionId, lanes, span } = of;
    const lane = laneOf(nicknameKey(nickname), lanes);
    return new Promise((resolve, reject) =>
      this.#joins.add(`${sessionId} ${logStart} ${lane}`, {
        sessionId,
        logStart,
        lane,
        nickname,
        submissionId,
        span,
        resolve,
        reject,
      }),
    );
  }

  resume(of: Parameters<Admissions["resume"]>[0]): Promise<Resumed> {
    const { sessionId, round, closedRound } = of;
    return new Promise((resolve, reject) =>
      this.#resumes.add(`${sessionId} ${round} ${closedRound}`, { ...of, resolve, reject }),
    );
  }

  async findAnswers(sessionId: string, round: number, playerIds: string[]): Promise<FoundAnswers> {
    const byPlayer = new Map<string, Verdict>();
    const parts = slices(playerIds).map(async (part) => {
      const found = await this.quiz.request(sessionId, (client) =>
        client.findAnswers({ sessionId, round, playerIds: part }, { timeoutMs: TIMEOUT_MS }),
      );
      for (const [i, answer] of found.answers.entries())
        byPlayer.set(part[found.places[i] ?? -1] ?? "", verdictOf(answer));
      return found.final;
    });
    const final = (await Promise.all(parts)).every(Boolean);
    return { byPlayer, final };
  }

  list(sessionId: string, pageToken: string) {
    return this.quiz.request(sessionId, (client) =>
      client.listPlayers({ sessionId, pageSize: LIST_PAGE, pageToken }),
    );
  }

  async #join(batch: WaitingJoin[]): Promise<void> {
    const [first] = batch;
    if (!first) return;
    const { sessionId, logStart, lane } = first;
    const joins = batch.map(({ nickname, submissionId }) => ({ nickname, submissionId }));
    const origins = batch.flatMap(({ span }) => span ?? []);
    await settleAll(batch, async () => {
      const { results } = await this.quiz.request(`${sessionId}:${lane}`, (client) =>
        client.joinSession({ sessionId, logStart, joins }, { timeoutMs: TIMEOUT_MS, origins }),
      );
      return results;
    });
  }

  async #resume(batch: WaitingResume[]): Promise<void> {
    const [first] = batch;
    if (!first) return;
    const { sessionId, round, closedRound, liveBoard } = first;
    const playerIds = batch.map(({ playerId }) => playerId);
    await settleAll(batch, async () => {
      const read = this.boards
        .standings(sessionId, playerIds, closedRound, { timeoutMs: STANDING_WITHIN_MS })
        .catch(() => undefined);
      // Every answer that a live board holds is found in the log after it.
      if (liveBoard) await read;
      const { results } = await this.quiz.request(sessionId, (client) =>
        client.resumeSession({ sessionId, round, playerIds }, { timeoutMs: TIMEOUT_MS }),
      );
      const standings = await read;
      return results.map((result) => ({ result, standings }));
    });
  }
}

function verdictOf({ round, submissionId, points, correct, streak }: StoredAnswer): Verdict {
  return { round, submissionId, points, correct, streak };
}

/** Answers everybody of a batch: each with its own result, or all with the error of the call. */
async function settleAll<T>(batch: Waiting<T>[], call: () => Promise<T[]>): Promise<void> {
  try {
    const results = await call();
    for (const [index, waiting] of batch.entries()) {
      const result = results[index];
      if (result === undefined) waiting.reject(toServiceError(new Error("a result is missing")));
      else waiting.resolve(result);
    }
  } catch (error) {
    for (const waiting of batch) waiting.reject(error);
  }
}

function slices(ids: string[]): string[][] {
  const parts: string[][] = [];
  for (let at = 0; at < ids.length; at += BATCH_MAX) parts.push(ids.slice(at, at + BATCH_MAX));
  return parts;
}
