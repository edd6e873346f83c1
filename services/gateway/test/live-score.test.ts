/** The paths that people have scripts for: page and socket at /livescore/<session>. */
import { Phase } from "@fanfare/proto/quiz/v1/session";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Backstage, rows } from "./backstage.js";
import { StagedSession } from "./director.js";
import { type TestClient, TestGateway, until } from "./gateway.js";

let backstage: Backstage;
let gateway: TestGateway;
const clients: TestClient[] = [];

beforeAll(async () => {
  backstage = await Backstage.open();
  gateway = await TestGateway.start(backstage, { ROOM_LINGER_MS: "100" });
});

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

afterAll(async () => {
  await gateway.stop();
  await backstage.close();
});

function connect(path: string): TestClient {
  const client = gateway.connect(path);
  clients.push(client);
  return client;
}

async function textAt(client: TestClient, index: number): Promise<string> {
  await until(`text ${index}`, () => client.texts.length > index);
  return client.texts[index] ?? "";
}

test("a session that does not exist shows an empty board at connect", async () => {
  const client = connect("/livescore/nobody");
  expect(await textAt(client, 0)).toBe("[]");
});

test("who asks for states is told what the rows are of: nothing yet, a lobby, a quiz, its end", async () => {
  const plain = connect("/livescore/states_1");
  const client = connect("/livescore/states_1?states=1");
  expect(await textAt(client, 0)).toBe('{"state":"unknown"}');
  expect(await textAt(client, 1)).toBe("[]");
  const states = () =>
    client.texts.filter((text) => text.startsWith("{")).map((text) => JSON.parse(text).state);
  await backstage.putSession("states_1");
  await until("a lobby", () => states().length === 2, undefined, states);
  expect(await textAt(connect("/livescore/states_1?states=1&limit=3"), 0)).toBe(
    '{"state":"lobby"}',
  );
  await backstage.openRound("states_1", 1);
  await until("a quiz", () => states().length === 3, undefined, states);
  await backstage.publishBoard("states_1", { standings: rows(1) });
  await until("a row", () => plain.texts.length === 2);
  await backstage.putSession("states_1", { phase: Phase.ENDED });
  await until("its end", () => states().length === 4, undefined, states);
  expect(states()).toEqual(["unknown", "lobby", "live", "ended"]);
  expect(plain.texts.every((text) => text.startsWith("["))).toBe(true);
});

test("scores that only outsiders publish are live once there is one", async () => {
  const client = connect("/livescore/states_2?states=1");
  expect(await textAt(client, 0)).toBe('{"state":"unknown"}');
  await backstage.publishBoard("states_2", { standings: rows(2) });
  expect(await textAt(client, 2)).toBe('{"state":"live"}');
  expect(JSON.parse(await textAt(client, 3))).toHaveLength(2);
});

test("a path with a slash at its end is the same socket", async () => {
  expect(await textAt(connect("/livescore/slash_1/"), 0)).toBe("[]");
});

test("a session whose board the stream does not hold any more shows what the leaderboard has of it", async () => {
  const ended = new StagedSession();
  ended.standings = rows(3);
  backstage.director.sessions.set("old_1", ended);
  expect(JSON.parse(await textAt(connect("/livescore/old_1"), 0))).toHaveLength(3);
});

test("rows have PlayerID, Score and Rank in this order, and follow the board", async () => {
  const client = connect("/livescore/order_1");
  await textAt(client, 0);
  await backstage.publishBoard("order_1", { standings: rows(2) });
  expect(await textAt(client, 1)).toBe(
    '[{"PlayerID":"player0","Score":10000,"Rank":1},{"PlayerID":"player1","Score":9999,"Rank":2}]',
  );
});

test("the first frame is the last board, also of scores that only outsiders published", async () => {
  await backstage.publishBoard("outside_1", { standings: rows(3) });
  const client = connect("/livescore/outside_1");
  expect(JSON.parse(await textAt(client, 0))).toHaveLength(3);
});

test("without a limit the whole board is sent up to 100 players, with one as many as asked", async () => {
  await backstage.publishBoard("many_1", { standings: rows(100) });
  expect(JSON.parse(await textAt(connect("/livescore/many_1"), 0))).toHaveLength(100);
  expect(JSON.parse(await textAt(connect("/livescore/many_1?limit=7"), 0))).toHaveLength(7);
});

