/** `fanfare load` against a whole stack. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { holdsWithin } from "@fanfare/common/servers/wait";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { holds } from "../src/ledgers/compare.js";
import type { LoadResult } from "../src/load/result.js";
import { type Stack, startStack } from "../src/stack/start-stack.js";
import { Fanfare, runFanfare } from "./run-fanfare.js";

let stack: Stack;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fanfare-load-"));
  stack = await startStack({ gateways: 2 });
});

afterAll(async () => {
  await stack?.stop();
  await rm(folder, { recursive: true, force: true });
});

function load(name: string, ...more: string[]): string[] {
  const { gatewayUrls, quizUrls, natsUrl, redisUrl, adminToken } = stack;
  return [
    "load",
    ...["-name", name, "-round", "5", "-reveal", "1", "-out", folder],
    ...["-url", gatewayUrls.join(","), "-grpc", quizUrls[0] ?? "", "-token", adminToken],
    ...["-nats", natsUrl, "-redis", redisUrl],
    ...more,
  ];
}

const environment = () => ({ FANFARE_HOME: stack.directory });

async function resultOf(name: string): Promise<LoadResult> {
  return JSON.parse(await readFile(join(folder, `${name}.json`), "utf8")) as LoadResult;
}

describe("fanfare load", () => {
  test("plays with players who come back, slow readers and watchers, and the four ledgers agree", async () => {
    const { exit, stdout, stderr } = await runFanfare(
      [
        ...load("crowd", "--players", "200", "-processes", "2", "-rounds", "2"),
        ...["-resume-rate", "10", "-slow", "10", "-slow-for", "1"],
        ...["-spectators", "5", "-watchers", "5", "-slo", "ack-max=60000"],
      ],
      environment(),
    );
    expect(stderr).toBe("");
    expect(stdout).toMatch(/All ledgers agree on \d+ acknowledged answers/);
    expect(stdout).toMatch(/The load generator was (not )?the bottleneck: /);
    expect(exit).toBe(0);
    const { players, counts, times, ledgers, services, unitCosts, ...result } =
      await resultOf("crowd");
    expect(players).toEqual({ asked: 200, joined: 200, missing: {} });
    // Somebody may not be done in time.
    expect(counts.acked).toBeGreaterThan(380);
    expect(counts.acked + counts.refused).toBe(counts.sent);
    expect(counts.leaves).toBeGreaterThan(10);
    expect(counts.returns).toBe(counts.leaves);
    expect(counts.liveFrames).toBeGreaterThan(10);
    expect(times.connect.count).toBe(200);
    expect(times.resume.count).toBe(counts.returns);
    for (const each of [times.ack, times.reveal, times.board])
      expect(each.count).toBeGreaterThan(200);
    expect(result.questions.map(({ round }) => round)).toEqual([1, 2]);
    const [ledger] = ledgers;
    expect(ledger?.log && holds(ledger.log) && holds(ledger.postgres)).toBe(true);
    expect(ledger?.acknowledged).toBe(counts.acked);
    expect(ledger?.answers).toBe(counts.acked);
    expect(ledger?.board).toEqual({ players: 200, store: "Redis", differences: 0 });
    expect(services.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["gateway-1", "gateway-2", "history-1", "nats", "redis"]),
    );
    expect(unitCosts.map(({ what }) => what)).toContain("CPU per answer, all of these processes");
    expect(result.broken).toEqual([]);
    const html = await readFile(join(folder, "crowd.html"), "utf8");
    expect(html).toContain("All ledgers agree");
    expect(html.match(/<svg /g)?.length).toBeGreaterThan(5);
    // The page needs nothing else, and holds no secret.
    expect(html).not.toMatch(/<script|<link|<img|@import|url\(/);
    for (const secret of [stack.adminToken, stack.natsUrl, stack.redisUrl])
      expect(html + JSON.stringify(result.options)).not.toContain(secret);
  });

  test("a row that is missing in PostgreSQL is told, and the exit code is 1", async () => {
    const sql = postgres(stack.postgresUrl, { max: 1, onnotice: () => {} });
    const running = runFanfare(
      load("robbed", "-players", "20", "-rounds", "1", "-burst", "0.5", "-audit-within", "2"),
    );
    const deleteOne = async () => {
      const { count } = await sql`
        DELETE FROM quiz.quiz_history WHERE (session_id, player_id) IN (
          SELECT session_id, player_id FROM quiz.quiz_history
          WHERE session_id = 'robbed' LIMIT 1)`;
      return count === 1;
    };
    expect(await holdsWithin(30_000, deleteOne)).toBe(true);
    await sql.end();
    const { exit, stdout } = await running;
    expect(exit).toBe(1);
    expect(stdout).toContain("acknowledged, and not there");
    const [ledger] = (await resultOf("robbed")).ledgers;
    expect(ledger?.postgres.lost).toBe(1);
    expect(ledger?.log).toMatchObject({ lost: 0, doubled: 0 });
  });

  test("a limit that was not kept is told, and the exit code is 1", async () => {
    const { exit, stdout } = await runFanfare(
      load("slow", "-players", "5", "-rounds", "1", "-slo", "ack-p50=0.001"),
    );
    expect(exit).toBe(1);
    expect(stdout).toContain("All ledgers agree");
    expect(stdout).toMatch(/BROKEN:\n {2}ack p50 was [\d.]+ ms, and 0.001 ms is the limit/);
  });

  test("several commands play the parts of one session, and each checks its own book", async () => {
    const parts = ["0/2", "1/2"].map((part) =>
      runFanfare(load("shared", "-players", "40", "-rounds", "1", "-part", part)),
    );
    for (const { exit, stderr } of await Promise.all(parts))
      expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
    const results = [await resultOf("shared-0"), await resultOf("shared-1")];
    for (const { players, ledgers } of results) {
      expect(players.joined).toBe(20);
      expect(ledgers[0]?.board.players).toBeGreaterThan(30);
    }
    const [first, second] = results.map(({ ledgers }) => ledgers[0]);
    expect((first?.acknowledged ?? 0) + (second?.acknowledged ?? 0)).toBe(first?.answers);
  });

  test("Ctrl-C ends the sessions, and what was played is reported", async () => {
    const interrupted = new Fanfare(load("cut", "-players", "20", "-rounds", "50"));
    await interrupted.untilSaid("20 sockets");
    interrupted.kill("SIGINT");
    expect(await interrupted.ended).toBe(130);
    expect(await resultOf("cut")).toMatchObject({ players: { joined: 20 }, broken: [] });
    const again = await runFanfare(load("cut", "-players", "5", "-rounds", "1"));
    expect(again).toMatchObject({ exit: 0, stderr: "" });
  });

  test.each([
    ["parts without a name", ["-part", "0/2"], "-part needs -name"],
    ["a part that is none", ["-name", "a", "-part", "2/2"], "must be below 2"],
    ["a limit that is none", ["-slo", "ack=5"], "-slo ack=5 must be as ack-p99=100"],
    ["two kinds of answer times", ["-burst", "1", "-reaction", "2"], "exclude each other"],
  ])("%s: exits with 2 and says why", async (_, flags, why) => {
    const { exit, stderr } = await runFanfare(["load", ...flags], { FANFARE_TOKEN: "any" });
    expect(exit).toBe(2);
    expect(stderr).toContain(why);
  });
});
