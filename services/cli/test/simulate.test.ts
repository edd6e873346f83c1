/** `fanfare simulate` against a whole stack. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@fanfare/common/grpc-client";
import { type HistoryRow, QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Stack, startStack } from "../src/stack/start-stack.js";
import { fillBank } from "../src/up/fill-bank.js";
import { Fanfare, runFanfare } from "./run-fanfare.js";

let stack: Stack;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fanfare-simulate-"));
  stack = await startStack({ gateways: 2 });
  await fillBank(stack.gatewayUrls, stack.adminToken);
});

afterAll(async () => {
  await stack?.stop();
  await rm(folder, { recursive: true, force: true });
});

function simulation(name: string, rounds: number, ...more: string[]): string[] {
  const [grpc = ""] = stack.quizUrls;
  const where = ["-url", stack.gatewayUrls.join(","), "-grpc", grpc, "-token", stack.adminToken];
  const what = ["-name", name, "-rounds", String(rounds), "-players", "5", "-every", "1"];
  return ["simulate", ...what, ...where, ...more];
}

async function historyOf(sessionId: string): Promise<HistoryRow[]> {
  const quiz = createClient(QuizService, stack.quizUrls[0] ?? "", () => stack.adminToken);
  const rows: HistoryRow[] = [];
  for await (const part of quiz.exportHistory({ sessionId })) rows.push(...part.rows);
  quiz.close();
  return rows;
}

describe("fanfare simulate", () => {
  test("plays to the end, and all accounts agree", async () => {
    const { exit, stdout, stderr } = await runFanfare(simulation("quiz_1", 3));
    expect(stderr).toBe("");
    expect(exit).toBe(0);
    expect(stdout.match(/^round \d\/3 .* 5\/5 accepted/gm)).toHaveLength(3);
    expect(stdout).toMatch(/Rank +PlayerID +Score/);
    expect(stdout).toContain("agree on 15 answers");
    expect(await historyOf("quiz_1")).toHaveLength(15);
  });

  test("repeats a game by its seed", async () => {
    const told = (rows: HistoryRow[]) =>
      rows.map(({ round, nickname, correct }) => `${round} ${nickname} ${correct}`).sort();
    for (const name of ["first", "second"])
      expect((await runFanfare(simulation(name, 3, "-seed", "42"))).exit).toBe(0);
    expect(told(await historyOf("second"))).toEqual(told(await historyOf("first")));
  });

  test("plays an ended session anew, and leaves a live one alone", async () => {
    const first = new Fanfare(simulation("again", 8));
    await first.untilSaid("round 1/8");
    const meanwhile = await runFanfare(simulation("again", 8));
    expect(meanwhile.exit).toBe(1);
    expect(meanwhile.stderr).toContain("session again is being played");
    expect(await first.ended).toBe(0);
    expect(await runFanfare(simulation("again", 1))).toMatchObject({ exit: 0, stderr: "" });
    expect(await historyOf("again")).toHaveLength(5);
  });

  test("ends its session when it is interrupted", async () => {
    const interrupted = new Fanfare(simulation("interrupted", 5));
    await interrupted.untilSaid("round 1/5");
    interrupted.kill("SIGINT");
    expect(await interrupted.ended).toBe(130);
    expect((await runFanfare(simulation("interrupted", 1))).exit).toBe(0);
  });

  test("waits for services that are still to come, as long as it is told to", async () => {
    const quiz = stack.process("quiz-1");
    await quiz.stop();
    const inVain = await runFanfare(simulation("early", 1, "-wait", "0.5"));
    expect(inVain).toMatchObject({ exit: 1, stderr: expect.stringContaining("No connection") });
    const patient = runFanfare(simulation("early", 1, "-wait", "60"));
    await quiz.restart();
    expect(await patient).toMatchObject({ exit: 0, stderr: "" });
  });

  test("plays the questions of a file", async () => {
    const file = join(folder, "quiz.json");
    const question = { question: "Is this a file?", options: ["Yes", "No"], answer: "Yes" };
    await writeFile(
      file,
      JSON.stringify({ title: "From a file", tags: [], questions: [question] }),
    );
    const { exit, stdout, stderr } = await runFanfare(simulation("of-file", 2, "-quiz", file));
    expect(stderr).toBe("");
    expect(exit).toBe(0);
    expect(stdout.match(/Is this a file\?/g)).toHaveLength(2);
  });

  test("loses nothing when a gateway and a quiz pod are killed in the middle", async () => {
    const running = new Fanfare(simulation("faults", 5));
    await running.untilSaid("round 1/5");
    await stack.process("gateway-1").kill("SIGKILL");
    await running.untilSaid("round 2/5");
    await Promise.all([stack.process("gateway-1").restart(), stack.process("quiz-1").restart()]);
    const exit = await running.ended;
    expect(running.stderr).toBe("");
    expect(exit).toBe(0);
  });
});
