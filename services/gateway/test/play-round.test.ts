/** A round from the lobby to the podium, as players, spectators and the gateway's counters see it. */
import { Phase } from "@fanfare/proto/quiz/v1/session";
import { expect, test } from "vitest";
import { rows } from "./backstage.js";
import { settled, until } from "./gateway.js";
import { openSuite } from "./suite.js";

const suite = openSuite();

test("the first frame says how to talk, and joined says who one is", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  await backstage.putSession(sessionId, { pin: "314159" });
  const player = suite.use(gateway.connect());
  const hello = await player.next("hello");
  expect(hello).toMatchObject({ protocolVersion: 1, heartbeatSeconds: 16 });
  expect(Math.abs(Date.parse(hello.serverTime) - Date.now())).toBeLessThan(2_000);
  const join = { pin: "314159", nickname: "ann", submissionId: "s1" };
  player.send({ hello: { protocolVersion: 1, join } });
  const joined = await player.next("joined");
  expect(joined).toMatchObject({
    sessionId,
    nickname: "ann",
    role: "player",
    phase: "PHASE_LOBBY",
    rounds: 3,
    pin: "314159",
  });
  expect(joined.resumeToken.length).toBeGreaterThan(40);
  expect(await player.next("lobby")).toEqual({ players: 0, locked: false });
});

test("an answer is accepted once it is durable, and told right or wrong only after the reveal", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const ann = suite.use(await gateway.join(sessionId, "ann"));
  const bob = suite.use(await gateway.join(sessionId, "bob"));
  const cid = suite.use(await gateway.join(sessionId, "cid"));
  await backstage.openRound(sessionId, 1);
  const question = await ann.next("question");
  expect(question).toMatchObject({ round: 1, rounds: 3, timeLimitMs: 20_000 });
  expect(question.question.options).toHaveLength(2);
  ann.answer(1, "A", "a1");
  bob.answer(1, "B", "b1");
  expect(await ann.next("accepted")).toEqual({ round: 1, submissionId: "a1" });
  expect(await bob.next("accepted")).toEqual({ round: 1, submissionId: "b1" });
  await settled(ann);
  for (const text of [...ann.texts, ...bob.texts])
    expect(text).not.toMatch(/correct|points":9|"answer":\[|reveal|ownResult/i);
  await backstage.reveal(sessionId, 1);
  expect((await ann.next("reveal")).reveal).toMatchObject({ answer: ["A"], answers: 2 });
  expect(await ann.next("ownResult")).toEqual({
    round: 1,
    answered: true,
    correct: true,
    points: 900,
    total: 900,
    rank: 1,
    change: 1,
    gap: 5,
    streak: 1,
    players: 2,
    stale: false,
    answerState: "ANSWER_STATE_STORED",
  });
  expect(await bob.next("ownResult")).toMatchObject({ answered: true, correct: false, points: 0 });
  expect(await cid.next("ownResult")).toMatchObject({
    answered: false,
    points: 0,
    rank: 0,
    answerState: "ANSWER_STATE_NONE",
  });
  expect(await cid.next("board")).toMatchObject({ finalRound: 1, players: 2, stale: false });
  expect(ann.frames.findIndex((frame) => "reveal" in frame)).toBeLessThan(
    ann.frames.findIndex((frame) => "ownResult" in frame),
  );
});

test("the elapsed time is the gateway's: from the question here to the answer's arrival", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const ann = suite.use(await gateway.join(sessionId, "ann"));
  await backstage.openRound(sessionId, 1);
  await ann.next("question");
  const shownAt = performance.now();
  await until("some time", () => performance.now() - shownAt > 300);
  ann.answer(1, "A", "a1");
  await ann.next("accepted");
  const stored = backstage.director.session(sessionId).answers.get(`1 ${ann.playerId}`);
  expect(stored?.elapsedMs).toBeGreaterThanOrEqual(295);
  expect(stored?.elapsedMs).toBeLessThan(600);
});

