/** The client that simulate, demo, e2e and bench play with, against real gateways. */
import { create } from "@bufbuild/protobuf";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import type { ServerFrame } from "@fanfare/proto/gateway/v1/frames";
import { QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import { Phase } from "@fanfare/proto/quiz/v1/session";
import { QuizSchema } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Door, openDoor } from "../src/door.js";
import { type PlayerOptions, PlayerSocket } from "../src/player/player-socket.js";
import { type Stack, startStack } from "../src/stack/start-stack.js";
import { DEMO_QUIZ } from "../src/up/demo-quiz.js";

let stack: Stack;
let quizzes: Door<typeof QuizService>;
let count = 0;
const players: PlayerSocket[] = [];

beforeAll(async () => {
  stack = await startStack({ gateways: 2 });
  quizzes = openDoor(QuizService, stack.gatewayUrls, stack.adminToken);
});

afterAll(async () => {
  await stack?.stop();
});

afterEach(() => {
  for (const player of players.splice(0)) player.close();
});

async function newSession(): Promise<string> {
  const sessionId = `session-${++count}`;
  const { title, questions } = DEMO_QUIZ;
  const quiz = create(QuizSchema, { title, questions });
  await quizzes.createSession({
    sessionId,
    source: { case: "quiz", value: quiz },
    options: { roundSeconds: 120 },
  });
  return sessionId;
}

async function join(sessionId: string, more: Partial<PlayerOptions> = {}): Promise<PlayerSocket> {
  const urls = stack.gatewayUrls;
  const player = await PlayerSocket.join({ urls, sessionId, nickname: "ann", ...more });
  players.push(player);
  return player;
}

describe("a player", () => {
  test("plays a round and is told what it brought", async () => {
    const sessionId = await newSession();
    const player = await join(sessionId);
    await quizzes.startSession({ sessionId });
    const { question } = await player.until("question", ({ round }) => round === 1);
    const right = question?.options.find(({ text }) => text === "3 km")?.choice ?? "";
    const verdict = await player.answer(1, [right]);
    expect(verdict).toMatchObject({ kind: "accepted", attempts: 1 });
    await quizzes.nextRound({ sessionId, expectedPhase: Phase.OPEN, expectedRound: 1 });
    expect(await player.until("ownResult")).toMatchObject({ round: 1, correct: true });
  });

  test("comes back by itself as who it was, and an answer on its way counts once", async () => {
    const sessionId = await newSession();
    const player = await join(sessionId);
    const { playerId } = player;
    await quizzes.startSession({ sessionId });
    await player.until("question");
    player.drop();
    expect(await player.answer(1, ["A"])).toMatchObject({ kind: "accepted" });
    expect(player.reconnects).toBe(1);
    expect(player.playerId).toBe(playerId);
    expect(await player.answer(1, ["A"])).toMatchObject({
      kind: "refused",
      reason: ErrorReason.ALREADY_ANSWERED,
    });
  });

  test("comes back through another gateway when its own is killed", async () => {
    const sessionId = await newSession();
    const player = await join(sessionId);
    await quizzes.startSession({ sessionId });
    await player.until("question");
    await stack.process("gateway-1").kill("SIGKILL");
    expect(await player.answer(1, ["A"])).toMatchObject({ kind: "accepted" });
    await stack.process("gateway-1").restart();
  });

  test("is replaced by its second device, and does not fight it", async () => {
    const sessionId = await newSession();
    const first = await join(sessionId);
    const second = await join(sessionId, { resumeToken: first.resumeToken });
    expect(second.playerId).toBe(first.playerId);
    expect(await first.gone).toMatchObject({ kind: "ended", end: { code: 4502 } });
  });

  test("is refused a name that is taken", async () => {
    const sessionId = await newSession();
    await join(sessionId);
    await expect(join(sessionId)).rejects.toMatchObject({ reason: ErrorReason.NAME_TAKEN });
  });

  test("is the same when its join is sent twice", async () => {
    const sessionId = await newSession();
    const first = await join(sessionId, { submissionId: "join-1" });
    const second = await join(sessionId, { submissionId: "join-1" });
    expect(second.playerId).toBe(first.playerId);
  });

  test("shows a recorder every frame with the text as it came", async () => {
    const sessionId = await newSession();
    const frames: [ServerFrame, string][] = [];
    await join(sessionId, { onFrame: (frame, raw) => frames.push([frame, raw]) });
    expect(frames.slice(0, 2).map(([{ frame }]) => frame.case)).toEqual(["hello", "joined"]);
    for (const [{ frame }, raw] of frames)
      expect(Object.keys(JSON.parse(raw))).toEqual([frame.case]);
  });
});
