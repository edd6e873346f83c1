/** `fanfare simulate`, as it is typed. */
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ImportFormat } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Stage, startStage } from "./stage.js";

const FANFARE = join(import.meta.dirname, "..", "services", "cli", "bin", "fanfare.js");

let stage: Stage;
let folder: string;

beforeAll(async () => {
  [stage, folder] = await Promise.all([
    startStage({ gateways: 2 }),
    mkdtemp(join(tmpdir(), "fanfare-sim-")),
  ]);
  const questions = Array.from({ length: 20 }, (_, i) => ({
    question: `What is ${i} + ${i + 1}?`,
    answer: String(2 * i + 1),
    media: [],
  }));
  await stage.bank.importQuiz({
    format: ImportFormat.JSON,
    content: Buffer.from(JSON.stringify({ title: "Sums", tags: ["maths"], questions })),
  });
});

afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function simulate(...flags: string[]): Promise<{ code: number | null; text: string }> {
  const { stack } = stage;
  const args = ["simulate", "-url", stack.gatewayUrls.join(","), "-grpc", stack.quizUrls[0] ?? ""];
  const child = spawn(process.execPath, [FANFARE, ...args, ...flags], {
    env: { ...process.env, FANFARE_TOKEN: stack.adminToken, FANFARE_HOME: folder, NO_COLOR: "1" },
  });
  let text = "";
  child.stdout.on("data", (data) => (text += data));
  child.stderr.on("data", (data) => (text += data));
  const code = await new Promise<number | null>((resolve) => child.once("exit", resolve));
  return { code, text };
}

/** The final table without times: rank, player and score. */
function table(text: string): string[] {
  return text.split("\n").filter((line) => /^\s*\d+\s+player\d+\s+-?\d+/.test(line));
}

test("a session is played to its end, twice under one name, and all accounts agree", async () => {
  for (let run = 0; run < 2; run++) {
    const { code, text } = await simulate(
      "-name",
      "quiz_1",
      "-rounds",
      "3",
      "-players",
      "10",
      "--every",
      "1.5",
      "--seed",
      "7",
    );
    expect(text).toMatch(/player\d/);
    expect(code, text).toBe(0);
    expect(table(text).length).toBeGreaterThanOrEqual(8);
  }
});

test("a quiz of one's own is played", async () => {
  const file = join(folder, "own.json");
  await writeFile(
    file,
    JSON.stringify({
      title: "Own",
      tags: [],
      questions: [{ question: "Is this ours?", answer: "true", media: [] }],
    }),
  );
  const { code, text } = await simulate(
    "-name",
    "own",
    "-rounds",
    "1",
    "-players",
    "3",
    "-every",
    "1",
    "--quiz",
    file,
  );
  expect(code, text).toBe(0);
  expect(text).toContain("Is this ours?");
});

test.each([
  ["no flags", []],
  ["no players", ["-name", "x", "-rounds", "2"]],
  ["a name with dots", ["-name", "a.b", "-rounds", "2", "-players", "2"]],
  ["negative rounds", ["-name", "x", "-rounds", "-2", "-players", "2"]],
  ["an unknown flag", ["-name", "x", "-rounds", "2", "-players", "2", "-fly"]],
])("%s: usage, and exit 2", async (_, flags) => {
  const { code, text } = await simulate(...flags);
  expect(code).toBe(2);
  expect(text).toContain("fanfare simulate");
});