test("a room's frame is encoded once, however many sockets it has", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const players = await Promise.all(
    Array.from({ length: 40 }, (_, index) => gateway.join(sessionId, `player${index}`)),
  );
  for (const player of players) suite.use(player);
  const encodes = (type: string) => gateway.metric(`quiz_ws_frames_encoded_total{type="${type}"`);
  const sent = (type: string) => gateway.metric(`quiz_ws_frames_sent_total{type="${type}"`);
  const before = { encodes: await encodes("question"), sent: await sent("question") };
  await backstage.openRound(sessionId, 1);
  await Promise.all(players.map((player) => player.next("question")));
  expect((await encodes("question")) - before.encodes).toBe(1);
  expect((await sent("question")) - before.sent).toBe(40);
});

test("answers of some milliseconds travel as one call", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const players = await Promise.all(
    Array.from({ length: 30 }, (_, index) => gateway.join(sessionId, `player${index}`)),
  );
  await backstage.openRound(sessionId, 1);
  await Promise.all(players.map((player) => suite.use(player).next("question")));
  const before = backstage.director.batches.length;
  for (const player of players) player.answer(1, "A", "only");
  await Promise.all(players.map((player) => player.next("accepted")));
  const batches = backstage.director.batches.slice(before);
  expect(batches.reduce((sum, { length }) => sum + length, 0)).toBe(30);
  expect(batches.length).toBeLessThan(15);
});

test("a reading phase shows the question without options, then with them", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const ann = suite.use(await gateway.join(sessionId, "ann"));
  await backstage.openRound(sessionId, 1, 20, {
    phase: Phase.READING,
    question: { type: 1, text: "Capital?", options: [] },
  });
  const reading = await ann.next("question");
  expect(reading.question.options).toEqual([]);
  expect(reading.closesAt).toBeUndefined();
  ann.answer(1, "A", "early");
  expect(await ann.next("refused")).toMatchObject({
    reason: "ERROR_REASON_ROUND_NOT_OPEN",
    retryable: true,
    requestId: "early",
  });
  await backstage.openRound(sessionId, 1);
  const open = await ann.next("question");
  expect(open.question.options).toHaveLength(2);
  expect(Date.parse(open.closesAt)).toBeGreaterThan(Date.now() + 15_000);
});

test("a pause refuses answers, and the question comes again when it goes on", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const ann = suite.use(await gateway.join(sessionId, "ann"));
  await backstage.openRound(sessionId, 1);
  await ann.next("question");
  await backstage.putSession(sessionId, { paused: true, pausedRemainingMs: 12_000 });
  expect(await ann.next("paused")).toEqual({ remainingMs: 12_000 });
  ann.answer(1, "A", "a1");
  expect(await ann.next("refused")).toMatchObject({ reason: "ERROR_REASON_ROUND_NOT_OPEN" });
  await backstage.openRound(sessionId, 1, 20, { paused: false, elapsedBeforeMs: 8_000 });
  await ann.next("question");
  ann.answer(1, "A", "a1");
  await ann.next("accepted");
  const stored = backstage.director.session(sessionId).answers.get(`1 ${ann.playerId}`);
  expect(stored?.elapsedMs).toBeGreaterThanOrEqual(8_000);
  expect(stored?.elapsedMs).toBeLessThan(9_000);
});

test("without the leaderboard results are told as stale, and told again when it is back", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const ann = suite.use(await gateway.join(sessionId, "ann"));
  await backstage.openRound(sessionId, 1);
  await ann.next("question");
  ann.answer(1, "A", "a1");
  await ann.next("accepted");
  backstage.director.leaderboardIsAway = true;
  await backstage.putSession(sessionId, {
    phase: Phase.REVEAL,
    reveal: { answer: ["A"], answers: 1 },
  });
  expect(await ann.next("ownResult")).toMatchObject({ correct: true, points: 900, stale: true });
  expect(await ann.next("board", 2_000)).toMatchObject({ stale: true });
  backstage.director.leaderboardIsAway = false;
  await backstage.reveal(sessionId, 1);
  expect(await ann.next("ownResult")).toMatchObject({ total: 900, rank: 1, stale: false });
  expect(await ann.next("board")).toMatchObject({ stale: false, finalRound: 1 });
});

