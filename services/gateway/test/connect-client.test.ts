/** The JSON door as a browser uses it: clients that Connect's own library makes from the contract. */
import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { toAnswerColumns } from "@fanfare/proto/answer-columns";
import { ErrorDetailSchema, ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { LeaderboardService } from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import { QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import { Phase } from "@fanfare/proto/quiz/v1/session";
import { QuizMasterService } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { expect, test } from "vitest";
import { rows } from "./backstage.js";
import { openSuite } from "./suite.js";

const suite = openSuite();

function transport(token: string) {
  const authorize: Interceptor = (next) => (request) => {
    request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
  const { url: baseUrl } = suite.gateway;
  return createConnectTransport({ baseUrl, useBinaryFormat: false, interceptors: [authorize] });
}

const spectator = () => transport(suite.backstage.token("spectator", "me"));

/** The error that a call ends with. */
async function failure(call: Promise<unknown>): Promise<ConnectError> {
  const thrown = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(thrown instanceof ConnectError)) throw new Error("not a ConnectError", { cause: thrown });
  return thrown;
}

test("a call brings the response as a message", async () => {
  const sessionId = await suite.newSession();
  const { session, revision } = await createClient(QuizService, spectator()).getSession({
    sessionId,
  });
  expect(session).toMatchObject({ sessionId, title: "Capitals", phase: Phase.LOBBY });
  expect(revision).toBe(1n);
});

test("the board comes page by page", async () => {
  const sessionId = await suite.newSession();
  suite.backstage.director.session(sessionId).standings = rows(3);
  const boards = createClient(LeaderboardService, spectator());
  const first = await boards.getLeaderboard({ sessionId, pageSize: 2 });
  expect(first.standings.map(({ nickname }) => nickname)).toEqual(["player0", "player1"]);
  const { nextPageToken: pageToken } = first;
  const second = await boards.getLeaderboard({ sessionId, pageSize: 2, pageToken });
  expect(second.standings).toMatchObject([{ nickname: "player2", points: 9_998, rank: 3 }]);
});

test("a refusal has its code, its text and the reason", async () => {
  const quiz = createClient(QuizService, spectator());
  const error = await failure(quiz.getSession({ sessionId: "none" }));
  expect(error.code).toBe(Code.NotFound);
  expect(error.rawMessage).toBe("no session has this id");
  const [detail] = error.findDetails(ErrorDetailSchema);
  expect(detail).toMatchObject({ reason: ErrorReason.SESSION_NOT_FOUND, retryable: false });
});

test("a call without a good token is unauthenticated", async () => {
  const error = await failure(
    createClient(QuizService, transport("forged")).getSession({ sessionId: "none" }),
  );
  expect(error.code).toBe(Code.Unauthenticated);
  const [detail] = error.findDetails(ErrorDetailSchema);
  expect(detail?.reason).toBe(ErrorReason.UNAUTHENTICATED);
});

test("a method of a later contract is unimplemented", async () => {
  const later = {
    ...QuizService.method.getSession,
    name: "Dance",
    localName: "dance",
  } as typeof QuizService.method.getSession;
  const call = spectator().unary(later, undefined, undefined, undefined, { sessionId: "none" });
  expect((await failure(call)).code).toBe(Code.Unimplemented);
});

test("a stream is unimplemented at this door", async () => {
  const stream = createClient(QuizService, spectator()).watchSession({ sessionId: "none" });
  const error = await failure(stream[Symbol.asyncIterator]().next());
  expect(error.code).toBe(Code.Unimplemented);
});

test("a service that is away is unavailable, and worth a retry", async () => {
  const author = transport(suite.backstage.token("author", "me"));
  const bank = createClient(QuizMasterService, author);
  const error = await failure(bank.listQuizzes({}, { timeoutMs: 4_000 }));
  expect(error.code).toBe(Code.Unavailable);
  expect(error.findDetails(ErrorDetailSchema)[0]?.retryable).toBe(true);
});

/** Until the end of `work`, the quiz service answers no batch of answers. */
async function whileSilent(work: (sessionId: string) => Promise<void>): Promise<void> {
  const { director } = suite.backstage;
  let speak = () => {};
  director.answersGate = new Promise((resolve) => {
    speak = resolve;
  });
  try {
    await work(await suite.newSession());
  } finally {
    speak();
    director.answersGate = Promise.resolve();
  }
}

test("a call ends with its deadline", async () => {
  const quiz = createClient(QuizService, transport(suite.backstage.token("service", "gateway")));
  await whileSilent(async (sessionId) => {
    const answer = { playerId: "p1", choices: ["A"], submissionId: "s1", elapsedMs: 1 };
    const lane = { sessionId, round: 1, ...toAnswerColumns([answer]) };
    const call = quiz.submitAnswers({ lanes: [lane] }, { timeoutMs: 150 });
    expect((await failure(call)).code).toBe(Code.DeadlineExceeded);
  });
});

test("the door itself keeps the deadline that a client names", async () => {
  await whileSilent(async (sessionId) => {
    const started = performance.now();
    const response = await fetch(`${suite.gateway.url}/quiz.v1.QuizService/SubmitAnswers`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "connect-protocol-version": "1",
        "connect-timeout-ms": "150",
        authorization: `Bearer ${suite.backstage.token("service", "gateway")}`,
      },
      body: JSON.stringify({
        lanes: [
          {
            sessionId,
            round: 1,
            playerIds: ["p1"],
            submissionIds: ["s1"],
            choiceLists: [{ choices: ["A"] }],
            chosen: [0],
            elapsedMs: [1],
          },
        ],
      }),
    });
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(response.status).toBe(504);
    const error = (await response.json()) as { code: string };
    expect(error).toMatchObject({ code: "deadline_exceeded" });
    expect(error).toMatchObject({ details: [{ debug: { retryable: true } }] });
  });
});
