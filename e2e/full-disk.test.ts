/**
 * The disk of NATS is full for a moment, in the middle of a quiz that runs as `fanfare up` runs it:
 * everybody is told what is wrong, nats-server is started again once there is room, and the quiz goes
 * on where it stood.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SmallDisk } from "@fanfare/common/servers/small-disk";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectLedgersAgree } from "./ledgers.js";
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

const PLAYERS = 10;
const HEALED_WITHIN_MS = 30_000;

let folder: string;
let disk: SmallDisk | undefined;
let stage: Stage | undefined;
const told: string[] = [];

beforeAll(async () => {
  if (!SmallDisk.isPossible) return;
  folder = await mkdtemp(join(tmpdir(), "fanfare-full-disk-"));
  // NATS takes three quarters, of which the streams of boards and dead letters want 192 MB.
  disk = SmallDisk.mount(join(folder, "data", "nats"), 512);
  stage = await startStage({
    directory: folder,
    supervise: true,
    onProgress: (line) => told.push(line),
  });
});

afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  disk?.[Symbol.dispose]();
  if (folder) await rm(folder, { recursive: true, force: true });
});

/** What each process that needs NATS says of itself. */
async function readiness(on: Stage): Promise<Record<string, string>> {
  const needs = [...on.stack.processes.values()].filter(({ name }) => name !== "quiz-master-1");
  const pages = needs.map(async ({ name, adminUrl }) => {
    const page = await fetch(`${adminUrl}/readyz`);
    return [name, `${page.status} ${(await page.text()).trim()}`] as const;
  });
  return Object.fromEntries(await Promise.all(pages));
}

const readyEverywhere = (pages: Record<string, string>) =>
  Object.values(pages).every((page) => page === "200 ok");

test.runIf(SmallDisk.isPossible)(
  "a disk that was full for a moment stops a quiz for that moment alone",
  async () => {
    if (!stage || !disk) throw new Error("not started");
    const on = stage;
    const sessionId = "full-disk";
    await openSession(on, sessionId, 2);
    const players = await joinPlayers(on, sessionId, PLAYERS);
    const book = new Book();
    await on.quiz.startSession({ sessionId });
    const [early, late] = [players.slice(0, PLAYERS / 2), players.slice(PLAYERS / 2)];
    await Promise.all(early.map((player) => book.play(player, 1, true)));

    disk.fill();
    const playing = Promise.all(late.map((player) => book.play(player, 1, true)));
    // What is written next may still fit into the last page of a file.
    for (let n = 0, seen = ""; !/is full/.test(seen); n++)
      seen = await openSession(on, `no-room-${n}`, 50).then(() => "", String);
    const full = /^503 NATS stores nothing \(its disk is or was full\): make room/;
    await until(
      async () => Object.values(await readiness(on)).every((page) => full.test(page)),
      HEALED_WITHIN_MS,
    );
    await expect(closeRound(on, sessionId, 1)).rejects.toThrow(/is full/);
    await until(() => told.some((line) => /NATS stores nothing.*once there is room/.test(line)));
    const { pid } = on.stack.servers.nats;

    disk.empty();
    await until(async () => readyEverywhere(await readiness(on)), HEALED_WITHIN_MS);
    expect(on.stack.servers.nats.pid).not.toBe(pid);
    expect(told).toContainEqual(expect.stringMatching(/^nats does not work, starts again in/));
    // Their clients went on trying.
    expect((await playing).map(({ kind }) => kind)).toEqual(late.map(() => "accepted"));
    await closeRound(on, sessionId, 1);
    await nextRound(on, sessionId, 1);
    await Promise.all(players.map((player) => book.play(player, 2, true)));
    await closeRound(on, sessionId, 2);
    await expectLedgersAgree(on, sessionId, book);
    for (const player of players) player.close();
  },
);
