/** Whatever a socket may say that nobody should: a typed refusal, counted, and the socket lives. */
import { expect, test } from "vitest";
import { settled } from "./gateway.js";
import { openSuite } from "./suite.js";

const suite = openSuite();

const deep = (levels: number) => `${'{"answer":'.repeat(levels)}1${"}".repeat(levels)}`;

test.each([
  ["no JSON", "hello", "MALFORMED"],
  ["half a frame", '{"answer":{"round":1', "MALFORMED"],
  ["nothing", "", "MALFORMED"],
  ["a number", "7", "MALFORMED"],
  ["null", "null", "MALFORMED"],
  ["a list", "[]", "MALFORMED"],
  ["an empty frame", "{}", "MALFORMED"],
  ["an unknown frame", '{"dance":{}}', "MALFORMED"],
  ["two frames in one", '{"ping":{"id":1},"board":{}}', "MALFORMED"],
  ["an unknown field", '{"ping":{"id":1,"extra":2}}', "MALFORMED"],
  ["a prototype", '{"__proto__":{"ping":{}}}', "MALFORMED"],
  [
    "a text for a number",
    '{"answer":{"round":"one","choices":["A"],"submissionId":"s"}}',
    "MALFORMED",
  ],
  ["a negative round", '{"answer":{"round":-1,"choices":["A"],"submissionId":"s"}}', "MALFORMED"],
  ["half a round", '{"answer":{"round":1.5,"choices":["A"],"submissionId":"s"}}', "MALFORMED"],
  ["a huge round", '{"answer":{"round":1e99,"choices":["A"],"submissionId":"s"}}', "MALFORMED"],
  [
    "a choice that is no text",
    '{"answer":{"round":1,"choices":[1],"submissionId":"s"}}',
    "MALFORMED",
  ],
  ["a choice for the list", '{"answer":{"round":1,"choices":"A","submissionId":"s"}}', "MALFORMED"],
  ["deep nesting", deep(200), "MALFORMED"],
  ["round 0", '{"answer":{"round":0,"choices":["A"],"submissionId":"s"}}', "INVALID_FIELD"],
  ["no choice", '{"answer":{"round":1,"choices":[],"submissionId":"s"}}', "INVALID_FIELD"],
  [
    "nine choices",
    `{"answer":{"round":1,"choices":${JSON.stringify("ABCDEFGHI".split(""))},"submissionId":"s"}}`,
    "INVALID_FIELD",
  ],
  [
    "a long choice",
    '{"answer":{"round":1,"choices":["ABCDEFGHI"],"submissionId":"s"}}',
    "INVALID_FIELD",
  ],
  [
    "a submission id with a dot",
    '{"answer":{"round":1,"choices":["A"],"submissionId":"a.b"}}',
    "INVALID_FIELD",
  ],
  ["no submission id", '{"answer":{"round":1,"choices":["A"]}}', "INVALID_FIELD"],
  ["a second hello", '{"hello":{"protocolVersion":1,"watch":"x"}}', "MALFORMED"],
  ["a command without one", '{"host":{"requestId":"r"}}', "FORBIDDEN"],
])("%s is refused with its reason, and the socket lives", async (_, text, reason) => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const ann = suite.use(await gateway.join(sessionId, "ann"));
  await backstage.openRound(sessionId, 1);
  await ann.next("question");
  const counted = `quiz_ws_frames_refused_total{reason="${reason}"`;
  const before = await gateway.metric(counted);
  ann.sendText(text);
  const refused = await ann.next("refused");
  expect(refused.reason).toBe(`ERROR_REASON_${reason}`);
  expect(refused.message.length).toBeGreaterThan(5);
  expect(refused.message.length).toBeLessThan(250);
  expect((await gateway.metric(counted)) - before).toBe(1);
  ann.answer(1, "A", "after");
  expect(await ann.next("accepted")).toEqual({ round: 1, submissionId: "after" });
});

test("snake-case names, and fields in any order, are as good as ours", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const ann = suite.use(await gateway.join(sessionId, "ann"));
  await backstage.openRound(sessionId, 1);
  await ann.next("question");
  ann.sendText('{"answer":{"submission_id":"a1","choices":["A"],"round":1}}');
  expect(await ann.next("accepted")).toEqual({ round: 1, submissionId: "a1" });
});

test("a binary frame is refused", async () => {
  const ann = suite.use(await suite.gateway.join(await suite.newSession(), "ann"));
  ann.sendText(Buffer.from('{"ping":{"id":1}}'));
  expect(await ann.next("refused")).toMatchObject({ reason: "ERROR_REASON_MALFORMED" });
});

test("a frame over the limit is refused as too large; far over it the socket closes", async () => {
  const { gateway } = suite;
  const ann = suite.use(await gateway.join(await suite.newSession(), "ann"));
  const before = await gateway.metric('quiz_limit_hits_total{limit="FRAME_BYTES_MAX"');
  ann.send({ ping: { id: 1 }, pad: "x".repeat(5_000) });
  expect(await ann.next("refused")).toMatchObject({ reason: "ERROR_REASON_TOO_LARGE" });
  expect((await gateway.metric('quiz_limit_hits_total{limit="FRAME_BYTES_MAX"')) - before).toBe(1);
  await settled(ann);
  ann.send({ pad: "x".repeat(1_000_000) });
  expect((await ann.closed).code).toBeGreaterThan(1_000);
  const bob = suite.use(await gateway.join(await suite.newSession(), "bob"));
  await settled(bob);
});

test("a nickname of thousands of characters is refused by the service, of a megabyte by the gateway", async () => {
  const { gateway } = suite;
  const sessionId = await suite.newSession();
  const long = suite.use(gateway.connect());
  const join = { sessionId, nickname: "n".repeat(3_000), submissionId: "s1" };
  long.send({ hello: { protocolVersion: 1, join } });
  expect(await long.next("refused")).toMatchObject({ reason: "ERROR_REASON_NAME_INVALID" });
  const huge = suite.use(gateway.connect());
  huge.send({
    hello: { protocolVersion: 1, join: { ...join, nickname: "n".repeat(1_000_000) } },
  });
  expect((await huge.closed).code).toBeGreaterThan(1_000);
});

test("before hello nothing else is taken", async () => {
  const client = suite.use(suite.gateway.connect());
  client.answer(1, "A", "a1");
  expect(await client.next("refused")).toMatchObject({
    reason: "ERROR_REASON_UNAUTHENTICATED",
    requestId: "a1",
  });
  client.send({ board: { requestId: "b1" } });
  expect(await client.next("refused")).toMatchObject({
    reason: "ERROR_REASON_UNAUTHENTICATED",
    requestId: "b1",
  });
});

test("ten frames that cannot be read close the socket for good", async () => {
  const { gateway } = suite;
  const ann = suite.use(await gateway.join(await suite.newSession(), "ann"));
  for (let frame = 0; frame < 12; frame++) ann.sendText("?");
  expect(await ann.closed).toMatchObject({ code: 4504 });
  expect(ann.all("refused")).toHaveLength(10);
  expect(await gateway.metric('quiz_limit_hits_total{limit="BAD_FRAMES_MAX"')).toBeGreaterThan(0);
});
