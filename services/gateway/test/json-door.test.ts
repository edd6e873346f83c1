/** The services as JSON over HTTP, as a generated Connect client and curl call them. */
import { fromBinary } from "@bufbuild/protobuf";
import { ErrorDetailSchema, ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { expect, test } from "vitest";
import { openSuite } from "./suite.js";

const suite = openSuite({ JSON_BODY_BYTES_MAX: "2048", ALLOWED_ORIGINS: "https://quiz.example" });

function post(method: string, body: string, headers: Record<string, string> = {}) {
  return fetch(`${suite.gateway.url}/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const QUIZ = "quiz.v1.QuizService";

test("a call answers with the response's JSON", async () => {
  const sessionId = await suite.newSession();
  const token = suite.backstage.token("spectator", "me");
  const response = await post(`${QUIZ}/GetSession`, JSON.stringify({ sessionId }), {
    ...bearer(token),
    "connect-protocol-version": "1",
    "connect-timeout-ms": "5000",
  });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("application/json");
  expect(await response.json()).toMatchObject({
    session: { sessionId, title: "Capitals", phase: "PHASE_LOBBY" },
    revision: "1",
  });
});

test("a refusal carries Connect's code, its HTTP status and the typed detail", async () => {
  const token = suite.backstage.token("spectator", "me");
  const response = await post(`${QUIZ}/GetSession`, '{"sessionId":"none"}', bearer(token));
  expect(response.status).toBe(404);
  const { code, message, details } = (await response.json()) as ConnectError;
  expect(code).toBe("not_found");
  expect(message).toBe("no session has this id");
  expect(details[0]?.type).toBe("common.v1.ErrorDetail");
  expect(details[0]?.value).not.toContain("=");
  const detail = fromBinary(ErrorDetailSchema, Buffer.from(details[0]?.value ?? "", "base64"));
  expect(detail).toMatchObject({ reason: ErrorReason.SESSION_NOT_FOUND, retryable: false });
  expect(details[0]?.debug).toMatchObject({ reason: "ERROR_REASON_SESSION_NOT_FOUND" });
});

test.each([
  ["no token", {}, 401, "unauthenticated"],
  ["a forged token", bearer("forged"), 401, "unauthenticated"],
])("a call with %s is refused", async (_, headers, status, code) => {
  const response = await post(`${QUIZ}/GetSession`, "{}", headers);
  expect(response.status).toBe(status);
  expect(((await response.json()) as ConnectError).code).toBe(code);
});

test("without a token a large body is not read", async () => {
  const response = await post(`${QUIZ}/GetSession`, "x".repeat(3_000_000));
  expect(response.status).toBe(401);
});

test("the caller's own role counts, never the gateway's", async () => {
  const answers = `{"lanes":[{"sessionId":"x","round":1,"playerIds":["p1"]}]}`;
  const token = suite.backstage.token("player", "p1", "x");
  const response = await post(`${QUIZ}/SubmitAnswers`, answers, bearer(token));
  expect(response.status).toBe(403);
  expect(((await response.json()) as ConnectError).code).toBe("permission_denied");
});

test.each([
  ["no JSON", "{", 400, "invalid_argument"],
  ["a list", "[]", 400, "invalid_argument"],
  ["an unknown field", '{"session":"x"}', 400, "invalid_argument"],
  ["a wrong type", '{"sessionId":7}', 400, "invalid_argument"],
  ["a body beyond the limit", `{"sessionId":"${"x".repeat(4_000)}"}`, 413, "resource_exhausted"],
  ["a body far beyond the limit", "x".repeat(3_000_000), 413, "resource_exhausted"],
])("%s is refused", async (_, body, status, code) => {
  const token = suite.backstage.token("admin", "root");
  const response = await post(`${QUIZ}/GetSession`, body, bearer(token));
  expect(response.status).toBe(status);
  const error = (await response.json()) as ConnectError;
  expect(error.code).toBe(code);
  expect(error.message.length).toBeLessThan(400);
});

test.each([
  ["no such method", `${QUIZ}/Dance`, 404],
  ["no such service", "quiz.v2.QuizService/GetSession", 404],
  ["a stream", `${QUIZ}/WatchSession`, 404],
])("%s is unimplemented", async (_, method, status) => {
  const response = await post(method, "{}", bearer(suite.backstage.token("admin", "root")));
  expect(response.status).toBe(status);
  expect(((await response.json()) as ConnectError).code).toBe("unimplemented");
});

test("another content type, encoding, protocol version or timeout form is refused", async () => {
  const method = `${QUIZ}/GetSession`;
  expect((await post(method, "{}", { "content-type": "application/proto" })).status).toBe(415);
  expect((await post(method, "{}", { "content-encoding": "gzip" })).status).toBe(501);
  expect((await post(method, "{}", { "connect-protocol-version": "2" })).status).toBe(400);
  expect((await post(method, "{}", { "connect-timeout-ms": "soon" })).status).toBe(400);
});

test("a service that is away is unavailable, and retryable", async () => {
  const response = await post("quizmaster.v1.QuizMasterService/ListQuizzes", "{}", {
    ...bearer(suite.backstage.token("author", "me")),
    "connect-timeout-ms": "1500",
  });
  expect(response.status).toBe(503);
  const { code, details } = (await response.json()) as ConnectError;
  expect(code).toBe("unavailable");
  expect(details[0]?.debug).toMatchObject({ retryable: true });
});

test("pages of allowed origins may call, those of others may not", async () => {
  const preflight = (origin: string) =>
    fetch(`${suite.gateway.url}/${QUIZ}/GetSession`, { method: "OPTIONS", headers: { origin } });
  const allowed = await preflight("https://quiz.example");
  expect(allowed.status).toBe(204);
  expect(allowed.headers.get("access-control-allow-origin")).toBe("https://quiz.example");
  expect(allowed.headers.get("access-control-allow-headers")).toContain("connect-protocol-version");
  const refused = await preflight("https://evil.example");
  expect(refused.status).toBe(403);
  expect(refused.headers.get("access-control-allow-origin")).toBeNull();
});

test("a client that goes away leaves the gateway alive", async () => {
  const token = suite.backstage.token("admin", "root");
  const abort = new AbortController();
  const gone = fetch(`${suite.gateway.url}/quizmaster.v1.QuizMasterService/ListQuizzes`, {
    method: "POST",
    headers: { "content-type": "application/json", ...bearer(token) },
    body: "{}",
    signal: abort.signal,
  });
  abort.abort();
  await expect(gone).rejects.toThrow();
  expect((await fetch(`${suite.gateway.url}/healthz`)).status).toBe(200);
});

interface ConnectError {
  code: string;
  message: string;
  details: { type: string; value: string; debug: unknown }[];
}
