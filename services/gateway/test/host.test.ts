/** Hosts: their commands, the names they see, the counts, and removals on every gateway. */
import { Phase } from "@fanfare/proto/quiz/v1/session";
import { expect, test } from "vitest";
import { settled, type TestClient, until } from "./gateway.js";
import { openSuite } from "./suite.js";

const suite = openSuite();

async function hostOf(sessionId: string): Promise<TestClient> {
  const token = suite.backstage.token("host", `host-of-${sessionId}`, sessionId);
  return suite.use(await suite.gateway.host(token));
}

const names = (host: TestClient) =>
  host
    .all("playersChanged")
    .flatMap(({ joined }) => joined.map(({ nickname }: { nickname: string }) => nickname));

test.each([
  ["start", {}, "startSession"],
  ["next", { expectedPhase: "PHASE_OPEN", expectedRound: 1 }, "nextRound"],
  ["next", {}, "nextRound"],
  ["pause", {}, "pauseSession"],
  ["continue", {}, "continueSession"],
  ["extend", { seconds: 10 }, "extendRound"],
  ["skip", {}, "skipRound"],
  ["lock", { locked: true }, "lockSession"],
  ["end", {}, "endSession"],
])(
  "the command %s %j is the RPC of that name, with the host's own token",
  async (name, value, call) => {
    const { director } = suite.backstage;
    const sessionId = await suite.newSession();
    const host = await hostOf(sessionId);
    host.send({ host: { requestId: "r1", [name]: value } });
    expect(await host.next("done")).toEqual({ requestId: "r1" });
    expect(director.calls.at(-1)).toBe(call);
    expect(director.commandsBy.at(-1)).toBe(`host-of-${sessionId}`);
  },
);

test("a command that is refused says why", async () => {
  const host = await hostOf(await suite.newSession());
  host.send({ host: { requestId: "r1", kick: { playerId: "nobody" } } });
  expect(await host.next("refused")).toMatchObject({
    reason: "ERROR_REASON_PLAYER_NOT_FOUND",
    requestId: "r1",
    retryable: false,
  });
});

test("players and spectators command nothing", async () => {
  const sessionId = await suite.newSession();
  const player = suite.use(await suite.gateway.join(sessionId, "ann"));
  const watcher = suite.use(await suite.gateway.watch(sessionId));
  const before = suite.backstage.director.commandsBy.length;
  for (const client of [player, watcher]) {
    client.send({ host: { requestId: "r1", start: {} } });
    expect(await client.next("refused")).toMatchObject({ reason: "ERROR_REASON_FORBIDDEN" });
  }
  expect(suite.backstage.director.commandsBy.length).toBe(before);
});

test("hosts are told the names, from the beginning and as players come, and nobody else is", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const ann = suite.use(await gateway.join(sessionId, "ann"));
  const host = await hostOf(sessionId);
  await until("ann's name", () => names(host).includes("ann"));
  await gateway.join(sessionId, "bob").then(suite.use);
  await backstage.publishBoard(sessionId, { joined: 2 });
  await until("bob's name", () => names(host).includes("bob"));
  const second = await hostOf(sessionId);
  await until("both names", () => names(second).length === 2);
  expect(names(host)).toEqual(["ann", "bob"]);
  expect(ann.all("playersChanged")).toEqual([]);
});

test("names that could not be read are read again", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  suite.use(await gateway.join(sessionId, "ann"));
  backstage.director.quizIsAway = true;
  const host = await hostOf(sessionId);
  await settled(host);
  backstage.director.quizIsAway = false;
  await until("the name", () => names(host).includes("ann"));
});

test("a list of thousands is told in slices", async () => {
  const sessionId = await suite.newSession();
  const { players } = suite.backstage.director.session(sessionId);
  for (let index = 0; index < 2_500; index++)
    players.set(`x${index}`, {
      playerId: `x${index}`,
      nickname: `n${index}`,
      submissionId: "s",
      status: 1,
    });
  const host = await hostOf(sessionId);
  await until("all names", () => names(host).length === 2_500);
  expect(host.all("playersChanged").map(({ joined }) => joined.length)).toEqual([
    1_000, 1_000, 500,
  ]);
});

test("a player who is removed is told so and closed, on every gateway, and hosts hear of it", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const other = await suite.startGateway();
  const here = suite.use(await gateway.join(sessionId, "ann"));
  const there = suite.use(await other.join(sessionId, "bob"));
  const host = await hostOf(sessionId);
  await until("the names", () => names(host).length === 2);
  for (const player of [here, there]) {
    backstage.kick(sessionId, player.playerId);
    expect(await player.next("removed")).toEqual({ reason: "ERROR_REASON_KICKED" });
    expect(await player.closed).toMatchObject({ code: 4503 });
  }
  const removed = () => host.all("playersChanged").flatMap((frame) => frame.removed);
  await until("both removals", () => removed().length === 2);
  expect(removed()).toEqual([here.playerId, there.playerId]);
});

