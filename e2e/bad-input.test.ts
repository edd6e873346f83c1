/** Bad input at the front doors: a typed refusal that says what was wrong; the process lives and counts it. */

import { afterAll, beforeAll, expect, test } from "vitest";
import WebSocket from "ws";
import { openSession, type Stage, startStage, until } from "./stage.js";

let stage: Stage;
let gatewayPid: number | undefined;

beforeAll(async () => {
  stage = await startStage();
  gatewayPid = stage.stack.process("gateway-1").pid;
  await openSession(stage, "bad", 1);
});

afterAll(() => stage?.[Symbol.asyncDispose]());

interface Refusal {
  refused?: { reason: string; message: string };
}

/** Sends texts on one socket and gives the reason of each refusal, or the close code. */
async function say(...texts: (string | Buffer)[]): Promise<string[]> {
  const url = (stage.stack.gatewayUrls[0] ?? "").replace("http", "ws");
  const socket = new WebSocket(`${url}/v1/socket`);
  const heard: string[] = [];
  let ended = false;
  socket.on("message", (data) => {
    const { refused } = JSON.parse(String(data)) as Refusal;
    if (!refused) return;
    expect(refused.message.length).toBeGreaterThan(5);
    heard.push(refused.reason.replace("ERROR_REASON_", ""));
  });
  socket.on("close", (code) => {
    heard.push(String(code));
    ended = true;
  });
  socket.on("error", () => {});
  await new Promise((resolve) => socket.once("open", resolve));
  for (const text of texts) {
    const before = heard.length;
    if (ended) break;
    socket.send(text);
    await until(() => heard.length > before, 5_000);
  }
  socket.close();
  return heard;
}

const hello = (join: object) =>
  JSON.stringify({
    hello: { protocolVersion: 1, join: { sessionId: "bad", submissionId: "x", ...join } },
  });

test.each([
  ["broken JSON", '{"hello":', "MALFORMED"],
  ["no JSON", "hello", "MALFORMED"],
  ["an array", "[]", "MALFORMED"],
  ["an unknown frame", '{"jump":{}}', "MALFORMED"],
  [
    "an unknown field",
    '{"hello":{"protocolVersion":1,"join":{"sessionId":"bad"},"color":1}}',
    "MALFORMED",
  ],
  ["a wrong type", '{"hello":{"protocolVersion":"one"}}', "MALFORMED"],
  ["a negative version", '{"hello":{"protocolVersion":-1}}', "MALFORMED"],
  ["an unknown version", '{"hello":{"protocolVersion":2,"watch":"bad"}}', "UNSUPPORTED_VERSION"],
  ["two frames in one", '{"ping":{"id":1},"hello":{}}', "MALFORMED"],
  ["an empty nickname", hello({ nickname: "" }), "NAME_INVALID"],
  ["a nickname that is too long", hello({ nickname: "n".repeat(25) }), "NAME_INVALID"],
  ["a bidi override in a nickname", hello({ nickname: "a\u202eb" }), "NAME_INVALID"],
  ["an id with dots", hello({ nickname: "Ann", sessionId: "a.b" }), "SESSION_NOT_FOUND"],
  ["an id with a star", hello({ nickname: "Ann", sessionId: "*" }), "SESSION_NOT_FOUND"],
  ["a wrong PIN", hello({ nickname: "Ann", sessionId: "", pin: "000000" }), "SESSION_NOT_FOUND"],
  ["a forged token", '{"hello":{"protocolVersion":1,"token":"forged"}}', "UNAUTHENTICATED"],
  [
    "a forged resume token",
    '{"hello":{"protocolVersion":1,"resumeToken":"forged"}}',
    "UNAUTHENTICATED",
  ],
  ["a frame that is too large", `{"hello":"${"x".repeat(8_000)}"}`, "TOO_LARGE"],
])("%s is refused", async (_, text, reason) => {
  const [first] = await say(text);
  // An id that is no token may be called invalid or unknown: nothing can have it.
  const also = reason === "SESSION_NOT_FOUND" ? ["INVALID_FIELD"] : [];
  expect([reason, ...also]).toContain(first);
});

test("a megabyte ends the connection, a binary frame is refused, and the process lives", async () => {
  expect((await say(hello({ nickname: "n".repeat(1_000_000) }))).at(-1)).toMatch(/^(1009|1006)$/);
  expect((await say(Buffer.from([1, 2, 3])))[0]).toBe("MALFORMED");
  expect((await say(...Array.from({ length: 12 }, () => "garbage"))).at(-1)).toMatch(/^45/);
  expect(stage.stack.process("gateway-1").pid).toBe(gatewayPid);
  const metrics = await (
    await fetch(`${stage.stack.process("gateway-1").adminUrl}/metrics`)
  ).text();
  expect(metrics).toMatch(/quiz_limit_hits_total\{[^}]*limit="FRAME_BYTES_MAX"/);
  expect(metrics).toMatch(/quiz_limit_hits_total\{[^}]*limit="BAD_FRAMES_MAX"/);
});

test.each([
  ["broken JSON", "quiz.v1.QuizService/GetSession", "{", 400, "invalid_argument"],
  ["an unknown field", "quiz.v1.QuizService/GetSession", '{"color":1}', 400, "invalid_argument"],
  ["an unknown method", "quiz.v1.QuizService/Fly", "{}", 404, "unimplemented"],
  ["a stream", "quiz.v1.QuizService/WatchSession", "{}", 404, "unimplemented"],
  ["an unknown session", "quiz.v1.QuizService/GetSession", '{"sessionId":"no"}', 404, "not_found"],
  [
    "a quiz without questions",
    "quiz.v1.QuizService/CreateSession",
    '{"quiz":{"title":"T"}}',
    400,
    "invalid_argument",
  ],
  [
    "a negative number",
    "quiz.v1.QuizService/CreateSession",
    '{"quizId":"x","options":{"roundSeconds":-5}}',
    400,
    "invalid_argument",
  ],
])("the JSON door refuses %s", async (_, method, body, status, code) => {
  const response = await fetch(`${stage.stack.gatewayUrls[0]}/${method}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${stage.stack.adminToken}`,
    },
    body,
  });
  const error = (await response.json()) as { code: string; message: string };
  expect([response.status >= 400, error.code]).toEqual([true, code]);
  if (status !== 404) expect(response.status).toBe(status);
  expect(error.message.length).toBeGreaterThan(5);
});

test("without a token nothing that needs one works", async () => {
  for (const method of [
    "quiz.v1.QuizService/CreateSession",
    "quiz.v1.QuizService/ListSessions",
    "quiz.v1.QuizService/SubmitAnswers",
    "quizmaster.v1.QuizMasterService/ListQuizzes",
    "leaderboard.v1.LeaderboardService/RebuildLeaderboard",
  ]) {
    const response = await fetch(`${stage.stack.gatewayUrls[0]}/${method}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    expect([method, response.status]).toEqual([method, 401]);
  }
});
