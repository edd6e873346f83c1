/** `fanfare record` and `fanfare simulate -from`: a session played again has the same final board. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@fanfare/common/grpc-client";
import { holdsWithin } from "@fanfare/common/servers/wait";
import { Tokens } from "@fanfare/common/tokens";
import { laneOf, subjectForScore } from "@fanfare/proto/addresses";
import { toAnswerColumns } from "@fanfare/proto/answer-columns";
import { QuestionType } from "@fanfare/proto/common/v1/question";
import { LeaderboardService } from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import { QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import { Phase, ScoringFormula, type Session } from "@fanfare/proto/quiz/v1/session";
import { jetstream } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDoor } from "../src/door.js";
import { rank } from "../src/ledgers/compare.js";
import { readRecord } from "../src/replay/record.js";
import { finalBoard } from "../src/replay/take-record.js";
import { type Stack, startStack } from "../src/stack/start-stack.js";
import { fillBank } from "../src/up/fill-bank.js";
import { runFanfare } from "./run-fanfare.js";

let stack: Stack;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fanfare-replay-"));
  stack = await startStack({ gateways: 1, quiz: 2 });
  await fillBank(stack.gatewayUrls, stack.adminToken);
});

afterAll(async () => {
  await stack?.stop();
  await rm(folder, { recursive: true, force: true });
});

const where = () => ["-url", stack.gatewayUrls.join(","), "-grpc", stack.quizUrls[0] ?? ""];
const secret = () => ({ TOKEN_SECRET: stack.tokenSecret, NATS_URL: stack.natsUrl });
const fileOf = (session: string) => join(folder, `${session}.json`);

const record = (session: string) =>
  runFanfare(["record", "-session", session, "-out", fileOf(session), ...where()], secret());
const replay = (session: string, name: string, speed: number) =>
  runFanfare(
    ["simulate", "-from", fileOf(session), "-speed", `${speed}`, "-name", name, ...where()],
    secret(),
  );
const boardOf = (session: string) =>
  finalBoard(openDoor(LeaderboardService, stack.gatewayUrls, stack.adminToken), session);

describe("a game over sockets", () => {
  test("is replayed at any speed to the same board: order, points and times", async () => {
    const played = await runFanfare(
      ["simulate", "-name", "played", "-rounds", "3", "-players", "20", "-every", "2", ...where()],
      secret(),
    );
    expect(played).toMatchObject({ exit: 0, stderr: "" });
    expect(await record("played")).toMatchObject({ exit: 0, stderr: "" });
    const board = await boardOf("played");
    expect(board).toHaveLength(20);
    for (const speed of [1, 10, 100]) {
      const { exit, stdout, stderr } = await replay("played", `again-${speed}`, speed);
      expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
      expect(stdout).toContain("the final board is the recorded one: 20 players");
      expect(await boardOf(`again-${speed}`)).toEqual(board);
    }
  });

  test("a record that was tampered with is not played as if it were true", async () => {
    const content = JSON.parse(await readFile(fileOf("played"), "utf8"));
    content.answers[7].elapsedMs += 1;
    await writeFile(fileOf("tampered"), JSON.stringify(content));
    const { exit, stderr } = await replay("tampered", "tampered", 100);
    expect(exit).toBe(1);
    expect(stderr).toMatch(/points then, and .* now|not the recorded ones/);
  });
});

describe("a game with everything that moves a board", () => {
  const PLAYERS = 30;
  const LANES = 3;

  /** Ties, streaks, penalties, several lanes, scores from outside, a player who was removed. */
  async function playAll(sessionId: string): Promise<void> {
    const token = new Tokens([stack.tokenSecret]).issue({ role: "service", subject: "t" }, 60);
    const quiz = createClient(QuizService, stack.quizUrls[0] ?? "", () => stack.adminToken);
    const choice = (question: string, type: QuestionType, options: string[], answer: string[]) => ({
      ...{ question, type, options, answer, penalty: 50 },
    });
    const { session } = await quiz.createSession({
      sessionId,
      source: {
        case: "quiz",
        value: {
          title: "All",
          questions: [
            choice("1?", QuestionType.SINGLE_CHOICE, ["a", "b", "c"], ["b"]),
            choice("2?", QuestionType.MULTIPLE_CHOICE, ["a", "b", "c", "d"], ["a", "c"]),
            choice("3?", QuestionType.TRUE_FALSE, [], ["false"]),
          ],
        },
      },
      options: {
        streakBonusStep: 100,
        lanes: LANES,
        scoring: ScoringFormula.LINEAR,
        roundSeconds: 30,
      },
    });
    const joins = Array.from({ length: PLAYERS }, (_, i) => ({
      nickname: `Player ${i}`,
      submissionId: `j${i}`,
    }));
    const { results } = await quiz.joinSession({ sessionId, joins });
    const ids = results.map(({ player }) => player?.playerId ?? "");
    await quiz.startSession({ sessionId });
    for (let round = 1; round <= 3; round++) {
      const open = await untilOpen(quiz, sessionId, round);
      const options = open.question?.options.map((option) => option.choice) ?? [];
      for (const [i, playerId] of ids.entries()) {
        if (i < 20 && i % 7 === round) continue;
        const choices =
          round === 2 && i < 20 && i % 3 === 0
            ? options.slice(0, 2)
            : [options[i < 20 ? i % 2 : 1] ?? ""];
        // Pairs of equal times, which from the twentieth on choose the same: their ids decide.
        const answer = { playerId, submissionId: `r${round}-${i}`, choices };
        const columns = toAnswerColumns([{ ...answer, elapsedMs: 600 + 1_000 * (i >> 1) }]);
        const batch = { sessionId, round, lane: laneOf(playerId, LANES), ...columns };
        await quiz.submitAnswers({ lanes: [batch] }, { token });
      }
      if (round === 2)
        await quiz.kickPlayer({ sessionId, player: { case: "playerId", value: ids[5] ?? "" } });
      if (round === 3) await publishOutside(sessionId);
      await quiz.nextRound({ sessionId, expectedPhase: Phase.OPEN, expectedRound: round });
      await holdsWithin(10_000, async () => {
        const now = await quiz.getSession({ sessionId });
        return now.session?.phase === Phase.REVEAL;
      });
      if (round < 3)
        await quiz.nextRound({ sessionId, expectedPhase: Phase.REVEAL, expectedRound: round });
    }
    await quiz.endSession({ sessionId });
    expect(session?.options?.lanes).toBe(LANES);
    quiz.close();
  }

  async function publishOutside(sessionId: string): Promise<void> {
    const nc = await connect({ servers: stack.natsUrl });
    for (const [playerId, points] of [
      ["outsider", "777"],
      ["another", "12"],
    ] as const)
      await jetstream(nc).publish(
        subjectForScore({ sessionId, round: 3, outsider: playerId }),
        points,
      );
    await nc.close();
  }

  async function untilOpen(
    quiz: ReturnType<typeof createClient<typeof QuizService>>,
    sessionId: string,
    round: number,
  ): Promise<Session> {
    let open: Session | undefined;
    await holdsWithin(10_000, async () => {
      const { session } = await quiz.getSession({ sessionId });
      if (session?.round === round && session.phase === Phase.OPEN) open = session;
      return open !== undefined;
    });
    if (!open) throw new Error(`round ${round} did not open`);
    return open;
  }

  test("is replayed to the same board, ties, removed players and outside scores included", async () => {
    await playAll("all");
    expect(await record("all")).toMatchObject({ exit: 0, stderr: "" });
    const { answers, outside, players } = await readRecord(fileOf("all"));
    expect(outside).toHaveLength(2);
    expect(players.filter(({ status }) => status !== 1)).toHaveLength(1);
    const places = rank(answers);
    const tied = places.filter((row, i) => {
      const above = places[i - 1];
      return above?.points === row.points && above.elapsedMs === row.elapsedMs;
    });
    expect(tied.length).toBeGreaterThan(0);
    for (const speed of [7, 100]) {
      const { exit, stderr } = await replay("all", `all-${speed}`, speed);
      expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
      expect(await boardOf(`all-${speed}`)).toEqual(await boardOf("all"));
    }
  });
});

test("a session that is still played can't be recorded, and a file that is none is told", async () => {
  const quiz = openDoor(QuizService, stack.gatewayUrls, stack.adminToken);
  await quiz.createSession({
    sessionId: "live",
    source: {
      case: "quiz",
      value: {
        title: "Live",
        questions: [
          { type: QuestionType.TRUE_FALSE, question: "?", options: [], answer: ["true"] },
        ],
      },
    },
  });
  const early = await record("live");
  expect(early.exit).toBe(1);
  expect(early.stderr).toContain("is still played");
  await writeFile(fileOf("none"), `{"version": 1}`);
  const none = await replay("none", "none", 1);
  expect(none.exit).toBe(1);
  expect(none.stderr).toContain("is no record: version must be 2");
  const noSecret = await runFanfare(["simulate", "-from", fileOf("none")], {
    ...{ FANFARE_HOME: folder, TOKEN_SECRET: "" },
  });
  expect(noSecret.exit).toBe(2);
  expect(noSecret.stderr).toContain("needs the installation's secret");
});
