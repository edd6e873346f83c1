/** A whole quiz: 200 players, 3 gateways, 2 quiz pods, with people who come late, refresh and change device. */
import { PlayerSocket } from "@fanfare/cli/player/player-socket";
import { Phase } from "@fanfare/proto/quiz/v1/session";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectLedgersAgree } from "./ledgers.js";
import {
  Book,
  choiceOf,
  closeRound,
  joinPlayers,
  nextRound,
  opened,
  openSession,
  rotated,
  type Stage,
  startStage,
} from "./stage.js";

let stage: Stage;

beforeAll(async () => {
  stage = await startStage({ gateways: 3, quiz: 2, leaderboards: 2, histories: 2 });
});

afterAll(() => stage?.[Symbol.asyncDispose]());

/** The same player through the next gateway, as after a refresh. */
function refreshed(player: PlayerSocket, by: number): Promise<PlayerSocket> {
  const urls = rotated(stage.stack.gatewayUrls, by);
  const { sessionId } = player.joined;
  return PlayerSocket.join({
    urls,
    sessionId,
    nickname: player.nickname,
    resumeToken: player.resumeToken,
  });
}

test("200 players play three rounds; all four ledgers agree", async () => {
  const sessionId = "whole";
  const { pin } = await openSession(stage, sessionId, 3, { readingSeconds: 1 });
  const players = await joinPlayers(stage, sessionId, 200);
  expect(new Set(players.map(({ playerId }) => playerId)).size).toBe(200);
  const book = new Book();
  await stage.quiz.startSession({ sessionId });

  for (let round = 1; round <= 3; round++) {
    const verdicts = await Promise.all(
      players.map((player, i) => book.play(player, round, (i + round) % 3 !== 0)),
    );
    expect(verdicts.map(({ kind }) => kind)).toEqual(players.map(() => "accepted"));
    await closeRound(stage, sessionId, round);
    const results = await Promise.all(
      players.map((player) => player.until("ownResult", (own) => own.round === round, 5_000)),
    );
    expect(results.map(({ correct }) => correct)).toEqual(
      players.map((_, i) => (i + round) % 3 !== 0),
    );
    expect(results.map(({ rank }) => rank).sort((a, b) => a - b)).toEqual(
      players.map((_, i) => i + 1),
    );
    if (round < 3) await nextRound(stage, sessionId, round);
  }

  const { points } = await expectLedgersAgree(stage, sessionId, book);
  for (const player of players)
    expect(player.last("ownResult")?.total).toBe(points.get(player.playerId));
  await nextRound(stage, sessionId, 3);
  const ended = await Promise.all(players.map((player) => player.until("ended")));
  expect(
    new Set(ended.map(({ podium }) => JSON.stringify(podium.map((row) => row.playerId)))).size,
  ).toBe(1);
  const { players: total, ended: over } = await stage.leaderboard.getLeaderboard({ sessionId });
  expect([total, over]).toEqual([200, true]);
  expect(pin).toMatch(/^\d{6}$/);
  for (const player of players) player.close();
});

test("a refresh in each phase, through another gateway, keeps identity, answer and points", async () => {
  const sessionId = "refresh";
  await openSession(stage, sessionId, 2, { readingSeconds: 2 });
  let [player] = (await joinPlayers(stage, sessionId, 1)) as [PlayerSocket];
  const { playerId } = player;
  let by = 0;
  const refresh = async () => {
    const before = player;
    player = await refreshed(player, ++by);
    before.close();
    expect(player.playerId).toBe(playerId);
    return player.joined;
  };

  expect((await refresh()).phase).toBe(Phase.LOBBY);
  await stage.quiz.startSession({ sessionId });
  await player.until("question", ({ round }) => round === 1);
  expect((await refresh()).phase).toBe(Phase.READING);
  const question = await opened(player, 1);
  const open = await refresh();
  expect([open.phase, open.answer]).toEqual([Phase.OPEN, undefined]);
  const again = await opened(player, 1);
  expect(again.closesAt).toEqual(question.closesAt);
  const choices = [choiceOf(again, "right 1")];
  const verdict = await player.answer(1, choices, { submissionId: "mine" });
  expect(verdict.kind).toBe("accepted");
  expect((await refresh()).answer).toMatchObject({ round: 1, choices, submissionId: "mine" });
  const second = await player.answer(1, choices, { submissionId: "another" });
  expect(second).toMatchObject({ kind: "refused" });
  await closeRound(stage, sessionId, 1);
  const { total } = await player.until("ownResult", (own) => own.round === 1);
  expect((await refresh()).phase).toBe(Phase.REVEAL);
  expect(await player.until("ownResult")).toMatchObject({ round: 1, correct: true, total });
  await stage.quiz.endSession({ sessionId });
  await player.until("ended");
  expect((await refresh()).phase).toBe(Phase.ENDED);
  const { podium } = await player.until("ended");
  expect(podium[0]).toMatchObject({ playerId, points: total });
  player.close();
});

test("who comes late gets the open question with the true time left, and 0 for what passed", async () => {
  const sessionId = "late";
  await openSession(stage, sessionId, 2);
  const [early] = (await joinPlayers(stage, sessionId, 1)) as [PlayerSocket];
  await stage.quiz.startSession({ sessionId });
  const book = new Book();
  await book.play(early, 1, true);
  await closeRound(stage, sessionId, 1);
  await nextRound(stage, sessionId, 1);
  const seen = await opened(early, 2);
  const [late] = (await joinPlayers(stage, sessionId, 1, 1)) as [PlayerSocket];
  const question = await opened(late, 2);
  expect(question.closesAt).toEqual(seen.closesAt);
  expect(late.joined.points).toBe(0);
  await book.play(late, 2, true);
  await closeRound(stage, sessionId, 2);
  const own = await late.until("ownResult", ({ round }) => round === 2);
  expect(own.total).toBe(own.points);
  await expectLedgersAgree(stage, sessionId, book);
  early.close();
  late.close();
});

test("a second device takes over; the first is told and does not come back", async () => {
  const sessionId = "devices";
  await openSession(stage, sessionId, 1);
  const [first] = (await joinPlayers(stage, sessionId, 1)) as [PlayerSocket];
  const second = await refreshed(first, 1);
  const departure = await first.gone;
  expect(departure).toMatchObject({ kind: "ended", end: { code: 4502 } });
  const third = await refreshed(second, 1);
  await second.gone;
  await stage.quiz.startSession({ sessionId });
  expect((await new Book().play(third, 1, true)).kind).toBe("accepted");
  third.close();
});

test("kick and ban reach every gateway within a second", async () => {
  const sessionId = "kicks";
  await openSession(stage, sessionId, 1);
  const [kicked, banned] = (await joinPlayers(stage, sessionId, 2)) as [PlayerSocket, PlayerSocket];
  const before = performance.now();
  await stage.quiz.kickPlayer({ sessionId, player: { case: "playerId", value: kicked.playerId } });
  await stage.quiz.banPlayer({ sessionId, player: { case: "nickname", value: "P1" } });
  await Promise.all([kicked.gone, banned.gone]);
  expect(performance.now() - before).toBeLessThan(1_000);
  const back = await PlayerSocket.join({
    urls: stage.stack.gatewayUrls,
    sessionId,
    nickname: "p0",
  });
  back.close();
  const refused = PlayerSocket.join({ urls: stage.stack.gatewayUrls, sessionId, nickname: "p1" });
  await expect(refused).rejects.toThrow("BANNED");
});
