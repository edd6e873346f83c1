/** A question closes when everybody who is there has answered: never before, never for who has left. */
import { PlayerSocket } from "@fanfare/cli/player/player-socket";
import { Phase, type Session } from "@fanfare/proto/quiz/v1/session";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectLedgersAgree } from "./ledgers.js";
import {
  Book,
  joinPlayers,
  nextRound,
  openSession,
  type Stage,
  startStage,
  until,
} from "./stage.js";

/** Far more than the pause after the last answer, far less than the round's half a minute. */
const SOON_MS = 4_000;
/** As long as somebody counts who lost the connection, and SOON_MS. */
const AFTER_AWAY_MS = 5_000 + SOON_MS;
/** So long a round that must stay open is looked at. */
const STAYS_MS = 3_000;

let stage: Stage;

beforeAll(async () => {
  stage = await startStage({ gateways: 2, quiz: 2 });
});

afterAll(() => stage?.[Symbol.asyncDispose]());

async function session(sessionId: string): Promise<Session | undefined> {
  return (await stage.quiz.getSession({ sessionId })).session;
}

async function start(sessionId: string, count: number, rounds = 2) {
  await openSession(stage, sessionId, rounds, { closeWhenAllAnswered: true });
  const players = await joinPlayers(stage, sessionId, count);
  await stage.quiz.startSession({ sessionId });
  return players;
}

const isRevealed = (sessionId: string, round: number) => async () => {
  const now = await session(sessionId);
  return now?.round === round && now.phase === Phase.REVEAL;
};

async function staysOpen(sessionId: string, round: number): Promise<void> {
  const end = performance.now() + STAYS_MS;
  while (performance.now() < end) {
    const now = await session(sessionId);
    expect([now?.round, now?.phase]).toEqual([round, Phase.OPEN]);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function answerAll(book: Book, round: number, players: readonly PlayerSocket[]) {
  return Promise.all(players.map((player, i) => book.play(player, round, i % 2 === 0)));
}

test("a round closes soon after the last answer, and stays open until then", async () => {
  const sessionId = "all";
  const players = await start(sessionId, 21);
  const book = new Book();
  const [last, ...others] = players as [PlayerSocket, ...PlayerSocket[]];
  await answerAll(book, 1, others);
  await staysOpen(sessionId, 1);
  await book.play(last, 1, true);
  await until(isRevealed(sessionId, 1), SOON_MS);
  await nextRound(stage, sessionId, 1);
  await answerAll(book, 2, players);
  await until(isRevealed(sessionId, 2), SOON_MS);
  expect((await session(sessionId))?.reveal?.answers).toBe(21);
  await expectLedgersAgree(stage, sessionId, book);
  for (const player of players) player.close();
});

test("one player alone does not wait", async () => {
  const players = await start("alone", 1);
  await answerAll(new Book(), 1, players);
  await until(isRevealed("alone", 1), SOON_MS);
  for (const player of players) player.close();
});

test("with the option off the time decides", async () => {
  await openSession(stage, "off", 1);
  const players = await joinPlayers(stage, "off", 2);
  await stage.quiz.startSession({ sessionId: "off" });
  await answerAll(new Book(), 1, players);
  await staysOpen("off", 1);
  for (const player of players) player.close();
});

test("who leaves is not waited for, who was kicked not a moment", async () => {
  const sessionId = "leavers";
  const [stays, leaves, kicked] = (await start(sessionId, 3)) as [
    PlayerSocket,
    PlayerSocket,
    PlayerSocket,
  ];
  const book = new Book();
  await answerAll(book, 1, [stays, leaves]);
  await staysOpen(sessionId, 1);
  await stage.quiz.kickPlayer({ sessionId, player: { case: "playerId", value: kicked.playerId } });
  await until(isRevealed(sessionId, 1), SOON_MS);
  await nextRound(stage, sessionId, 1);
  await answerAll(book, 2, [stays]);
  await staysOpen(sessionId, 2);
  leaves.close();
  await until(isRevealed(sessionId, 2), AFTER_AWAY_MS);
  stays.close();
});

test("who comes late is waited for, and who comes back through another gateway", async () => {
  const sessionId = "comers";
  const players = await start(sessionId, 2, 1);
  const book = new Book();
  await answerAll(book, 1, players.slice(0, 1));
  const [late] = (await joinPlayers(stage, sessionId, 1, 2)) as [PlayerSocket];
  const [, second] = players as [PlayerSocket, PlayerSocket];
  const back = await PlayerSocket.join({
    urls: stage.stack.gatewayUrls,
    sessionId,
    nickname: second.nickname,
    resumeToken: second.resumeToken,
  });
  await second.gone;
  await book.play(back, 1, false);
  await staysOpen(sessionId, 1);
  await book.play(late, 1, true);
  await until(isRevealed(sessionId, 1), SOON_MS);
  await expectLedgersAgree(stage, sessionId, book);
  for (const player of [...players, late, back]) player.close();
});

test("a paused round waits for its host, and closes as it goes on", async () => {
  const sessionId = "paused";
  const players = await start(sessionId, 2, 1);
  const book = new Book();
  const [first, second] = players as [PlayerSocket, PlayerSocket];
  await book.play(first, 1, true);
  await book.play(second, 1, true);
  await stage.quiz.pauseSession({ sessionId });
  await staysOpen(sessionId, 1);
  await stage.quiz.continueSession({ sessionId });
  await until(isRevealed(sessionId, 1), SOON_MS);
  for (const player of players) player.close();
});

test("a gateway killed with players leaves the round to the clock; later rounds go on as before", async () => {
  const sessionId = "killed";
  const players = await start(sessionId, 4);
  const book = new Book();
  const byGateway = [players.filter((_, i) => i % 2 === 0), players.filter((_, i) => i % 2 === 1)];
  const [onFirst = [], onSecond = []] = byGateway;
  await answerAll(book, 1, onFirst);
  const victim = stage.stack.process("gateway-2");
  await victim.kill("SIGKILL");
  // Its players come back through the other one, and have all answered.
  await answerAll(book, 1, onSecond);
  await staysOpen(sessionId, 1);
  await victim.restart();
  await stage.quiz.nextRound({ sessionId, expectedPhase: Phase.OPEN, expectedRound: 1 });
  await until(isRevealed(sessionId, 1));
  await expectLedgersAgree(stage, sessionId, book);
  for (const player of players) player.close();
});