test("a limit beyond the snapshot is read from the leaderboard, at most twice a second", async () => {
  await backstage.putSession("wide_1", { phase: 3 });
  const wide = rows(300);
  backstage.director.session("wide_1").standings = wide;
  const board = (change: number) => ({
    standings: rows(100, `v${change}-`),
    players: 300,
  });
  await backstage.publishBoard("wide_1", board(0));
  const first = connect("/livescore/wide_1?limit=250");
  const second = connect("/livescore/wide_1?limit=200");
  expect(JSON.parse(await textAt(first, 0))).toHaveLength(250);
  expect(JSON.parse(await textAt(second, 0))).toHaveLength(200);
  const reads = () => backstage.director.calls.filter((call) => call.startsWith("getLeaderboard"));
  const before = reads().length;
  const startedAt = performance.now();
  for (let change = 1; change <= 20; change++) {
    backstage.director.session("wide_1").standings = rows(300, `v${change}-`);
    await backstage.publishBoard("wide_1", board(change));
  }
  await until("the last board", () => (first.texts.at(-1) ?? "").includes("v20-249"));
  const seconds = (performance.now() - startedAt) / 1_000;
  expect(reads().length - before).toBeLessThanOrEqual(Math.ceil(seconds * 2) + 1);
});

test("a board that only counts answers sends nothing", async () => {
  const client = connect("/livescore/quiet_1");
  await textAt(client, 0);
  await backstage.publishBoard("quiet_1", { standings: rows(1), answers: 1 });
  await textAt(client, 1);
  await backstage.publishBoard("quiet_1", { standings: rows(1), answers: 2 });
  await backstage.publishBoard("quiet_1", { standings: rows(2), answers: 3 });
  expect(JSON.parse(await textAt(client, 2))).toHaveLength(2);
});

test("an older version never replaces a newer one", async () => {
  const client = connect("/livescore/older_1");
  await textAt(client, 0);
  await backstage.publishBoard("older_1", { standings: rows(2), version: 9_000n });
  await textAt(client, 1);
  await backstage.publishBoard("older_1", { standings: rows(5), version: 8_999n });
  await backstage.publishBoard("older_1", { standings: rows(3), version: 9_001n });
  expect(JSON.parse(await textAt(client, 2))).toHaveLength(3);
});

test.each([
  "/livescore/a.b",
  "/livescore/*",
  "/livescore/%3E",
  "/livescore/a%20b",
  "/livescore/%F0%9F%98%80",
  `/livescore/${"x".repeat(65)}`,
  "/livescore/quiz_1?limit=0",
  "/livescore/quiz_1?limit=1001",
  "/livescore/quiz_1?limit=-1",
  "/livescore/quiz_1?limit=ten",
])("%s is refused before the upgrade, with a text, and reaches no subject", async (path) => {
  const { status, text } = await connect(path).refused;
  expect(status).toBe(400);
  expect(text).toMatch(/^(a session id is|limit is) /);
  for (const subject of await subjectsHeard("SESSION."))
    expect(subject).toMatch(/^SESSION\.[A-Za-z0-9_-]{1,64}(\.removed|\.takeover)?$/);
});

test("a watcher that leaves disturbs nobody, and the room goes with the last one", async () => {
  const leaver = connect("/livescore/leave_1");
  const stayer = connect("/livescore/leave_1");
  await textAt(leaver, 0);
  await textAt(stayer, 0);
  leaver.close();
  await leaver.closed;
  await backstage.publishBoard("leave_1", { standings: rows(1) });
  expect(JSON.parse(await textAt(stayer, 1))).toHaveLength(1);
  stayer.close();
  await until("the room to close", async () => (await gateway.metric("gateway_rooms")) === 0);
});

/** What clients of NATS have subscribed to. */
async function subjectsHeard(prefix: string): Promise<string[]> {
  const page = await fetch(`${backstage.nats.monitorUrl}/subsz?subs=1&limit=1000`);
  const { subscriptions_list = [] } = (await page.json()) as {
    subscriptions_list?: { subject: string }[];
  };
  return subscriptions_list.map(({ subject }) => subject).filter((each) => each.startsWith(prefix));
}
