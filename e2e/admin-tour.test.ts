/** Runs the README's tour exactly as it is printed there. */
import { execFile } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findGrpcurl } from "./grpcurl.js";
import { type Stage, startStage } from "./stage.js";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "..");

let stage: Stage;
let tools: string;
let grpcurl: string | undefined;

beforeAll(async () => {
  [stage, grpcurl, tools] = await Promise.all([
    startStage(),
    findGrpcurl(),
    mkdtemp(join(tmpdir(), "fanfare-tour-")),
  ]);
  // The nats command line is not to be had everywhere: the same words, spoken by our own client.
  const nats = join(tools, "nats");
  await writeFile(nats, `#!/bin/sh\nexec node ${join(import.meta.dirname, "nats-pub.mjs")} "$@"\n`);
  await chmod(nats, 0o755);
}, 1_000_000);

afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await rm(tools, { recursive: true, force: true });
});

/** The blocks of the tour, and what stands above them. */
async function tour(): Promise<string[]> {
  const readme = await readFile(join(ROOT, "README.md"), "utf8");
  return [...readme.matchAll(/^```sh tour\n([\s\S]*?)^```$/gm)].map(([, block]) => block ?? "");
}

test("the README's tour works as it is printed", async (context) => {
  context.skip(grpcurl === undefined, "neither grpcurl nor Go is here");
  const blocks = await tour();
  expect(blocks).toHaveLength(5);
  const { stack } = stage;
  const { stdout } = await run("bash", ["-eu", "-o", "pipefail", "-c", blocks.join("\n")], {
    env: {
      ...process.env,
      PATH: [tools, grpcurl, process.env.PATH].join(delimiter),
      TOKEN: stack.adminToken,
      QUIZ: stack.quizUrls[0],
      BOARD: stack.leaderboardUrls[0],
      BANK: stack.quizMasterUrls[0],
      NATS_URL: stack.natsUrl,
    },
    timeout: 60_000,
  });
  expect(stdout).toContain("quiz.v1.QuizService");
  expect(stdout).toContain("rpc CreateSession ( .quiz.v1.CreateSessionRequest )");
  expect(stdout).toMatch(/"questions": 3/);
  expect(stdout).toMatch(/"status": "PLAYER_STATUS_KICKED"/);
  expect(stdout).toMatch(
    /"playerId": "someusername",\s+"nickname": "someusername",\s+"points": 20/,
  );
  expect(stdout).toMatch(/"acceptedAt": "20/);
  expect(stdout).toMatch(/"user": "someusername"/);
  const watched = await readFile("/tmp/fanfare-watch.json", "utf8");
  expect(watched).toContain("PHASE_OPEN");
  expect(watched).toContain("PHASE_ENDED");
}, 120_000);

test("a call without a token, and a mistake, say what to do", async (context) => {
  context.skip(grpcurl === undefined, "neither grpcurl nor Go is here");
  const call = (token: string[]) =>
    run(join(grpcurl ?? "", "grpcurl"), [
      "-plaintext",
      ...token,
      "-d",
      '{"sessionId":"none"}',
      stage.stack.quizUrls[0] ?? "",
      "quiz.v1.QuizService/GetSession",
    ]).then(
      () => "",
      ({ stderr }: { stderr: string }) => stderr,
    );
  expect(await call([])).toContain("send a token as metadata");
  const unknown = await call(["-H", `authorization: Bearer ${stage.stack.adminToken}`]);
  expect(unknown).toContain("NotFound");
  expect(unknown).toContain("ERROR_REASON_SESSION_NOT_FOUND");
});
