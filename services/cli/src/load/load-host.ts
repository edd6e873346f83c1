/** The host of a load: makes its sessions, starts them when the players are in, and ends what is left. */
import { setTimeout as delay } from "node:timers/promises";
import { ServiceError } from "@fanfare/common/errors";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import type { QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import { Pacing, Phase } from "@fanfare/proto/quiz/v1/session";
import { nowMs } from "../crowd/clock.js";
import type { Door } from "../door.js";
import { untilDone } from "../retry.js";
import type { LoadOptions } from "./load-flags.js";
import { loadQuiz } from "./load-quiz.js";

type Quizzes = Door<typeof QuizService>;

const POLL_MS = 500;
const SESSIONS_AT_ONCE = 20;

export function sessionIds({ name, sessions }: Pick<LoadOptions, "name" | "sessions">): string[] {
  return sessions === 1 ? [name] : Array.from({ length: sessions }, (_, i) => `${name}-${i + 1}`);
}

export class LoadHost {
  constructor(
    private readonly quizzes: Quizzes,
    private readonly options: LoadOptions,
    readonly sessions: readonly string[],
  ) {}

  async create(): Promise<void> {
    const { players, rounds, roundSeconds, revealSeconds, liveBoard } = this.options;
    await this.#each((sessionId) =>
      this.quizzes.createSession({
        sessionId,
        replaceEnded: true,
        source: { case: "quiz", value: loadQuiz(rounds) },
        options: {
          pacing: Pacing.AUTO,
          roundSeconds,
          revealSeconds,
          liveBoard,
          playersMax: players,
          // So that a round takes as long as it is said to.
          closeWhenAllAnswered: false,
        },
      }),
    );
  }

  /** Waits for the sessions that another part makes. */
  async untilThere(limitMs: number): Promise<void> {
    const deadline = nowMs() + limitMs;
    await this.#each(async (sessionId) => {
      while (!(await this.#isLobby(sessionId))) {
        if (nowMs() > deadline) throw new Error(`nobody has made the session ${sessionId}`);
        await delay(POLL_MS);
      }
    });
  }

  /** Players that are in, over all sessions and whoever plays them. */
  async joined(): Promise<number> {
    const totals: number[] = [];
    await this.#each(async (sessionId) => {
      const { total } = await untilDone(() => this.quizzes.listPlayers({ sessionId, pageSize: 1 }));
      totals.push(total);
    });
    return totals.reduce((sum, each) => sum + each, 0);
  }

  async start(): Promise<void> {
    await this.#each((sessionId) => untilDone(() => this.quizzes.startSession({ sessionId })));
  }

  /** Ends what still runs. Never rejects. */
  async end(): Promise<void> {
    await this.#each((sessionId) => this.quizzes.endSession({ sessionId }).catch(() => {}));
  }

  async #isLobby(sessionId: string): Promise<boolean> {
    try {
      const { session } = await this.quizzes.getSession({ sessionId });
      return session !== undefined && session.phase !== Phase.ENDED;
    } catch (error) {
      if (error instanceof ServiceError && error.reason === ErrorReason.SESSION_NOT_FOUND)
        return false;
      throw error;
    }
  }

  async #each(act: (sessionId: string) => Promise<unknown>): Promise<void> {
    for (let at = 0; at < this.sessions.length; at += SESSIONS_AT_ONCE)
      await Promise.all(this.sessions.slice(at, at + SESSIONS_AT_ONCE).map(act));
  }
}
