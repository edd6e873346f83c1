/** Who gets in, who does not, and what each of those who don't is told. */
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Phase } from "@fanfare/proto/quiz/v1/session";
import { expect, test } from "vitest";
import { openSuite } from "./suite.js";

const suite = openSuite();

async function refusedHello(hello: unknown) {
  const client = suite.use(suite.gateway.connect());
  client.send({ hello });
  const { reason, retryable, retryAfterMs } = await client.next("refused");
  return { reason, retryable, retryAfterMs, code: (await client.closed).code };
}

const join = (more: object) => ({
  protocolVersion: 1,
  join: { nickname: "ann", submissionId: "s1", ...more },
});

test("a PIN that leads nowhere is not found", async () => {
  expect(await refusedHello(join({ pin: "999999" }))).toMatchObject({
    reason: "ERROR_REASON_SESSION_NOT_FOUND",
    code: 4505,
  });
  expect(await refusedHello(join({ pin: "12" }))).toMatchObject({
    reason: "ERROR_REASON_SESSION_NOT_FOUND",
  });
});

test("a PIN is taken in digits of every script, with spaces and dashes, of whatever length", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  await backstage.putSession(sessionId, { pin: "1618034" });
  const typed = [
    "١٦١٨٠٣٤",
    "۱۶۱۸۰۳۴",
    "१६१८०३४",
    "১৬১৮০৩৪",
    "๑๖๑๘๐๓๔",
    "１６１ ８０３４",
    " 161-80 34",
    "1618034",
  ];
  for (const [i, pin] of typed.entries()) {
    const client = suite.use(gateway.connect());
    client.send({ hello: join({ pin, nickname: `n${i}`, submissionId: `s${i}` }) });
    expect((await client.next("joined")).sessionId).toBe(sessionId);
  }
});

test("a PIN is asked for once by all who come within seconds", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  await backstage.putSession(sessionId, { pin: "271828" });
  const asked = () => backstage.director.calls.filter((call) => call === "resolvePin").length;
  const before = asked();
  const clients = Array.from({ length: 20 }, (_, index) => {
    const client = suite.use(gateway.connect());
    client.send({
      hello: join({ pin: "271828", nickname: `n${index}`, submissionId: `s${index}` }),
    });
    return client;
  });
  for (const client of clients) expect((await client.next("joined")).sessionId).toBe(sessionId);
  expect(asked() - before).toBe(1);
});

test.each([
  ["a name with dots", "a.b", "ERROR_REASON_INVALID_FIELD"],
  ["a wildcard", "*", "ERROR_REASON_INVALID_FIELD"],
  ["an emoji", "😀", "ERROR_REASON_INVALID_FIELD"],
  ["one that nobody has", "no_such_session", "ERROR_REASON_SESSION_NOT_FOUND"],
])("a session id that is %s is refused", async (_, sessionId, reason) => {
  expect(await refusedHello(join({ sessionId }))).toMatchObject({ reason, code: 4505 });
});

test("a name that is taken is refused, and the same join sent again is the same player", async () => {
  const { gateway } = suite;
  const sessionId = await suite.newSession();
  const ann = suite.use(await gateway.join(sessionId, "ann"));
  expect(await refusedHello(join({ sessionId, submissionId: "other" }))).toMatchObject({
    reason: "ERROR_REASON_NAME_TAKEN",
    retryable: false,
  });
  const again = suite.use(await gateway.join(sessionId, "ann"));
  expect(again.playerId).toBe(ann.playerId);
});

test("another protocol version is refused with the one that is spoken", async () => {
  expect(await refusedHello({ protocolVersion: 2, watch: "x" })).toMatchObject({
    reason: "ERROR_REASON_UNSUPPORTED_VERSION",
    code: 4506,
  });
});

