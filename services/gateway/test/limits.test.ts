/** Every limit has a name; when it is hit, it is counted under that name and said to the client. */
import { expect, test } from "vitest";
import { settled, type TestGateway, until } from "./gateway.js";
import { openSuite } from "./suite.js";

const suite = openSuite();

const hits = (gateway: TestGateway, limit: string) =>
  gateway.metric(`quiz_limit_hits_total{limit="${limit}"`);

test("frames beyond the rate are dropped, and the client is told once", async () => {
  const gateway = await suite.startGateway({ FRAMES_PER_SECOND_MAX: "5" });
  const ann = suite.use(await gateway.join(await suite.newSession(), "ann"));
  for (let id = 1; id <= 50; id++) ann.send({ ping: { id } });
  expect(await ann.next("refused")).toMatchObject({
    reason: "ERROR_REASON_SLOW_DOWN",
    retryable: true,
  });
  expect(ann.all("refused")[0].retryAfterMs).toBeGreaterThan(0);
  await until(
    "the limit to count",
    async () => (await hits(gateway, "FRAMES_PER_SECOND_MAX")) >= 40,
  );
  expect(ann.all("pong").length).toBeLessThanOrEqual(11);
  expect(ann.all("refused")).toHaveLength(1);
});

test("answers beyond the rate are refused with a time to wait", async () => {
  const gateway = await suite.startGateway({ ANSWERS_PER_SECOND_MAX: "1" });
  const sessionId = await suite.newSession();
  const ann = suite.use(await gateway.join(sessionId, "ann"));
  await suite.backstage.openRound(sessionId, 1);
  await ann.next("question");
  for (const id of ["a1", "a2", "a3"]) ann.answer(1, "A", id);
  const third = () => ann.all("refused").find(({ requestId }) => requestId === "a3");
  await until("the third to be refused", () => third() !== undefined);
  const refused = third();
  expect(refused).toMatchObject({ reason: "ERROR_REASON_SLOW_DOWN", retryable: true });
  expect(refused.retryAfterMs).toBeGreaterThan(0);
  expect(await hits(gateway, "ANSWERS_PER_SECOND_MAX")).toBe(1);
});

test("answers beyond what may wait are refused, and the gateway stays quick", async () => {
  const { backstage } = suite;
  const gateway = await suite.startGateway({ ANSWERS_PENDING_MAX: "2" });
  const sessionId = await suite.newSession();
  const players = await Promise.all(
    ["ann", "bob", "cid"].map((name) => gateway.join(sessionId, name)),
  );
  await backstage.openRound(sessionId, 1);
  await Promise.all(players.map((player) => suite.use(player).next("question")));
  let release = () => {};
  backstage.director.answersGate = new Promise((resolve) => {
    release = resolve;
  });
  for (const player of players) {
    player.answer(1, "A", "a1");
    await settled(player);
  }
  const [, , cid] = players;
  expect(await cid?.next("refused")).toMatchObject({ reason: "ERROR_REASON_SLOW_DOWN" });
  release();
  await until("the others' answers", () => players[1]?.all("accepted").length === 1);
  cid?.answer(1, "A", "a1");
  expect(await cid?.next("accepted")).toEqual({ round: 1, submissionId: "a1" });
  expect(await hits(gateway, "ANSWERS_PENDING_MAX")).toBe(1);
});

test("looks at the board beyond the rate are refused", async () => {
  const gateway = await suite.startGateway({ BOARD_REQUESTS_PER_SECOND_MAX: "1" });
  const ann = suite.use(await gateway.join(await suite.newSession(), "ann"));
  for (const requestId of ["b1", "b2", "b3"]) ann.send({ board: { requestId } });
  expect(await ann.next("refused")).toMatchObject({
    reason: "ERROR_REASON_SLOW_DOWN",
    requestId: "b3",
  });
  expect(await hits(gateway, "BOARD_REQUESTS_PER_SECOND_MAX")).toBe(1);
});

