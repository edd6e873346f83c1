/** What a ban leaves in PostgreSQL: the final standings are without the player and the name, the log keeps all. */
import { randomUUID } from "node:crypto";
import { nicknameKey } from "@fanfare/proto/addresses";
import { PlayerStatus } from "@fanfare/proto/quiz/v1/quiz_service";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  createSession,
  joinPlayers,
  type Pod,
  type Stores,
  startPod,
  startStores,
  startWriter,
  until,
} from "./pods.js";
import {
  answers,
  created,
  ended,
  joined,
  openLog,
  outside,
  players,
  type RawLog,
  roundClosed,
} from "./raw-log.js";

let stores: Stores;
let writer: Awaited<ReturnType<typeof startWriter>>;
let pod: Pod;
let log: RawLog;
let sql: postgres.Sql;

beforeAll(async () => {
  stores = await startStores();
  log = await openLog(stores.nats.url);
  writer = await startWriter(stores);
  pod = await startPod(stores);
  sql = postgres(stores.postgres.url, { max: 2, onnotice: () => {} });
});

afterAll(async () => {
  await sql.end();
  await pod.stop();
  await writer.stop();
  await log.close();
  await stores[Symbol.asyncDispose]();
});

const removed = (playerId: string, name: string, status = PlayerStatus.BANNED) => ({
  changes: [
    {
      change: {
        case: "removed" as const,
        value: { playerId, nicknameKey: nicknameKey(name), status },
      },
    },
  ],
});

const begun = (sessionId: string) => [
  created(sessionId, { title: "Bans" }),
  players(sessionId, { changes: [joined("p1", "Ann"), joined("p2", "Bob"), joined("p3", "Cy")] }),
];
const played = (sessionId: string) => [
  answers(
    sessionId,
    {
      answers: [
        { playerId: "p1", points: 30 },
        { playerId: "p2", points: 20 },
        { playerId: "p3", points: 10 },
      ],
    },
    1,
  ),
  roundClosed(sessionId, { answers: 3, points: 60n }, 1),
];

async function standings(sessionId: string): Promise<unknown[][]> {
  const found = await sql`
    SELECT place, player_id, points FROM quiz.final_standings
    WHERE session_id = ${sessionId} ORDER BY place`;
  return found.map((row) => Object.values(row));
}

const untilStandings = (sessionId: string, count: number) =>
  until(async () => {
    const found = await standings(sessionId);
    return found.length === count && found;
  });

async function auditMismatches(): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${writer.adminPort}/metrics`)).text();
  return Number(/^quiz_audit_mismatches_total\S* (\d+)/m.exec(text)?.[1]);
}

describe("the final standings", () => {
  const ban = (sessionId: string) => players(sessionId, removed("p1", "Ann"));

  test("are made without a player who was banned before", async () => {
    const id = "before";
    await log.publish(...begun(id), ban(id), ...played(id), ended(id));
    expect(await untilStandings(id, 2)).toEqual([
      [1, "p2", 20],
      [2, "p3", 10],
    ]);
    const rows = await sql`SELECT FROM quiz.quiz_history WHERE session_id = ${id}`;
    expect(rows).toHaveLength(3);
    expect(await auditMismatches()).toBe(0);
  });

  test("are made again without a player who is banned behind the end", async () => {
    const id = "behind";
    await log.publish(...begun(id), ...played(id), ended(id));
    await untilStandings(id, 3);
    await log.publish(ban(id));
    expect(await untilStandings(id, 2)).toEqual([
      [1, "p2", 20],
      [2, "p3", 10],
    ]);
  });

  test("are without all who went by the name, and outsiders who do", async () => {
    const id = "names";
    await log.publish(
      ...begun(id),
      ...played(id),
      players(id, removed("p1", "Ann", PlayerStatus.KICKED)),
      players(id, { changes: [joined("p4", "Ann")] }),
      outside(id, "ann", 99),
      outside(id, "dan", 5),
      players(id, removed("p4", "Ann")),
      ended(id),
    );
    expect(await untilStandings(id, 3)).toEqual([
      [1, "p2", 20],
      [2, "p3", 10],
      [3, "@dan", 5],
    ]);
  });

  test("keep who was kicked", async () => {
    const id = "kicked";
    const kick = players(id, removed("p1", "Ann", PlayerStatus.KICKED));
    await log.publish(...begun(id), ...played(id), kick, ended(id));
    expect((await untilStandings(id, 3))[0]).toEqual([1, "p1", 30]);
  });
});

test("a ban of who was kicked takes along who has the name now; a kick after a ban changes nothing", async () => {
  const { sessionId } = await createSession(pod);
  const [first = ""] = await joinPlayers(pod, sessionId, 1);
  await pod.client.kickPlayer({ sessionId, player: { case: "playerId", value: first } });
  const service = pod.as({ role: "service", subject: "test" });
  const join = () => {
    const joins = [{ nickname: "Player0", submissionId: randomUUID() }];
    return service.joinSession({ sessionId, joins });
  };
  const [heir] = (await join()).results;
  expect(heir?.player?.status).toBe(PlayerStatus.ACTIVE);
  await pod.client.banPlayer({ sessionId, player: { case: "playerId", value: first } });
  await pod.client.kickPlayer({ sessionId, player: { case: "playerId", value: first } });
  const { players: listed } = await pod.client.listPlayers({ sessionId });
  expect(listed.map(({ status }) => status)).toEqual([PlayerStatus.BANNED, PlayerStatus.BANNED]);
  expect((await join()).results[0]?.player).toBeUndefined();
});
