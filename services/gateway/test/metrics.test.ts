/** What the gateway counts of sockets that come, talk, are turned away and go. */
import { expect, test } from "vitest";
import { settled, until } from "./gateway.js";
import { openSuite } from "./suite.js";

const suite = openSuite();

test("bytes sent are those that clients get, in rooms and alone, whatever the letters", async () => {
  const { backstage } = suite;
  const gateway = await suite.startGateway();
  const sessionId = await suite.newSession();
  const players = await Promise.all(
    ["Zoë", "日本", "bob"].map((name, i) => gateway.join(sessionId, name, `join-${i}`)),
  );
  const watcher = suite.use(await gateway.watch(sessionId));
  const question = { type: 1, text: "Où est l'île d'Yeu? 🏝", options: [] };
  await backstage.openRound(sessionId, 1, 20, { question });
  const clients = [...players, watcher].map((client) => suite.use(client));
  await Promise.all(clients.map((client) => client.next("question")));
  for (const player of players) player.answer(1, "A", "a1");
  await Promise.all(players.map((player) => player.next("accepted")));
  for (const client of clients) await settled(client);
  const received = () =>
    clients.flatMap(({ texts }) => texts).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  await until(
    "both books to agree",
    async () => (await gateway.metric("quiz_ws_sent_bytes_total")) === received(),
    5_000,
    () => received(),
  );
  expect(await gateway.metric("quiz_question_broadcast_duration_seconds_count")).toBe(1);
});

test("sockets count as they come, by who they are, and by why they go", async () => {
  const gateway = await suite.startGateway();
  const sessionId = await suite.newSession();
  const open = (role: string) => gateway.metric(`quiz_ws_connections{role="${role}"`);
  const ann = suite.use(await gateway.join(sessionId, "ann"));
  const fresh = suite.use(gateway.connect());
  await fresh.next("hello");
  suite.use(await gateway.watch(sessionId));
  expect([await open("player"), await open("new"), await open("spectator")]).toEqual([1, 1, 1]);
  expect(await gateway.metric("quiz_players_active")).toBe(1);
  expect(await gateway.metric('quiz_ws_connects_total{result="open"')).toBe(3);
  expect(await gateway.metric("quiz_ws_handshake_duration_seconds_count")).toBe(2);
  const again = suite.use(await gateway.resume(ann.resumeToken));
  expect(await ann.closed).toMatchObject({ code: 4502 });
  await settled(again);
  expect(await gateway.metric('quiz_ws_disconnects_total{reason="replaced"')).toBe(1);
  expect(await gateway.metric("quiz_ws_takeovers_total")).toBe(1);
  expect(await gateway.metric('quiz_ws_resumes_total{recovered="true"')).toBe(1);
  expect(await gateway.metric("quiz_players_active")).toBe(1);
});

test("who is turned away counts, by the reason", async () => {
  const gateway = await suite.startGateway({ SOCKETS_MAX: "2" });
  const sessionId = await suite.newSession();
  await suite.use(await gateway.join(sessionId, "ann"));
  const second = suite.use(gateway.connect());
  second.send({
    hello: { protocolVersion: 1, join: { sessionId, nickname: "ann", submissionId: "x" } },
  });
  await second.next("refused");
  await second.closed;
  const resumer = suite.use(gateway.connect());
  resumer.send({ hello: { protocolVersion: 1, resumeToken: "forged" } });
  await resumer.next("refused");
  await resumer.closed;
  suite.use(gateway.connect());
  const third = suite.use(gateway.connect());
  expect(await third.refused).toMatchObject({ status: 503 });
  expect(await gateway.metric('quiz_ws_joins_total{result="NAME_TAKEN"')).toBe(1);
  expect(await gateway.metric('quiz_ws_resumes_total{recovered="false"')).toBe(1);
  expect(await gateway.metric('quiz_ws_connects_total{result="full"')).toBe(1);
  expect(await gateway.metric('quiz_ws_admission_rejected_total{reason="sockets"')).toBe(1);
});

test("what waits for a slow socket is seen while it waits", async () => {
  const { backstage } = suite;
  const gateway = await suite.startGateway();
  const sessionId = await suite.newSession();
  const slow = suite.use(await gateway.watch(sessionId));
  const quick = suite.use(await gateway.watch(sessionId));
  expect(await gateway.metric("quiz_ws_buffered_bytes")).toBe(0);
  slow.socket.pause();
  const text = "x".repeat(100_000);
  let round = 0;
  await until(
    "bytes to wait",
    async () => {
      round++;
      const question = { type: 1, text: `${round} ${text}`, options: [] };
      await backstage.openRound(sessionId, 1, 20, { question });
      await until("the quick one", () => quick.all("question").length === round);
      return (await gateway.metric("quiz_ws_buffered_bytes")) > 0;
    },
    20_000,
  );
  slow.socket.resume();
  await until(
    "nothing to wait",
    async () => (await gateway.metric("quiz_ws_buffered_bytes")) === 0,
  );
});