test("a removal that was not heard of comes with the next answer", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const ann = suite.use(await gateway.join(sessionId, "ann"));
  await backstage.openRound(sessionId, 1);
  await ann.next("question");
  const staged = backstage.director.session(sessionId).players.get(ann.playerId);
  if (staged) staged.status = 2;
  ann.answer(1, "A", "a1");
  expect(await ann.next("removed")).toEqual({ reason: "ERROR_REASON_KICKED" });
  expect(await ann.closed).toMatchObject({ code: 4503 });
});

test("hosts and spectators see how many have answered, at most four times a second", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const host = await hostOf(sessionId);
  const ann = suite.use(await gateway.join(sessionId, "ann"));
  await backstage.openRound(sessionId, 1);
  await host.next("question");
  const startedAt = performance.now();
  for (let answers = 1; answers <= 100; answers++)
    await backstage.publishBoard(sessionId, { round: 1, answers, joined: 100 });
  await until("the last count", () => host.all("progress").at(-1)?.answers === 100);
  const seconds = (performance.now() - startedAt) / 1_000;
  expect(host.all("progress").length).toBeLessThanOrEqual(Math.ceil(seconds * 4) + 1);
  expect(ann.all("progress")).toEqual([]);
  expect(ann.all("board").length).toBeLessThanOrEqual(1);
});

test("who comes into an open round sees at once how many have answered, and after each change of it", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  suite.use(await gateway.join(sessionId, "ann"));
  const there = suite.use(await gateway.watch(sessionId));
  await backstage.publishBoard(sessionId, { joined: 1 });
  await backstage.openRound(sessionId, 1);
  expect(await there.next("progress")).toEqual({ round: 1, answers: 0, players: 1 });
  await backstage.publishBoard(sessionId, { round: 1, answers: 1, joined: 1 });
  const counted = { round: 1, answers: 1, players: 1 };
  expect(await there.next("progress")).toEqual(counted);
  const reloaded = async () => {
    const [host, projector] = [await hostOf(sessionId), suite.use(await gateway.watch(sessionId))];
    for (const client of [host, projector]) {
      expect(await client.next("progress")).toEqual(counted);
      const kinds = client.frames.flatMap((frame) => Object.keys(frame));
      expect(kinds.indexOf("progress")).toBeGreaterThan(kinds.indexOf("question"));
    }
  };
  await reloaded();
  // +15 s: the question comes again, and the count behind it.
  await backstage.openRound(sessionId, 1, 35);
  expect(await there.next("progress")).toEqual(counted);
  await backstage.putSession(sessionId, { paused: true, pausedRemainingMs: 9_000 });
  expect(await there.next("progress")).toEqual(counted);
  await reloaded();
  await backstage.openRound(sessionId, 1, 35, { paused: false });
  expect(await there.next("progress")).toEqual(counted);
  await reloaded();
});

test("locking the lobby is shown to all", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const ann = suite.use(await gateway.join(sessionId, "ann"));
  await ann.next("lobby");
  await backstage.putSession(sessionId, { phase: Phase.LOBBY, locked: true });
  await until("the lock", () => ann.all("lobby").at(-1)?.locked === true);
});

test("players look at pages of the board and around themselves", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const players = await Promise.all(
    ["ann", "bob", "cid", "dan"].map((name) => gateway.join(sessionId, name)),
  );
  await backstage.openRound(sessionId, 1);
  for (const player of players) {
    suite.use(player);
    await player.next("question");
    player.answer(1, "A", "a1");
    await player.next("accepted");
  }
  await backstage.reveal(sessionId, 1);
  const [ann, , , dan] = players;
  ann?.send({ board: { requestId: "b1", pageSize: 3 } });
  const page = await ann?.next("boardPage");
  expect(page).toMatchObject({ requestId: "b1", players: 4, nextPageToken: "3" });
  expect(page.standings).toHaveLength(3);
  dan?.send({ board: { requestId: "b2", aroundMe: true, pageSize: 2 } });
  const around = await dan?.next("boardPage");
  expect(around.standings.map((row: { playerId: string }) => row.playerId)).toContain(
    dan?.playerId,
  );
  expect(around.standings.length).toBeLessThanOrEqual(2);
  dan?.send({ board: { requestId: "b3", pageSize: 101 } });
  expect(await dan?.next("refused")).toMatchObject({
    reason: "ERROR_REASON_INVALID_FIELD",
    requestId: "b3",
  });
});
