/** What a player is told of the own answer is true, also of one that is on its way, or can't be read. */
import type { Standing } from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import { expect, test } from "vitest";
import { rows } from "./backstage.js";
import { until } from "./gateway.js";
import { openSuite } from "./suite.js";

const suite = openSuite();

/** Ann in round 1, whose answer is on its way through the first gateway until `release`. */
async function answerOnItsWay() {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const ann = suite.use(await gateway.join(sessionId, "ann"));
  await backstage.openRound(sessionId, 1);
  await ann.next("question");
  let release = () => {};
  backstage.director.answersGate = new Promise((resolve) => {
    release = resolve;
  });
  ann.answer(1, "A", "a1");
  await until("it to be on its way", () => {
    return backstage.director.batches.at(-1)?.[0]?.playerId === ann.playerId;
  });
  return { backstage, sessionId, ann, release };
}

test("who comes back before the own answer is told that it may come, and then that it has", async () => {
  const { ann, release, backstage, sessionId } = await answerOnItsWay();
  const other = await suite.startGateway();
  const back = suite.use(other.connect());
  back.send({ hello: { protocolVersion: 1, resumeToken: ann.resumeToken } });
  const joined = await back.next("joined");
  expect(joined.answer).toBeUndefined();
  expect(joined.answerState).toBe("ANSWER_STATE_PENDING");
  release();
  expect(await back.next("accepted")).toEqual({ round: 1, submissionId: "a1" });
  await backstage.reveal(sessionId, 1);
  expect(await back.next("ownResult")).toMatchObject({
    answerState: "ANSWER_STATE_STORED",
    points: 900,
  });
});

test("an answer that got lost with its gateway is told as none by the reveal, and never before", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const ann = await gateway.join(sessionId, "ann");
  await backstage.openRound(sessionId, 1);
  const back = suite.use(gateway.connect());
  back.send({ hello: { protocolVersion: 1, resumeToken: ann.resumeToken } });
  expect((await back.next("joined")).answerState).toBe("ANSWER_STATE_PENDING");
  await backstage.reveal(sessionId, 1);
  expect(await back.next("ownResult")).toMatchObject({
    answerState: "ANSWER_STATE_NONE",
    answered: false,
  });
  const later = suite.use(gateway.connect());
  later.send({ hello: { protocolVersion: 1, resumeToken: ann.resumeToken } });
  expect((await later.next("joined")).answerState).toBe("ANSWER_STATE_NONE");
});

test("a join that is sent again, as its reply got lost, tells of the answer given since", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  await backstage.openRound(sessionId, 1);
  const ann = suite.use(await gateway.join(sessionId, "ann"));
  expect(ann.all("joined")[0]?.answerState).toBe("ANSWER_STATE_NONE");
  await ann.next("question");
  ann.answer(1, "A", "a1");
  await ann.next("accepted");
  const again = suite.use(gateway.connect());
  const join = { sessionId, nickname: "ann", submissionId: "join-ann" };
  again.send({ hello: { protocolVersion: 1, join } });
  expect(await again.next("joined")).toMatchObject({
    playerId: ann.playerId,
    answerState: "ANSWER_STATE_STORED",
    answer: { round: 1, submissionId: "a1" },
  });
});

test("while the log can't be asked the result is told as not known, and later as it is", async () => {
  const { backstage, gateway } = suite;
  const { ann, release, sessionId } = await answerOnItsWay();
  const bob = suite.use(await gateway.join(sessionId, "bob"));
  const other = await suite.startGateway();
  const back = suite.use(await other.resume(ann.resumeToken));
  backstage.director.lookUpsFail = Number.POSITIVE_INFINITY;
  release();
  await until("it to be stored", () => backstage.director.session(sessionId).answers.size === 1);
  await backstage.reveal(sessionId, 1);
  for (const client of [back, bob]) {
    const result = await client.next("ownResult");
    expect(result).toMatchObject({ round: 1, answerState: "ANSWER_STATE_PENDING" });
  }
  backstage.director.lookUpsFail = 0;
  expect(await back.next("ownResult", 10_000)).toMatchObject({
    answerState: "ANSWER_STATE_STORED",
    answered: true,
    points: 900,
    total: 900,
    stale: false,
  });
  const nothing = { answerState: "ANSWER_STATE_NONE", answered: false };
  expect(await bob.next("ownResult", 10_000)).toMatchObject(nothing);
});

