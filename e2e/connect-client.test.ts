/** A browser's client, made by Connect's own library from the contract, on the real services. */
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { ErrorDetailSchema, ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { LeaderboardService } from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import { QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import { Phase } from "@fanfare/proto/quiz/v1/session";
import { ImportFormat, QuizMasterService } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { connect } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Stage, startStage, until } from "./stage.js";

let stage: Stage;
let transport: Transport;

beforeAll(async () => {
  stage = await startStage();
  transport = createConnectTransport({
    baseUrl: stage.stack.gatewayUrls[0] ?? "",
    useBinaryFormat: false,
    interceptors: [
      (next) => (request) => {
        request.header.set("authorization", `Bearer ${stage.stack.adminToken}`);
        return next(request);
      },
    ],
  });
});

afterAll(() => stage?.[Symbol.asyncDispose]());

const BANK = `#Q What is the capital of Norway?
^ Oslo
A Oslo
B Rome
C Bern
D Kyiv
`;

test("a quiz is imported, found, and played as a session", async () => {
  const bank = createClient(QuizMasterService, transport);
  const imported = await bank.importQuiz({
    format: ImportFormat.OPEN_TRIVIA_QA,
    content: new TextEncoder().encode(BANK),
    title: "Capitals by Connect",
    tags: ["connect"],
  });
  expect(imported).toMatchObject({ questions: 1, faults: [] });
  const { quizzes } = await bank.listQuizzes({ tags: ["connect"] });
  expect(quizzes).toMatchObject([{ title: "Capitals by Connect", questions: 1 }]);

  const quiz = createClient(QuizService, transport);
  const quizId = quizzes[0]?.quizId ?? "";
  const { session } = await quiz.createSession({
    sessionId: "by_connect",
    source: { case: "quizId", value: quizId },
    options: { roundSeconds: 30 },
  });
  expect(session).toMatchObject({ sessionId: "by_connect", phase: Phase.LOBBY, rounds: 1 });
  expect(session?.createdAt).toBeDefined();
});

test("scores are read from the board", async () => {
  const nc = await connect({ servers: stage.stack.natsUrl });
  nc.publish("QUIZ.outside.1.someusername", "20");
  await nc.drain();
  const boards = createClient(LeaderboardService, transport);
  const board = await until(async () => {
    const found = await boards.getLeaderboard({ sessionId: "outside" });
    return found.standings.length === 1 && found;
  });
  expect(board.standings).toMatchObject([{ playerId: "someusername", points: 20, rank: 1 }]);
});

test("a refusal of a service is a ConnectError with the reason", async () => {
  const quiz = createClient(QuizService, transport);
  const error = await quiz.getSession({ sessionId: "none" }, { timeoutMs: 10_000 }).then(
    () => undefined,
    (thrown: unknown) => ConnectError.from(thrown),
  );
  expect(error?.code).toBe(Code.NotFound);
  const [detail] = error?.findDetails(ErrorDetailSchema) ?? [];
  expect(detail?.reason).toBe(ErrorReason.SESSION_NOT_FOUND);
});