test("forged, foreign and misused tokens are refused", async () => {
  const { backstage } = suite;
  const sessionId = await suite.newSession();
  const other = await suite.newSession();
  const v1 = { protocolVersion: 1 };
  const unauthenticated = { reason: "ERROR_REASON_UNAUTHENTICATED", code: 4501 };
  const forbidden = { reason: "ERROR_REASON_FORBIDDEN", code: 4501 };
  expect(await refusedHello({ ...v1, token: "forged" })).toMatchObject(unauthenticated);
  expect(await refusedHello({ ...v1, resumeToken: "forged" })).toMatchObject(unauthenticated);
  const host = backstage.token("host", "anna", other);
  expect(await refusedHello({ ...v1, token: host, sessionId })).toMatchObject(forbidden);
  expect(await refusedHello({ ...v1, resumeToken: host })).toMatchObject(forbidden);
  const stranger = backstage.token("host", "bertha");
  expect(await refusedHello({ ...v1, token: stranger, sessionId })).toMatchObject(forbidden);
  const player = backstage.token("player", "p1", sessionId);
  expect(await refusedHello({ ...v1, token: player })).toMatchObject(forbidden);
  const service = backstage.token("service", "pod");
  expect(await refusedHello({ ...v1, token: service, sessionId })).toMatchObject(forbidden);
});

test("the token of who created the session is a host's, an admin's is good for any", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  for (const [role, subject] of [
    ["host", "anna"],
    ["admin", "root"],
  ] as const) {
    const client = suite.use(gateway.connect());
    client.send({
      hello: { protocolVersion: 1, token: backstage.token(role, subject), sessionId },
    });
    expect(await client.next("joined")).toMatchObject({ sessionId, role, playerId: "" });
  }
});

test("while the quiz service is away a join is refused as retryable, with a code to come back", async () => {
  const { backstage } = suite;
  const sessionId = await suite.newSession();
  backstage.director.quizIsAway = true;
  const refused = await refusedHello(join({ sessionId }));
  backstage.director.quizIsAway = false;
  expect(refused).toMatchObject({
    reason: "ERROR_REASON_UNAVAILABLE",
    retryable: true,
    code: 4003,
  });
});

test("a late joiner gets the open question with the true time left", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const ann = suite.use(await gateway.join(sessionId, "ann"));
  await backstage.openRound(sessionId, 1, 20);
  const asked = await ann.next("question");
  const late = suite.use(await gateway.join(sessionId, "bob"));
  expect(await late.next("question")).toEqual(asked);
});

test("a gateway that meets a round in its middle takes the time that passed from the common clock", async () => {
  const { backstage } = suite;
  const sessionId = await suite.newSession();
  const startedAt = Date.now() - 3_000;
  await backstage.openRound(sessionId, 1, 20, { phaseStartedAt: timestampFromMs(startedAt) });
  const second = await suite.startGateway();
  const late = suite.use(await second.join(sessionId, "bob"));
  await late.next("question");
  late.answer(1, "A", "b1");
  await late.next("accepted");
  const passedMs = Date.now() - startedAt;
  const stored = backstage.director.session(sessionId).answers.get(`1 ${late.playerId}`);
  expect(Math.abs((stored?.elapsedMs ?? 0) - passedMs)).toBeLessThan(500);
});

test("joins that come together are few calls", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const calls = () => backstage.director.calls.filter((call) => call.startsWith("joinSession"));
  const before = calls().length;
  const players = await Promise.all(
    Array.from({ length: 40 }, (_, index) => gateway.join(sessionId, `crowd${index}`)),
  );
  for (const player of players) suite.use(player);
  expect(calls().length - before).toBeLessThan(20);
});

test("a session that has ended shows its end to watchers", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const endedAt = timestampFromMs(Date.now() - 60_000);
  await backstage.putSession(sessionId, { phase: Phase.ENDED, round: 3, endedAt });
  const watcher = suite.use(await gateway.watch(sessionId));
  expect(await watcher.next("ended", 1_000)).toMatchObject({
    boardPath: `/livescore/${sessionId}`,
  });
});

test("a spectator is told no PIN, a host is", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  await backstage.putSession(sessionId, { pin: "577215" });
  const pinFor = async (hello: object) => {
    const client = suite.use(gateway.connect());
    client.send({ hello: { protocolVersion: 1, ...hello } });
    return (await client.next("joined")).pin;
  };
  expect(await pinFor({ watch: sessionId })).toBe("");
  expect(await pinFor({ token: backstage.token("spectator", "eve"), sessionId })).toBe("");
  expect(await pinFor({ token: backstage.token("host", "anna"), sessionId })).toBe("577215");
  expect(await pinFor({ token: backstage.token("admin", "root"), sessionId })).toBe("577215");
});
