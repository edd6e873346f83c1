/**
 * Kill -9 of each process in mid-answers, with a restart: every acknowledged answer is in the log, in
 * PostgreSQL and on the board exactly once, and the quiz goes on.
 */
import type { PlayerSocket } from "@fanfare/cli/player/player-socket";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { expectLedgersAgree, readBoard, readLog } from "./ledgers.js";
import {
  Book,
  closeRound,
  joinPlayers,
  nextRound,
  openSession,
  type Stage,
  startStage,
  until,
} from "./stage.js";

const PLAYERS = 60;

let stage: Stage;

beforeAll(async () => {
  stage = await startStage({ gateways: 2, quiz: 2 });
});

afterAll(() => stage?.[Symbol.asyncDispose]());

/** The audits' mismatch counter of a process (P12). */
async function mismatches(name: string): Promise<number> {
  const text = await (await fetch(`${stage.stack.process(name).adminUrl}/metrics`)).text();
  const [, value] = /^\w+_audit_mismatches_total(?:\{[^}]*\})? (\d+)$/m.exec(text) ?? [];
  if (value === undefined) throw new Error(`${name} has no mismatch counter`);
  return Number(value);
}

afterEach(async () => {
  expect([await mismatches("leaderboard-1"), await mismatches("history-1")]).toEqual([0, 0]);
});

/** Answers of one round spread over a second, with `fault` in their middle. */
async function playThrough(
  players: readonly PlayerSocket[],
  book: Book,
  round: number,
  fault: () => Promise<void>,
): Promise<void> {
  const playing = Promise.all(
    players.map(async (player, i) => {
      await new Promise((resolve) => setTimeout(resolve, (i * 1_000) / players.length));
      return book.play(player, round, i % 2 === 0);
    }),
  );
  await until(() => book.accepted.size > PLAYERS / 4);
  await fault();
  const verdicts = await playing;
  // Everybody had half a minute and a client that tries again: nobody may be left without a verdict.
  expect(verdicts.map(({ kind }) => kind)).toEqual(players.map(() => "accepted"));
}

async function playSession(sessionId: string, fault: () => Promise<void>): Promise<void> {
  await openSession(stage, sessionId, 2);
  const players = await joinPlayers(stage, sessionId, PLAYERS);
  const book = new Book();
  await stage.quiz.startSession({ sessionId });
  await playThrough(players, book, 1, fault);
  await until(() => closeRound(stage, sessionId, 1).then(() => true), 30_000);
  await until(() => nextRound(stage, sessionId, 1).then(() => true), 30_000);
  await Promise.all(players.map((player) => book.play(player, 2, true)));
  await closeRound(stage, sessionId, 2);
  await expectLedgersAgree(stage, sessionId, book);
  for (const player of players) player.close();
}

test.each(["gateway-1", "quiz-1", "quiz-2", "history-1", "leaderboard-1", "quiz-master-1"])(
  "%s killed in mid-answers",
  async (name) => {
    await playSession(`kill-${name}`, async () => {
      const victim = stage.stack.process(name);
      await victim.kill("SIGKILL");
      await victim.restart();
    });
  },
);

test.each(["nats", "redis", "postgres"] as const)("%s killed in mid-answers", async (name) => {
  await playSession(`kill-${name}`, async () => {
    const victim = stage.stack.servers[name];
    await victim.kill("SIGKILL");
    await victim.restart();
  });
});

test("a rolling restart of everything in mid-answers", async () => {
  await playSession("rolling", async () => {
    for (const name of stage.stack.processes.keys()) await stage.stack.process(name).restart();
  });
});

test("a quiz pod that hangs for some seconds costs speed, not truth", async () => {
  await playSession("hang", async () => {
    const victim = stage.stack.process("quiz-1");
    await victim.kill("SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    await victim.kill("SIGCONT");
  });
});

test("FLUSHALL in mid-round: the board is equal again within 2 s", async () => {
  const sessionId = "flush";
  await openSession(stage, sessionId, 2);
  const players = await joinPlayers(stage, sessionId, PLAYERS);
  const book = new Book();
  await stage.quiz.startSession({ sessionId });
  await Promise.all(players.map((player) => book.play(player, 1, true)));
  await closeRound(stage, sessionId, 1);
  const first = await until(async () => {
    const board = await readBoard(stage, sessionId);
    return board.size === PLAYERS && board;
  });
  await nextRound(stage, sessionId, 1);
  const redis = new Redis(stage.stack.redisUrl);
  await playThrough(players, book, 2, async () => {
    await redis.flushall();
    const started = performance.now();
    await until(async () => {
      const board = await readBoard(stage, sessionId);
      return [...first].every(([id, points]) => board.get(id) === points);
    }, 2_000);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
  await redis.quit();
  await closeRound(stage, sessionId, 2);
  await expectLedgersAgree(stage, sessionId, book);
  for (const player of players) player.close();
});

test("Redis and PostgreSQL away: play goes on, and both catch up", async () => {
  const sessionId = "away";
  await openSession(stage, sessionId, 2);
  const players = await joinPlayers(stage, sessionId, 20);
  const book = new Book();
  await stage.quiz.startSession({ sessionId });
  const { redis, postgres } = stage.stack.servers;
  await Promise.all([redis.kill("SIGKILL"), postgres.kill("SIGKILL")]);
  await Promise.all(players.map((player) => book.play(player, 1, true)));
  await closeRound(stage, sessionId, 1);
  const own = await Promise.all(
    players.map((player) => player.until("ownResult", ({ round }) => round === 1)),
  );
  expect(new Set(own.map(({ correct, stale }) => `${correct} ${stale}`))).toEqual(
    new Set(["true true"]),
  );
  await Promise.all([redis.restart(), postgres.restart()]);
  await expectLedgersAgree(stage, sessionId, book);
  for (const player of players) player.close();
});

test("NATS away: answers are refused as retryable within 2 s and never acknowledged", async () => {
  const sessionId = "no-nats";
  await openSession(stage, sessionId, 1);
  const [player] = (await joinPlayers(stage, sessionId, 1)) as [PlayerSocket];
  await stage.quiz.startSession({ sessionId });
  const book = new Book();
  const { nats } = stage.stack.servers;
  await player.until("question");
  await nats.kill("SIGKILL");
  const refusals: boolean[] = [];
  player.on("refused", ({ retryable }) => refusals.push(retryable));
  const started = performance.now();
  const playing = book.play(player, 1, true);
  await until(() => refusals.length > 0, 3_000);
  expect(performance.now() - started).toBeLessThan(2_500);
  expect(refusals[0]).toBe(true);
  expect(book.accepted.size).toBe(0);
  await nats.restart();
  expect((await playing).kind).toBe("accepted");
  expect((await readLog(stage, sessionId)).answers).toEqual(book.accepted);
  player.close();
});