test("a board that does not hold a closed round is called stale after a while, once", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const watcher = suite.use(await gateway.watch(sessionId));
  await backstage.publishBoard(sessionId, { standings: rows(1) });
  expect(await watcher.next("board")).toMatchObject({ stale: false });
  await backstage.openRound(sessionId, 1);
  await backstage.putSession(sessionId, { phase: Phase.REVEAL, reveal: { answer: ["A"] } });
  expect(await watcher.next("board")).toMatchObject({ stale: true, standings: [{ rank: 1 }] });
  await backstage.publishBoard(sessionId, { standings: rows(1), finalRound: 1, round: 1 });
  expect(await watcher.next("board")).toMatchObject({ stale: false });
});

test("the end shows the podium of the last board, and where the board stays", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const ann = suite.use(await gateway.join(sessionId, "ann"));
  await backstage.openRound(sessionId, 1);
  await backstage.reveal(sessionId, 1);
  await ann.next("ownResult");
  await backstage.putSession(sessionId, { phase: Phase.ENDED, pin: "" });
  await backstage.publishBoard(sessionId, { standings: rows(9), finalRound: 1, ended: true });
  const ended = await ann.next("ended");
  expect(ended.boardPath).toBe(`/livescore/${sessionId}`);
  expect(ended.podium.map((row: { rank: number }) => row.rank)).toEqual([1, 2, 3, 4, 5]);
  const late = suite.use(await gateway.watch(sessionId));
  expect(await late.next("ended")).toEqual(ended);
});

test("a ban behind the end takes the player off podium, board and live table, for all who are there", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const watcher = suite.use(await gateway.watch(sessionId));
  const live = suite.use(gateway.connect(`/livescore/${sessionId}`));
  await backstage.putSession(sessionId, { phase: Phase.ENDED, pin: "" });
  const standings = rows(3);
  await backstage.publishBoard(sessionId, { standings, finalRound: 1, ended: true });
  expect((await watcher.next("ended")).podium).toHaveLength(3);
  const left = standings.slice(1).map((row) => ({ ...row, rank: row.rank - 1 }));
  await backstage.publishBoard(sessionId, { standings: left, finalRound: 1, ended: true });
  const { podium } = await watcher.next("ended");
  expect(podium.map((row: { playerId: string }) => row.playerId)).toEqual(["id1", "id2"]);
  await until("the live table", () => JSON.parse(live.texts.at(-1) ?? "[]").length === 2);
  const late = suite.use(await gateway.watch(sessionId));
  expect((await late.next("ended")).podium).toEqual(podium);
});

test("counts of a lobby come at most twice a second, and never one for each player", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const ann = suite.use(await gateway.join(sessionId, "ann"));
  const startedAt = performance.now();
  for (let joined = 1; joined <= 200; joined++) await backstage.publishBoard(sessionId, { joined });
  await until("the last count", () => ann.all("lobby").at(-1)?.players === 200);
  const seconds = (performance.now() - startedAt) / 1_000;
  expect(ann.all("lobby").length).toBeLessThanOrEqual(Math.ceil(seconds * 2) + 2);
});

test("a session whose record is deleted lets everybody go", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const ann = suite.use(await gateway.join(sessionId, "ann"));
  await backstage.deleteSession(sessionId);
  expect(await ann.closed).toMatchObject({ code: 4507 });
});

test("a new session of the same id sends players away and calls watchers back", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const ann = suite.use(await gateway.join(sessionId, "ann"));
  const watcher = suite.use(await gateway.watch(sessionId));
  await backstage.putSession(sessionId, { phase: Phase.LOBBY, logStart: 99n });
  expect(await ann.closed).toMatchObject({ code: 4507 });
  expect(await watcher.closed).toMatchObject({ code: 4004 });
});
