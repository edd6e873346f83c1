/** NATS goes away and comes back: what was missed is read again, by itself. */
import { Phase } from "@fanfare/proto/quiz/v1/session";
import { expect, test } from "vitest";
import { rows } from "./backstage.js";
import { Cable } from "./cable.js";
import { until } from "./gateway.js";
import { openSuite } from "./suite.js";

const suite = openSuite();

test("while NATS is away nobody new gets in, and play goes on when it is back", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const ann = suite.use(await gateway.join(sessionId, "ann"));
  const board = suite.use(gateway.connect(`/livescore/${sessionId}`));
  await until("the board", () => board.texts.length === 1);
  await backstage.nats.kill("SIGKILL");
  const ready = async () => (await fetch(`http://127.0.0.1:${gateway.adminPort}/readyz`)).status;
  await until("not ready", async () => (await ready()) === 503);
  const newcomer = suite.use(gateway.connect());
  newcomer.send({ hello: { protocolVersion: 1, watch: "another" } });
  expect(await newcomer.next("refused")).toMatchObject({ reason: "ERROR_REASON_UNAVAILABLE" });
  expect(await newcomer.closed).toMatchObject({ code: 4003 });
  await backstage.nats.restart();
  await until("ready again", async () => (await ready()) === 200, 20_000);
  await until("the backstage, too", () => backstage.bus.connected(), 20_000);
  await backstage.openRound(sessionId, 1);
  await ann.next("question");
  ann.answer(1, "A", "a1");
  await ann.next("accepted");
});

test("what happened while a gateway was cut off is read when it is connected again", async () => {
  const { backstage } = suite;
  const cable = await Cable.open(backstage.nats.port);
  const gateway = await suite.startGateway({ NATS_URL: `nats://127.0.0.1:${cable.port}` });
  const sessionId = await suite.newSession();
  const ann = suite.use(await gateway.join(sessionId, "ann"));
  const board = suite.use(gateway.connect(`/livescore/${sessionId}`));
  await until("the board", () => board.texts.length === 1);
  const ready = async () => (await fetch(`http://127.0.0.1:${gateway.adminPort}/readyz`)).status;
  cable.cut();
  await until("not ready", async () => (await ready()) === 503);
  await backstage.openRound(sessionId, 1);
  await backstage.publishBoard(sessionId, { standings: rows(2) });
  cable.mend();
  expect(await ann.next("question", 10_000)).toMatchObject({ round: 1 });
  await until("the rows", () => board.texts.length === 2);
  await gateway.stop();
  cable.close();
});

test("a change that nobody told of is found when the phase should have ended", async () => {
  const { backstage, gateway } = suite;
  const sessionId = await suite.newSession();
  const ann = suite.use(await gateway.join(sessionId, "ann"));
  await backstage.openRound(sessionId, 1, 1);
  await ann.next("question");
  await backstage.putUnheard(sessionId, { phase: Phase.REVEAL, reveal: { answer: ["A"] } });
  expect(await ann.next("reveal", 8_000)).toMatchObject({ round: 1 });
});

test("a player who moved while NATS was away is at one gateway when it is back", async () => {
  const { backstage } = suite;
  const cables = [await Cable.open(backstage.nats.port), await Cable.open(backstage.nats.port)];
  const [left, right] = await Promise.all(
    cables.map(({ port }) => suite.startGateway({ NATS_URL: `nats://127.0.0.1:${port}` })),
  );
  if (!left || !right) throw new Error("not started");
  const sessionId = await suite.newSession();
  // Both know the session, so that they take in who comes back without NATS.
  const ann = await left.join(sessionId, "ann");
  const ben = await right.join(sessionId, "ben");
  for (const cable of cables) cable.cut();
  const annAgain = suite.use(await right.resume(ann.resumeToken));
  const benAgain = suite.use(await left.resume(ben.resumeToken));
  // Whichever gateway is back first tells into the void.
  for (const cable of cables) cable.mend();
  for (const old of [ann, ben]) expect(await old.closed).toMatchObject({ code: 4502 });
  await backstage.openRound(sessionId, 1);
  for (const player of [annAgain, benAgain]) await player.next("question");
  await Promise.all([left.stop(), right.stop()]);
  for (const cable of cables) cable.close();
});