test("hellos beyond the rate of an address are refused with a code to come back", async () => {
  const gateway = await suite.startGateway({ JOINS_PER_SECOND_PER_IP: "1" });
  const sessionId = await suite.newSession();
  suite.use(await gateway.watch(sessionId));
  suite.use(await gateway.watch(sessionId));
  const third = suite.use(gateway.connect());
  third.send({ hello: { protocolVersion: 1, watch: sessionId } });
  expect(await third.next("refused")).toMatchObject({ reason: "ERROR_REASON_SLOW_DOWN" });
  expect(await third.closed).toMatchObject({ code: 4003 });
  expect(await hits(gateway, "JOINS_PER_SECOND_PER_IP")).toBe(1);
});

test("who guesses PINs is slowed down, also for the right one", async () => {
  const { backstage } = suite;
  const gateway = await suite.startGateway({ PINS_PER_MINUTE_PER_IP: "2" });
  const sessionId = await suite.newSession();
  await backstage.putSession(sessionId, { pin: "161803" });
  const guess = async (pin: string) => {
    const client = suite.use(gateway.connect());
    const join = { pin, nickname: "ann", submissionId: "s1" };
    client.send({ hello: { protocolVersion: 1, join } });
    return (await client.next("refused")).reason;
  };
  expect(await guess("000001")).toBe("ERROR_REASON_SESSION_NOT_FOUND");
  expect(await guess("000002")).toBe("ERROR_REASON_SESSION_NOT_FOUND");
  expect(await guess("161803")).toBe("ERROR_REASON_SLOW_DOWN");
  expect(await hits(gateway, "PINS_PER_MINUTE_PER_IP")).toBe(1);
});

test("sockets beyond the limit are refused before the upgrade", async () => {
  const gateway = await suite.startGateway({ SOCKETS_MAX: "2" });
  const sockets = [gateway.connect(), gateway.connect()].map(suite.use);
  await Promise.all(sockets.map((client) => client.next("hello")));
  expect(await suite.use(gateway.connect()).refused).toMatchObject({ status: 503 });
  expect(await hits(gateway, "SOCKETS_MAX")).toBe(1);
});

test("who says nothing is let go, with a code to come back", async () => {
  const gateway = await suite.startGateway({ HELLO_WITHIN_MS: "200" });
  const silent = suite.use(gateway.connect());
  const talker = suite.use(await gateway.watch(await suite.newSession()));
  expect(await silent.closed).toMatchObject({ code: 4005 });
  await settled(talker);
  expect(await hits(gateway, "HELLO_WITHIN_MS")).toBe(1);
});

test("rooms beyond the limit are refused; ids without a session hold a fifth of them at most", async () => {
  const gateway = await suite.startGateway({ ROOMS_MAX: "5" });
  const known = await Promise.all([suite.newSession(), suite.newSession(), suite.newSession()]);
  const first = suite.use(gateway.connect("/livescore/unknown_1"));
  await until("the first", () => first.texts.length === 1);
  const second = suite.use(gateway.connect("/livescore/unknown_2"));
  expect(await second.closed).toMatchObject({ code: 4003 });
  for (const sessionId of known) suite.use(await gateway.watch(sessionId));
  suite.use(await gateway.watch(await suite.newSession()));
  const beyond = suite.use(gateway.connect());
  beyond.send({ hello: { protocolVersion: 1, watch: await suite.newSession() } });
  expect(await beyond.next("refused")).toMatchObject({ reason: "ERROR_REASON_SLOW_DOWN" });
  expect(await hits(gateway, "ROOMS_MAX")).toBe(2);
});