test("where the host skips on at once, the answer to the round before is still found", async () => {
  const { backstage } = suite;
  const { ann, release, sessionId } = await answerOnItsWay();
  const other = await suite.startGateway();
  const back = suite.use(await other.resume(ann.resumeToken));
  backstage.director.lookUpsFail = 3;
  release();
  await until("it to be stored", () => backstage.director.session(sessionId).answers.size === 1);
  await backstage.reveal(sessionId, 1);
  await backstage.openRound(sessionId, 2);
  expect(await back.next("question")).toMatchObject({ round: 1 });
  expect(await back.next("question")).toMatchObject({ round: 2 });
  await until("the result", () => {
    return back.all("ownResult").some(({ answerState }) => answerState === "ANSWER_STATE_STORED");
  });
  expect(back.all("ownResult").at(-1)).toMatchObject({ round: 1, points: 900 });
  for (const { answerState } of back.all("ownResult"))
    expect(answerState).not.toBe("ANSWER_STATE_NONE");
});

test("a phase that comes while a player comes back is not shown with an answer from before it", async () => {
  const { backstage } = suite;
  const { ann, release, sessionId } = await answerOnItsWay();
  const other = await suite.startGateway();
  suite.use(await other.watch(sessionId));
  let resume = () => {};
  backstage.director.resumeGate = new Promise((resolve) => {
    resume = resolve;
  });
  const calls = backstage.director.calls.length;
  const back = suite.use(other.connect());
  back.send({ hello: { protocolVersion: 1, resumeToken: ann.resumeToken } });
  const asked = () => backstage.director.calls.slice(calls).includes("resumeSession 1");
  await until("the resume to be on its way", asked);
  release();
  await until("it to be stored", () => backstage.director.session(sessionId).answers.size === 1);
  const reveals = suite.use(await other.watch(sessionId));
  await backstage.reveal(sessionId, 1);
  await reveals.next("reveal");
  resume();
  expect(await back.next("joined")).toMatchObject({
    phase: "PHASE_REVEAL",
    answerState: "ANSWER_STATE_PENDING",
  });
  expect(await back.next("ownResult")).toMatchObject({ answerState: "ANSWER_STATE_PENDING" });
  expect(await back.next("ownResult", 10_000)).toMatchObject({
    answerState: "ANSWER_STATE_STORED",
    points: 900,
  });
});

test("with a live board the points told on return are those before the open round", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  await backstage.putSession(sessionId, { options: { lanes: 1, boardSize: 10, liveBoard: true } });
  const ann = await gateway.join(sessionId, "ann");
  await backstage.openRound(sessionId, 2);
  await ann.next("question");
  ann.answer(2, "A", "a1");
  await ann.next("accepted");
  const staged = backstage.director.session(sessionId);
  const stored = staged.answers.get(`2 ${ann.playerId}`);
  if (stored) stored.position = 70n;
  staged.finalRound = 1;
  const standing = { ...(rows(1)[0] as Standing), playerId: ann.playerId };
  const points = async (total: number, ...positions: [bigint, bigint][]) => {
    staged.standings = [{ ...standing, points: total }];
    staged.scores = positions.map(([scoresFrom, scoresTo]) => ({ scoresFrom, scoresTo }));
    const back = suite.use(gateway.connect());
    back.send({ hello: { protocolVersion: 1, resumeToken: ann.resumeToken } });
    return (await back.next("joined")).points;
  };
  // Of 500 points before, and 900 for the answer: not on the board yet, on it, and perhaps on it.
  expect(await points(500, [69n, 69n])).toBe(500);
  expect(await points(1_400, [70n, 70n])).toBe(500);
  expect(await points(1_400, [60n, 80n], [80n, 80n])).toBe(500);
});

test("a resume token of an earlier session of the id lets nobody into the next one", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const ann = await gateway.join(sessionId, "ann");
  await backstage.putSession(sessionId, { logStart: 99n });
  await ann.closed;
  const back = suite.use(gateway.connect());
  back.send({ hello: { protocolVersion: 1, resumeToken: ann.resumeToken } });
  expect(await back.next("refused")).toMatchObject({ reason: "ERROR_REASON_PLAYER_NOT_FOUND" });
});
