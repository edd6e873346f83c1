/** P7: wall clocks that are wrong by half a minute change no deadline and no points. */
import { join } from "node:path";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Pacing, Phase } from "@fanfare/proto/quiz/v1/session";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectLedgersAgree } from "./ledgers.js";
import { Book, joinPlayers, opened, openSession, type Stage, startStage, until } from "./stage.js";

let stage: Stage;

const skewed = (ms: number) => ({
  SKEW_MS: String(ms),
  NODE_OPTIONS: `--import=${join(import.meta.dirname, "skew.mjs")}`,
});

beforeAll(async () => {
  stage = await startStage({
    gateways: 3,
    quiz: 2,
    env: {
      "quiz-1": skewed(30_000),
      "quiz-2": skewed(-30_000),
      "gateway-1": skewed(-30_000),
      "gateway-2": skewed(30_000),
      "leaderboard-1": skewed(30_000),
    },
  });
});

afterAll(() => stage?.[Symbol.asyncDispose]());

test("rounds last as long as they should, and equal reactions get equal points on every gateway", async () => {
  const sessionId = "skew";
  const options = { roundSeconds: 5, revealSeconds: 1, pacing: Pacing.AUTO };
  await openSession(stage, sessionId, 2, options);
  const players = await joinPlayers(stage, sessionId, 30);
  const book = new Book();
  await stage.quiz.startSession({ sessionId });
  const questions = await Promise.all(players.map((player) => opened(player, 1)));
  const openedAt = performance.now();
  const [first] = questions;
  const opensAt = first?.opensAt ? timestampMs(first.opensAt) : 0;
  // The true time is this process's own: nobody shifted it.
  expect(Math.abs(opensAt - Date.now())).toBeLessThan(1_000);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  await Promise.all(players.map((player) => book.play(player, 1, true)));
  const reveals = await Promise.all(
    players.map((player) => player.until("ownResult", ({ round }) => round === 1, 15_000)),
  );
  const lasted = performance.now() - openedAt;
  expect(lasted).toBeGreaterThan(5_000);
  expect(lasted).toBeLessThan(8_000);
  const points = reveals.map((own) => own.points);
  // 2 s of 5 s: 800 points; a second of slack for a busy machine is 100 points.
  for (const each of points) expect(each).toBeGreaterThan(650);
  for (const each of points) expect(each).toBeLessThanOrEqual(801);
  expect(Math.max(...points) - Math.min(...points)).toBeLessThan(80);
  await until(async () => {
    const { session } = await stage.quiz.getSession({ sessionId });
    return session?.phase === Phase.ENDED;
  }, 20_000);
  await expectLedgersAgree(stage, sessionId, book);
  for (const player of players) player.close();
});
