/**
 * What a round costs in socket writes: each is some 10 µs of the gateway's core whatever its size, so
 * a player may get only so many. Frames are counted: there are never more writes than frames.
 */
import { PlayerSocket } from "@fanfare/cli/player/player-socket";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  Book,
  closeRound,
  nextRound,
  opened,
  openSession,
  type Stage,
  startStage,
} from "./stage.js";

const FRAMES_MAX = 8;
const PLAYERS = 40;
const ROUNDS = 3;

let stage: Stage;

beforeAll(async () => {
  stage = await startStage({ gateways: 2 });
});

afterAll(() => stage?.[Symbol.asyncDispose]());

interface Counted {
  player: PlayerSocket;
  /** Kinds of the frames since the last look. */
  kinds: string[];
}

async function joinCounted(sessionId: string, i: number): Promise<Counted> {
  const kinds: string[] = [];
  const player = await PlayerSocket.join({
    urls: [stage.stack.gatewayUrls[i % 2] ?? ""],
    sessionId,
    nickname: `p${i}`,
    onFrame: ({ frame }) => kinds.push(frame.case ?? "none"),
  });
  return { player, kinds };
}

test("a player gets at most eight frames in a round, from its question to its place on the board", async () => {
  const sessionId = "frugal";
  await openSession(stage, sessionId, ROUNDS, { readingSeconds: 1 });
  const counted = await Promise.all(
    Array.from({ length: PLAYERS }, (_, i) => joinCounted(sessionId, i)),
  );
  const book = new Book();
  await stage.quiz.startSession({ sessionId });
  for (let round = 1; round <= ROUNDS; round++) {
    await Promise.all(counted.map(({ player }) => opened(player, round)));
    // One after the other, so that the board would have the time to move with each.
    for (const [i, { player }] of counted.entries()) {
      const { kind } = await book.play(player, round, i % 2 === 0);
      expect(kind).toBe("accepted");
    }
    await closeRound(stage, sessionId, round);
    for (const { player } of counted) {
      await player.until("ownResult", (own) => own.round === round);
      await player.until("board", (board) => board.finalRound === round);
    }
    for (const { kinds } of counted) {
      const heard = kinds.splice(0).filter((kind) => kind !== "hello" && kind !== "joined");
      const inRound = round === 1 ? heard.filter((kind) => kind !== "lobby") : heard;
      for (const kind of ["question", "accepted", "reveal", "ownResult", "board"])
        expect(inRound).toContain(kind);
      expect(inRound.length, inRound.join(" ")).toBeLessThanOrEqual(FRAMES_MAX);
    }
    if (round < ROUNDS) await nextRound(stage, sessionId, round);
  }
});
