/** Real quiz pods and history writers on a real NATS and PostgreSQL, in this process. */
import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { createClient, type ServiceClient } from "@fanfare/common/grpc-client";
import { Lifecycle } from "@fanfare/common/lifecycle";
import { createLogger } from "@fanfare/common/log";
import { startNats } from "@fanfare/common/servers/nats";
import { startPostgres } from "@fanfare/common/servers/postgres";
import { type Identity, Tokens } from "@fanfare/common/tokens";
import { laneOf } from "@fanfare/proto/addresses";
import {
  type AnswerVerdict,
  fromVerdictColumns,
  toAnswerColumns,
} from "@fanfare/proto/answer-columns";
import { QuestionType } from "@fanfare/proto/common/v1/question";
import { QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import { Phase, type Session, type SessionOptions } from "@fanfare/proto/quiz/v1/session";
import { QuizSchema } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { readHistoryConfig, readQuizConfig } from "../src/config.js";
import { startHistory } from "../src/history.js";
import { startServer } from "../src/server.js";

export const SECRET = "a secret of at least thirty-two characters";
export const tokens = new Tokens([SECRET]);
export type QuizClient = ServiceClient<typeof QuizService>;

export interface Pod {
  client: QuizClient;
  as(identity: Identity): QuizClient;
  stop(): Promise<void>;
}

/** What pods need of their stores. */
export interface Places {
  nats: { url: string };
  postgres: { url: string };
  /** Copies of each stream; 1 where nothing is said. */
  replicas?: number;
}

export interface Stores extends Places {
  nats: Awaited<ReturnType<typeof startNats>>;
  postgres: Awaited<ReturnType<typeof startPostgres>>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startStores(): Promise<Stores> {
  const [nats, postgres] = await Promise.all([startNats(), startPostgres({ fsync: false })]);
  return {
    nats,
    postgres,
    async [Symbol.asyncDispose]() {
      await Promise.all([nats[Symbol.asyncDispose](), postgres[Symbol.asyncDispose]()]);
    },
  };
}

const log = () => createLogger("test", process.env.TEST_LOG ?? "silent");

function environment({ nats, postgres, replicas = 1 }: Places): Record<string, string> {
  return { NATS_URL: nats.url, POSTGRES_URL: postgres.url, NATS_REPLICAS: String(replicas) };
}

export async function startPod(
  places: Places,
  name: string = randomUUID(),
  env: Record<string, string> = {},
): Promise<Pod> {
  const lifecycle = new Lifecycle(log());
  const config = readQuizConfig({
    ...environment(places),
    TOKEN_SECRET: SECRET,
    POD_NAME: name,
    GRPC_PORT: "0",
    ADMIN_PORT: "0",
    LISTEN_HOST: "127.0.0.1",
    DRAIN_MS: "0",
    WARM_UP_MS: "0",
    ...env,
  });
  const { grpcPort } = await startServer(config, lifecycle);
  const address = `127.0.0.1:${grpcPort}`;
  const clients: QuizClient[] = [];
  const as = (identity: Identity) => {
    const client = createClient(QuizService, address, () => tokens.issue(identity, 600));
    clients.push(client);
    return client;
  };
  return {
    client: as({ role: "admin", subject: "admin" }),
    as,
    async stop() {
      for (const client of clients) client.close();
      await lifecycle.close();
    },
  };
}

export async function startWriter(places: Places, env: Record<string, string> = {}) {
  const lifecycle = new Lifecycle(log());
  const config = readHistoryConfig({
    ...environment(places),
    TOKEN_SECRET: SECRET,
    POD_NAME: randomUUID(),
    ADMIN_PORT: "0",
    LISTEN_HOST: "127.0.0.1",
    ...env,
  });
  const { adminPort } = await startHistory(config, lifecycle);
  return { adminPort, stop: () => lifecycle.close() };
}

/** A quiz of `count` questions of 5 s, or as said, whose right option is "right 1", "right 2", … */
export function numberedQuiz(count: number, seconds = 5) {
  return create(QuizSchema, {
    title: "Numbers",
    questions: Array.from({ length: count }, (_, i) => ({
      type: QuestionType.SINGLE_CHOICE,
      question: `Question ${i + 1}?`,
      options: [`right ${i + 1}`, "wrong", "also wrong"],
      answer: [`right ${i + 1}`],
      seconds,
    })),
  });
}

export async function createSession(
  pod: Pod,
  options: Partial<SessionOptions> = {},
  questions = 2,
  sessionId = `s_${randomUUID()}`,
): Promise<Session> {
  const { $typeName: _, $unknown: __, ...rest } = options as SessionOptions;
  const { session } = await pod.client.createSession({
    sessionId,
    source: { case: "quiz", value: numberedQuiz(questions, rest.roundSeconds) },
    options: rest,
  });
  if (!session) throw new Error("no session was returned");
  return session;
}

/** Joins `count` players and returns their ids in order. */
export async function joinPlayers(pod: Pod, sessionId: string, count: number): Promise<string[]> {
  const service = pod.as({ role: "service", subject: "test" });
  const ids: string[] = [];
  for (let from = 0; from < count; from += 500) {
    const joins = Array.from({ length: Math.min(500, count - from) }, (_, i) => ({
      nickname: `player${from + i}`,
      submissionId: randomUUID(),
    }));
    const { results } = await service.joinSession({ sessionId, joins });
    for (const { player, refused } of results) {
      if (!player) throw new Error(`join refused: ${refused}`);
      ids.push(player.playerId);
    }
  }
  return ids;
}

export interface Sent {
  playerId: string;
  submissionId: string;
  choices: string[];
  elapsedMs: number;
}

/** Sends answers by lane, as a gateway does; results in the order of the answers. */
export async function submit(
  client: QuizClient,
  session: Session,
  round: number,
  answers: readonly Sent[],
): Promise<AnswerVerdict[]> {
  const lanes = session.options?.lanes ?? 1;
  const results = new Map<Sent, AnswerVerdict>();
  const byLane = new Map<number, Sent[]>();
  for (const sent of answers) {
    const lane = laneOf(sent.playerId, lanes);
    byLane.set(lane, [...(byLane.get(lane) ?? []), sent]);
  }
  const { sessionId } = session;
  const reply = await client.submitAnswers({
    lanes: [...byLane].map(([lane, group]) => ({
      sessionId,
      round,
      lane,
      ...toAnswerColumns(group),
    })),
  });
  const verdicts = reply.lanes.flatMap(fromVerdictColumns);
  for (const [i, sent] of [...byLane.values()].flat().entries())
    results.set(sent, verdicts[i] as AnswerVerdict);
  return answers.map((sent) => results.get(sent) as AnswerVerdict);
}

/** The session once it is in this phase (and round). */
export async function untilPhase(
  pod: Pod,
  sessionId: string,
  phase: Phase,
  round?: number,
): Promise<Session> {
  const abort = AbortSignal.timeout(15_000);
  for await (const { session } of pod.client.watchSession({ sessionId }, { signal: abort }))
    if (session?.phase === phase && (round === undefined || session.round === round))
      return session;
  throw new Error(`${sessionId} did not reach ${Phase[phase]} of round ${round ?? "any"}`);
}

/** Polls until `check` gives a value that is not undefined or false. */
export async function until<T>(
  check: () => Promise<T | undefined | false>,
  limitMs = 10_000,
): Promise<T> {
  const end = performance.now() + limitMs;
  for (;;) {
    const value = await check();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Choice letter of the option with this text. */
export function choiceOf(session: Session, text: string): string {
  const option = session.question?.options.find((each) => each.text === text);
  if (!option) throw new Error(`no option "${text}"`);
  return option.choice;
}
