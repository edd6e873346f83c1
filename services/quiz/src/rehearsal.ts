/**
 * A quiz pod's rehearsal: a crowd joins and answers over gRPC on loopback, in lanes whose log is this
 * process's memory.
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Bus } from "@fanfare/common/bus";
import { createClient } from "@fanfare/common/grpc-client";
import type { ServedService } from "@fanfare/common/grpc-server";
import type { Lifecycle } from "@fanfare/common/lifecycle";
import { rehearse, serveOnStage } from "@fanfare/common/rehearsal";
import { storedSubject } from "@fanfare/proto/addresses";
import { toAnswerColumns } from "@fanfare/proto/answer-columns";
import { QuestionType } from "@fanfare/proto/common/v1/question";
import { QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import { FrozenQuizSchema, Phase, SessionSchema } from "@fanfare/proto/quiz/v1/session";
import { JetStreamSessionLogs } from "./adapters/session-logs.js";
import type { QuizConfig } from "./config.js";
import type { SessionStore } from "./domain/ports.js";
import type { QuizContext } from "./handlers/context.js";
import { QuizMetrics } from "./metrics.js";

const PLAYERS = 100;
/** So often a crowd joins and answers, on each stage. */
const QUIZZES = 6;
const TIME_LIMIT_MS = 20_000;
/** Nobody asks for a round that is over. */
const NOTHING_PAST = { lanesPerSecondMax: 0, answersMax: 0 };

const session = (id: string) =>
  create(SessionSchema, {
    sessionId: id,
    phase: Phase.OPEN,
    ...{ round: 1, rounds: 1, timeLimitMs: TIME_LIMIT_MS, logStart: 1n },
    options: { lanes: 1, playersMax: PLAYERS },
  });
const FROZEN: MessageInitShape<typeof FrozenQuizSchema> = {
  questions: [
    {
      question: {
        type: QuestionType.SINGLE_CHOICE,
        text: "Is this a rehearsal?",
        options: [
          { choice: "A", text: "yes" },
          { choice: "B", text: "no" },
        ],
        points: 1_000,
      },
      answer: ["A"],
      timeLimitMs: TIME_LIMIT_MS,
    },
  ],
};

/** Serves what this pod serves, with what the rehearsal brings. */
type Serve = (context: QuizContext) => ServedService<typeof QuizService>;

/** Never rejects. */
export function rehearseQuiz(
  config: QuizConfig,
  metrics: QuizMetrics,
  serve: Serve,
  lifecycle: Lifecycle,
): Promise<void> {
  const open = async (stage: Lifecycle) => playAll(await connectOnStage(serve, stage));
  return rehearse({ limitMs: config.WARM_UP_MS, metrics, open }, lifecycle);
}

async function connectOnStage(serve: Serve, stage: Lifecycle) {
  const metrics = new QuizMetrics({ isRehearsed: true });
  const frozen = create(FrozenQuizSchema, FROZEN);
  const store: Partial<SessionStore> = {
    find: async (id) => ({ session: session(id), revision: 1 }),
    frozenQuiz: async () => frozen,
  };
  // What joins and answers ask for; whatever else is asked ends the rehearsal.
  const parts: Partial<QuizContext> = {
    store: store as SessionStore,
    logs: new JetStreamSessionLogs(memoryLog(), metrics, NOTHING_PAST),
    metrics,
  };
  const { address, token } = await serveOnStage([serve(parts as QuizContext)], metrics, stage);
  const client = createClient(QuizService, address, token, { metrics });
  stage.push("client", () => client.close());
  return client;
}

/** As much of the log as a lane asks of it. */
function memoryLog(): Bus {
  const last = new Map<string, number>();
  let sequence = 1;
  const log = {
    listen: () => {},
    js: {
      publish: async (subject: string) => {
        last.set(storedSubject(subject), ++sequence);
        return { seq: sequence };
      },
    },
    jsm: {
      streams: {
        getMessage: async (_: string, { last_by_subj }: { last_by_subj: string }) => {
          const seq = last.get(last_by_subj);
          return seq === undefined ? null : { seq };
        },
      },
    },
  };
  return log as unknown as Bus;
}

async function* playAll(client: Awaited<ReturnType<typeof connectOnStage>>) {
  for (let quiz = 1; quiz <= QUIZZES; quiz++) {
    const sessionId = `rehearsal-${quiz}`;
    const names = Array.from({ length: PLAYERS }, (_, i) => `player-${i}`);
    const joins = names.map((nickname) => ({ nickname, submissionId: nickname }));
    const { results } = await client.joinSession({ sessionId, joins });
    const playerIds = results.map(({ player }) => player?.playerId ?? "");
    const answers = playerIds.map((playerId, i) => ({
      playerId,
      submissionId: `answer-${i}`,
      choices: [i % 2 === 0 ? "A" : "B"],
      elapsedMs: 100 + i,
    }));
    const lane = { sessionId, round: 1, lane: 0, ...toAnswerColumns(answers) };
    yield client.submitAnswers({ lanes: [lane] });
    yield client.resumeSession({ sessionId, playerIds });
  }
}
