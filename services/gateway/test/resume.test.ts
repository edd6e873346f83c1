/** Coming back: through any gateway, in each phase, on a second device. */
import { expect, test } from "vitest";
import { until } from "./gateway.js";
import { openSuite } from "./suite.js";

const suite = openSuite();

test("who comes back is the same player and is shown the own answer, without its worth", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const ann = await gateway.join(sessionId, "ann");
  await backstage.openRound(sessionId, 1);
  await ann.next("question");
  ann.answer(1, "A", "a1");
  await ann.next("accepted");
  ann.close();
  await ann.closed;
  const other = await suite.startGateway();
  const back = suite.use(other.connect());
  back.send({ hello: { protocolVersion: 1, resumeToken: ann.resumeToken } });
  const joined = await back.next("joined");
  expect(joined).toMatchObject({ playerId: ann.playerId, nickname: "ann", points: 0, round: 1 });
  expect(joined.answer).toEqual({ round: 1, choices: ["A"], submissionId: "a1" });
  await back.next("question");
  back.answer(1, "A", "a1");
  expect(await back.next("accepted")).toEqual({ round: 1, submissionId: "a1" });
  back.answer(1, "B", "second-try");
  expect(await back.next("refused")).toMatchObject({
    reason: "ERROR_REASON_ALREADY_ANSWERED",
    requestId: "second-try",
  });
  await backstage.reveal(sessionId, 1);
  expect(await back.next("ownResult")).toMatchObject({ correct: true, points: 900, total: 900 });
});

test("who comes back during the reveal gets it, with the own result and the points before it", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const ann = await gateway.join(sessionId, "ann");
  await backstage.openRound(sessionId, 1);
  await ann.next("question");
  ann.answer(1, "A", "a1");
  await ann.next("accepted");
  ann.close();
  await ann.closed;
  await backstage.reveal(sessionId, 1);
  const back = suite.use(gateway.connect());
  back.send({ hello: { protocolVersion: 1, resumeToken: ann.resumeToken } });
  expect(await back.next("joined")).toMatchObject({ phase: "PHASE_REVEAL", points: 0, rank: 2 });
  expect(await back.next("reveal")).toMatchObject({ round: 1 });
  expect(await back.next("ownResult")).toMatchObject({ points: 900, total: 900, stale: false });
});

test("an answer whose verdict got lost counts at the reveal, found in the log", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const ann = await gateway.join(sessionId, "ann");
  await backstage.openRound(sessionId, 1);
  await ann.next("question");
  let release = () => {};
  backstage.director.answersGate = new Promise((resolve) => {
    release = resolve;
  });
  ann.answer(1, "A", "a1");
  await until(
    "the answer to be on its way",
    () => backstage.director.batches.at(-1)?.[0]?.submissionId === "a1",
  );
  const other = await suite.startGateway();
  const back = suite.use(other.connect());
  back.send({ hello: { protocolVersion: 1, resumeToken: ann.resumeToken } });
  expect((await back.next("joined")).answer).toBeUndefined();
  release();
  await until(
    "the answer to be stored",
    () => backstage.director.session(sessionId).answers.size > 0,
  );
  await backstage.reveal(sessionId, 1);
  expect(await back.next("ownResult")).toMatchObject({ answered: true, points: 900, total: 900 });
});

test("on a second device the newer connection wins", async () => {
  const { gateway } = suite;
  const sessionId = await suite.newSession();
  const first = suite.use(await gateway.join(sessionId, "ann"));
  const second = suite.use(await gateway.resume(first.resumeToken));
  expect(await first.closed).toMatchObject({ code: 4502 });
  second.send({ ping: { id: 1 } });
  expect(await second.next("pong")).toMatchObject({ id: 1 });
});

test("on a second device at another gateway the newer connection wins, too", async () => {
  const { gateway } = suite;
  const sessionId = await suite.newSession();
  const other = await suite.startGateway();
  const first = suite.use(await gateway.join(sessionId, "ann"));
  const second = suite.use(await other.resume(first.resumeToken));
  expect(await first.closed).toMatchObject({ code: 4502 });
  const third = suite.use(await gateway.resume(first.resumeToken));
  expect(await second.closed).toMatchObject({ code: 4502 });
  third.send({ ping: { id: 3 } });
  expect(await third.next("pong")).toMatchObject({ id: 3 });
});

test("of many connections at the same time on two gateways exactly one stays", async () => {
  const { gateway } = suite;
  const sessionId = await suite.newSession();
  const other = await suite.startGateway();
  const first = suite.use(await gateway.join(sessionId, "ann"));
  const clients = Array.from({ length: 10 }, (_, index) => {
    const client = suite.use((index % 2 ? gateway : other).connect());
    client.send({ hello: { protocolVersion: 1, resumeToken: first.resumeToken } });
    return client;
  });
  const open = () => [first, ...clients].filter(({ socket }) => socket.readyState <= 1);
  await Promise.all(clients.map((client) => client.next("joined")));
  await until("one to be left", () => open().length === 1);
  open()[0]?.send({ ping: { id: 7 } });
  expect(await open()[0]?.next("pong")).toMatchObject({ id: 7 });
});

test("who was removed may not come back, and says why", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const ann = await gateway.join(sessionId, "ann");
  ann.close();
  backstage.kick(sessionId, ann.playerId);
  const back = suite.use(gateway.connect());
  back.send({ hello: { protocolVersion: 1, resumeToken: ann.resumeToken } });
  expect(await back.next("refused")).toMatchObject({ reason: "ERROR_REASON_KICKED" });
  expect(await back.closed).toMatchObject({ code: 4503 });
});