test("a reader that stops reading is dropped and counted, while the others are served", async () => {
  const { backstage } = suite;
  const gateway = await suite.startGateway({ SOCKET_BUFFER_BYTES_MAX: "16384" });
  const sessionId = await suite.newSession();
  const slow = suite.use(await gateway.watch(sessionId));
  const quick = suite.use(await gateway.watch(sessionId));
  // The kernel takes a few megabytes before anything waits in the gateway.
  slow.socket.pause();
  const text = "x".repeat(200_000);
  let round = 0;
  const pushed = async () => {
    round++;
    const question = { type: 1, text: `${round} ${text}`, options: [] };
    await backstage.openRound(sessionId, 1, 20, { question });
    await until("the quick one", () => quick.all("question").length === round);
    return (await gateway.metric("quiz_ws_slow_disconnects_total")) === 1;
  };
  // Long before its silence would end it.
  await until("the slow one to be dropped", pushed, 15_000);
  expect(await hits(gateway, "SOCKET_BUFFER_BYTES_MAX")).toBe(1);
  expect(await gateway.metric("quiz_ws_frames_dropped_total")).toBeGreaterThan(0);
  slow.socket.resume();
  expect((await slow.closed).code).toBe(1006);
  const back = suite.use(await gateway.watch(sessionId));
  expect((await back.next("question")).question.text).toBe(`${round} ${text}`);
});

test("a page of another origin may not connect, unless it is allowed", async () => {
  const { gateway } = suite;
  const origin = "https://evil.example";
  expect(await suite.use(gateway.connect("/v1/socket", { origin })).refused).toMatchObject({
    status: 403,
  });
  await suite.use(gateway.connect("/v1/socket", { origin: gateway.url })).next("hello");
  const open = await suite.startGateway({
    ALLOWED_ORIGINS: "https://quiz.example, https://evil.example",
  });
  await suite.use(open.connect("/v1/socket", { origin })).next("hello");
  const dev = await suite.startGateway({ ALLOWED_ORIGINS: "*" });
  await suite.use(dev.connect("/v1/socket", { origin: "http://localhost:5173" })).next("hello");
});

test("X-Forwarded-For counts only behind proxies of ours", async () => {
  const sessionId = await suite.newSession();
  const watch = async (gateway: TestGateway, forwarded: string) => {
    const client = suite.use(gateway.connect("/v1/socket", { "x-forwarded-for": forwarded }));
    client.send({ hello: { protocolVersion: 1, watch: sessionId } });
    await until("an answer", () => client.all("joined").length + client.all("refused").length > 0);
    return client.all("joined").length === 1;
  };
  const bare = await suite.startGateway({ JOINS_PER_SECOND_PER_IP: "1" });
  const spoofed = [];
  for (const ip of ["1.1.1.1", "2.2.2.2", "3.3.3.3"]) spoofed.push(await watch(bare, ip));
  expect(spoofed).toEqual([true, true, false]);
  const behind = await suite.startGateway({ JOINS_PER_SECOND_PER_IP: "1", TRUSTED_PROXIES: "1" });
  const real = [];
  for (const ip of ["9.9.9.9, 1.1.1.1", "9.9.9.9, 2.2.2.2", "9.9.9.9, 3.3.3.3"])
    real.push(await watch(behind, ip));
  expect(real).toEqual([true, true, true]);
});

test("boards from one address prefix are so many a second, and so many in all", async () => {
  const fast = await suite.startGateway({ LIVE_SCORES_PER_SECOND_PER_IP: "2" });
  const sockets = Array.from({ length: 10 }, () => suite.use(fast.connect("/livescore/flood_1")));
  const refused = await Promise.all(
    sockets.map((each) =>
      Promise.race([each.opened.then(() => 0), each.refused.then(({ status }) => status)]),
    ),
  );
  expect(refused.filter((status) => status === 429).length).toBeGreaterThanOrEqual(5);
  expect(await hits(fast, "LIVE_SCORES_PER_SECOND_PER_IP")).toBeGreaterThanOrEqual(5);
  const few = await suite.startGateway({ LIVE_SCORES_MAX_PER_IP: "2" });
  const [first, second] = [few.connect("/livescore/few_1"), few.connect("/livescore/few_1")];
  await Promise.all([first.opened, second.opened]);
  expect(await few.connect("/livescore/few_1").refused).toMatchObject({ status: 429 });
  expect(await hits(few, "LIVE_SCORES_MAX_PER_IP")).toBe(1);
  first.close();
  await first.closed;
  await until("a place", async () => {
    const next = suite.use(few.connect("/livescore/few_1"));
    return Promise.race([next.opened.then(() => true), next.refused.then(() => false)]);
  });
  second.close();
});
