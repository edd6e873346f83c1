/** P8: nothing that players get before the reveal tells the answer: no field, no order, no length. */
import { PlayerSocket } from "@fanfare/cli/player/player-socket";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  choiceOf,
  closeRound,
  nextRound,
  opened,
  openSession,
  type Stage,
  startStage,
} from "./stage.js";

let stage: Stage;

beforeAll(async () => {
  stage = await startStage();
});

afterAll(() => stage?.[Symbol.asyncDispose]());

const ROUNDS = 12;

test("every frame before the reveal is the same for whoever is right and whoever is wrong", async () => {
  const sessionId = "secret";
  await openSession(stage, sessionId, ROUNDS);
  const frames: { who: string; round: number; raw: string }[] = [];
  let round = 0;
  let revealed = true;
  const join = (who: string) =>
    PlayerSocket.join({
      urls: stage.stack.gatewayUrls,
      sessionId,
      nickname: who,
      onFrame: (frame, raw) => {
        if (frame.frame.case === "question") revealed = false;
        if (frame.frame.case === "reveal") revealed = true;
        if (!revealed) frames.push({ who, round, raw });
      },
    });
  const [right, wrong] = [await join("right"), await join("wrong")];
  const places: string[] = [];
  for (round = 1; round <= ROUNDS; round++) {
    if (round === 1) await stage.quiz.startSession({ sessionId });
    else await nextRound(stage, sessionId, round - 1);
    const question = await opened(right, round);
    places.push(choiceOf(question, `right ${round}`));
    const answer = (player: PlayerSocket, text: string) =>
      player.answer(round, [choiceOf(question, text)], { submissionId: `id-${round}` });
    await Promise.all([answer(right, `right ${round}`), answer(wrong, `wrong ${round}`)]);
    await closeRound(stage, sessionId, round);
    await Promise.all(
      [right, wrong].map((p) => p.until("ownResult", (own) => own.round === round)),
    );
  }
  expect(frames.length).toBeGreaterThan(ROUNDS * 4);
  for (const { raw, round: at } of frames) {
    const frame = JSON.parse(raw) as { board?: { finalRound: number } };
    // A board may come late, but only one of rounds that are closed.
    if (frame.board) expect(frame.board.finalRound).toBeLessThan(at);
    else
      expect(raw).not.toMatch(
        /"(correct|answer|reveal|points|total|distribution)":(?!\s*(1000|null))/,
      );
  }
  for (let n = 1; n <= ROUNDS; n++) {
    const of = (who: string) =>
      frames
        .filter(
          (frame) => frame.who === who && frame.round === n && !frame.raw.startsWith('{"board"'),
        )
        .map(({ raw }) => raw.length);
    expect(of("right"), `round ${n}: same number of frames, same lengths`).toEqual(of("wrong"));
  }
  // The order of options is drawn for the session: the right one has no place of its own.
  expect(new Set(places).size).toBeGreaterThan(1);
  right.close();
  wrong.close();
});
