/** As many players as players_max, never one more, however names fall on lanes and whoever admits them. */
import { randomUUID } from "node:crypto";
import { create, toJsonString } from "@bufbuild/protobuf";
import { laneOf, nicknameKey, subjectForPlayers } from "@fanfare/proto/addresses";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { PlayerBatchSchema } from "@fanfare/proto/events/v1/events";
import { PlayerStatus } from "@fanfare/proto/quiz/v1/quiz_service";
import type { Session } from "@fanfare/proto/quiz/v1/session";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createSession, type Pod, type Stores, startPod, startStores } from "./pods.js";
import { openLog } from "./raw-log.js";

let stores: Stores;
let pods: [Pod, Pod];

beforeAll(async () => {
  stores = await startStores();
  pods = [await startPod(stores), await startPod(stores)];
});

afterAll(async () => {
  await Promise.all(pods.map((pod) => pod.stop()));
  await stores[Symbol.asyncDispose]();
});

const service = (pod: Pod) => pod.as({ role: "service", subject: "test" });

/** Joins in batches of a gateway, through both pods at once; how many were refused, by reason. */
async function crowd(session: Session, names: readonly string[], batch: number) {
  const { sessionId } = session;
  const lanes = session.options?.lanes ?? 1;
  const batches = Array.from({ length: lanes }, (_, lane) =>
    names.filter((name) => laneOf(nicknameKey(name), lanes) === lane),
  ).flatMap((some) =>
    Array.from({ length: Math.ceil(some.length / batch) }, (_, i) =>
      some.slice(i * batch, (i + 1) * batch),
    ),
  );
  const clients = pods.map(service);
  const replies = await Promise.all(
    batches.map((some, i) =>
      (clients[i % 2] as ReturnType<typeof service>).joinSession({
        sessionId,
        joins: some.map((nickname) => ({ nickname, submissionId: `j-${nickname}` })),
      }),
    ),
  );
  const results = replies.flatMap((reply) => reply.results);
  const refused = results.flatMap((each) => (each.player ? [] : [ErrorReason[each.refused]]));
  return { joined: results.length - refused.length, refused };
}

const numbered = (count: number, name = "p") =>
  Array.from({ length: count }, (_, i) => `${name}${i}`);

async function active(sessionId: string): Promise<number> {
  let count = 0;
  let pageToken = "";
  do {
    const page = await pods[1].client.listPlayers({ sessionId, pageSize: 1_000, pageToken });
    count += page.players.filter(({ status }) => status === PlayerStatus.ACTIVE).length;
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return count;
}

test.each([
  [20, 4, 1],
  [1_000, 8, 25],
  [5, 8, 1],
  [64, 64, 1],
])(
  "%i players get into as many seats on %i lanes, and nobody beyond them",
  async (max, lanes, batch) => {
    const session = await createSession(pods[0], { playersMax: max, lanes });
    const first = await crowd(session, numbered(max), batch);
    expect(first).toEqual({ joined: max, refused: [] });
    const more = await crowd(session, numbered(10, "late"), 5);
    expect(more.joined).toBe(0);
    expect(new Set(more.refused)).toEqual(new Set(["SESSION_FULL"]));
    expect(await active(session.sessionId)).toBe(max);
  },
);

test("of more than there are seats for, all at once through two pods, exactly as many get in", async () => {
  const session = await createSession(pods[0], { playersMax: 100, lanes: 6 });
  const { joined, refused } = await crowd(session, numbered(300), 7);
  expect(joined).toBe(100);
  expect(new Set(refused)).toEqual(new Set(["SESSION_FULL"]));
  expect(await active(session.sessionId)).toBe(100);
});

test("the seat of a player who was removed is free for a name of any lane", async () => {
  const session = await createSession(pods[0], { playersMax: 6, lanes: 3 });
  const { sessionId } = session;
  await crowd(session, numbered(6), 1);
  const [away] = numbered(1);
  await pods[0].client.kickPlayer({
    sessionId,
    player: { case: "nickname", value: away as string },
  });
  const lane = laneOf(away as string, 3);
  const other = numbered(50, "other").find((name) => laneOf(name, 3) !== lane) as string;
  expect(await crowd(session, [other], 1)).toEqual({ joined: 1, refused: [] });
  expect((await crowd(session, ["one-more"], 1)).refused).toEqual(["SESSION_FULL"]);
});

test("seats that a pod gave before it died are not lost", async () => {
  const session = await createSession(pods[0], { playersMax: 8, lanes: 2 });
  const { sessionId } = session;
  const log = await openLog(stores.nats.url);
  const value = { moveId: randomUUID(), toLane: 1, seats: 3 };
  const batch = create(PlayerBatchSchema, { changes: [{ change: { case: "given", value } }] });
  await log.publish([subjectForPlayers(sessionId, 0), toJsonString(PlayerBatchSchema, batch)]);
  // Names of the lane that gave: it needs them back, by way of the lane that never took them.
  const names = numbered(100).filter((name) => laneOf(name, 2) === 0);
  expect(await crowd(session, names.slice(0, 8), 8)).toEqual({ joined: 8, refused: [] });
  expect((await crowd(session, names.slice(8, 9), 1)).refused).toEqual(["SESSION_FULL"]);
  await log.close();
});

test("a join that is sent again after the session is full is the same join", async () => {
  const session = await createSession(pods[0], { playersMax: 4, lanes: 4 });
  await crowd(session, numbered(4), 1);
  expect(await crowd(session, numbered(4), 1)).toEqual({ joined: 4, refused: [] });
});
