/** What one pod has acknowledged, another one knows that is asked afterwards, however slow its link. */
import { randomUUID } from "node:crypto";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { PlayerStatus } from "@fanfare/proto/quiz/v1/quiz_service";
import { Phase } from "@fanfare/proto/quiz/v1/session";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  choiceOf,
  createSession,
  joinPlayers,
  type Pod,
  type Stores,
  startPod,
  startStores,
  submit,
  untilPhase,
} from "./pods.js";
import { slowCable } from "./slow-cable.js";

let stores: Stores;
let cable: Awaited<ReturnType<typeof slowCable>>;
let quick: Pod;
let slow: Pod;

beforeAll(async () => {
  stores = await startStores();
  cable = await slowCable(stores.nats.url);
  quick = await startPod(stores);
  slow = await startPod({ ...stores, nats: { url: cable.url } });
});

afterAll(async () => {
  cable.delay(0);
  await Promise.all([quick.stop(), slow.stop()]);
  cable.close();
  await stores[Symbol.asyncDispose]();
});

const service = (pod: Pod) => pod.as({ role: "service", subject: "test" });

/** Keeps the slow pod reading, as a crowd that comes back does, until the work is done. */
async function whileAsked<T>(sessionId: string, playerId: string, work: () => Promise<T>) {
  const client = service(slow);
  let isOver = false;
  const asking = Array.from({ length: 3 }, async () => {
    while (!isOver) await client.resumeSession({ sessionId, playerIds: [playerId] });
  });
  try {
    return await work();
  } finally {
    isOver = true;
    await Promise.all(asking);
  }
}

test.each([5, 20])(
  "with %i ms to the log a resume knows each answer that another pod has acknowledged",
  async (delayMs) => {
    const { sessionId } = await createSession(quick, { roundSeconds: 60, lanes: 2 });
    const ids = await joinPlayers(quick, sessionId, 60);
    await quick.client.startSession({ sessionId });
    const session = await untilPhase(slow, sessionId, Phase.OPEN, 1);
    const choices = [choiceOf(session, "right 1")];
    cable.delay(delayMs);
    const missing = await whileAsked(sessionId, ids[0] as string, async () => {
      const missed: string[] = [];
      const play = async (playerId: string) => {
        const sent = { playerId, submissionId: randomUUID(), choices, elapsedMs: 100 };
        await submit(service(quick), session, 1, [sent]);
        const { results } = await service(slow).resumeSession({ sessionId, playerIds: [playerId] });
        if (results[0]?.answer?.submissionId !== sent.submissionId) missed.push(playerId);
      };
      for (let at = 0; at < ids.length; at += 6) await Promise.all(ids.slice(at, at + 6).map(play));
      return missed;
    });
    cable.delay(0);
    expect(missing).toEqual([]);
  },
);

test("who was removed through one pod is not let in by another one that is reading", async () => {
  const { sessionId } = await createSession(quick, {});
  const ids = await joinPlayers(quick, sessionId, 30);
  cable.delay(20);
  const admitted = await whileAsked(sessionId, ids[0] as string, async () => {
    const letIn: string[] = [];
    for (const playerId of ids.slice(1, 16)) {
      await quick.client.kickPlayer({ sessionId, player: { case: "playerId", value: playerId } });
      const { results } = await service(slow).resumeSession({ sessionId, playerIds: [playerId] });
      if (results[0]?.refused !== ErrorReason.KICKED) letIn.push(playerId);
    }
    return letIn;
  });
  cable.delay(0);
  expect(admitted).toEqual([]);
});

test("a kick by name removes who has the name now, not who had it when this pod read last", async () => {
  const { sessionId } = await createSession(quick, {});
  const join = async (pod: Pod, nickname: string) => {
    const joins = [{ nickname, submissionId: randomUUID() }];
    const { results } = await service(pod).joinSession({ sessionId, joins });
    return results[0]?.player?.playerId as string;
  };
  const first = await join(slow, "ann");
  await slow.client.listPlayers({ sessionId });
  cable.delay(50);
  await quick.client.kickPlayer({ sessionId, player: { case: "playerId", value: first } });
  const second = await join(quick, "ann");
  cable.delay(0);
  const kicked = await slow.client.kickPlayer({
    sessionId,
    player: { case: "nickname", value: "ann" },
  });
  expect(kicked.player?.playerId).toBe(second);
  const { players } = await quick.client.listPlayers({ sessionId });
  expect(players.map(({ status }) => status)).toEqual([PlayerStatus.KICKED, PlayerStatus.KICKED]);
});

test("pages of players hold each once and all who were there, while others come", async () => {
  const { sessionId } = await createSession(quick, { lanes: 8 });
  await joinPlayers(quick, sessionId, 40);
  const come = async (from: number) => {
    const joins = Array.from({ length: 5 }, (_, i) => ({
      nickname: `late${from + i}`,
      submissionId: randomUUID(),
    }));
    await service(quick).joinSession({ sessionId, joins });
  };
  const seen: string[] = [];
  let pageToken = "";
  let pages = 0;
  do {
    const page = await slow.client.listPlayers({ sessionId, pageSize: 7, pageToken });
    seen.push(...page.players.map(({ nickname }) => nickname));
    pageToken = page.nextPageToken;
    if (++pages <= 4) await come(pages * 10);
  } while (pageToken !== "");
  expect(new Set(seen).size).toBe(seen.length);
  const early = Array.from({ length: 40 }, (_, i) => `player${i}`);
  expect(seen.slice(0, 40).sort()).toEqual(early.sort());
  expect(seen).toHaveLength(60);
});
