/** Pods that see each other come, leave and die. */
import { subjectForPresence } from "@fanfare/proto/addresses";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { connectBus } from "../src/bus.js";
import { Presence } from "../src/presence.js";
import { type NatsServer, startNats } from "../src/servers/nats.js";
import { eventually, newLifecycle } from "./parts.js";

const KEYS = Array.from({ length: 32 }, (_, i) => `history ${i}`);

let nats: NatsServer;
let kinds = 0;
let kind: string;
const opened: (() => Promise<void>)[] = [];

beforeAll(async () => {
  nats = await startNats({ syncInterval: "2m" });
});

afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

afterAll(() => nats?.[Symbol.asyncDispose]());

async function startPod(name: string) {
  const { lifecycle } = newLifecycle();
  opened.push(() => lifecycle.close());
  const bus = await connectBus({ url: nats.url, name, replicas: 1 }, lifecycle);
  const presence = await Presence.start(kind, name, bus, lifecycle);
  return { name, presence, bus, leave: () => lifecycle.close() };
}

/** The first of a kind that no other test uses. */
function startFirst(name: string) {
  kind = `kind_${++kinds}`;
  return startPod(name);
}

type Pod = Awaited<ReturnType<typeof startPod>>;
const seesOnly = (pods: Pod[], names: string[]) =>
  eventually(`all see ${names}`, () =>
    pods.every(({ presence }) => presence.members().join() === names.join()),
  );
/** How many pods feel responsible for each key. */
const owners = (pods: Pod[]) =>
  KEYS.map((key) => pods.filter(({ presence }) => presence.isMine(key)).length);

test("pods that see each other share the keys: each has one owner and one order", async () => {
  const pods = [await startFirst("a"), await startPod("b"), await startPod("c")];
  await seesOnly(pods, ["a", "b", "c"]);
  expect(owners(pods)).toEqual(KEYS.map(() => 1));
  for (const key of KEYS)
    expect(pods.map(({ presence }) => presence.rank(key)).sort()).toEqual([0, 1, 2]);
});

test("a pod that is alone does everything", async () => {
  const pod = await startFirst("a");
  expect(pod.presence.members()).toEqual(["a"]);
  expect(owners([pod])).toEqual(KEYS.map(() => 1));
});

test("a newcomer knows the others as soon as it has started, and they know it", async () => {
  const first = await startFirst("a");
  let changes = 0;
  first.presence.onChange(() => changes++);
  const second = await startPod("b");
  expect(second.presence.members()).toEqual(["a", "b"]);
  await eventually("a is told", () => changes === 1, 1_000);
  expect(first.presence.members()).toEqual(["a", "b"]);
});

test("a pod that leaves is gone at once", async () => {
  const [first, second] = [await startFirst("a"), await startPod("b")];
  await seesOnly([first, second], ["a", "b"]);
  await second.leave();
  await eventually("b is gone", () => first.presence.members().join() === "a", 500);
});

test("a pod that dies without a word is gone within 4 s, not at the first silence", async () => {
  const [first, second] = [await startFirst("a"), await startPod("b")];
  await seesOnly([first, second], ["a", "b"]);
  await second.bus.nc.close();
  const startedAt = performance.now();
  await eventually("b is gone", () => first.presence.members().join() === "a", 5_500);
  const goneAfterMs = performance.now() - startedAt;
  expect(goneAfterMs).toBeGreaterThan(1_500);
  expect(goneAfterMs).toBeLessThan(5_000);
});

test("a pod that has left is not brought back by a newcomer", async () => {
  const [first, second] = [await startFirst("a"), await startPod("b")];
  await seesOnly([first, second], ["a", "b"]);
  const heard: string[] = [];
  first.bus.listen(subjectForPresence(kind), (message) => heard.push(message.string()));
  await first.bus.nc.flush();
  await second.leave();
  const third = await startPod("c");
  await seesOnly([first, third], ["a", "c"]);
  expect(heard.slice(heard.indexOf("bye b") + 1)).not.toContain("here b");
});

test("names with spaces are names like others", async () => {
  const pods = [await startFirst("leaderboard pod 1"), await startPod("leaderboard pod 2")];
  await seesOnly(pods, ["leaderboard pod 1", "leaderboard pod 2"]);
  expect(owners(pods)).toEqual(KEYS.map(() => 1));
});

test("what is no sign of life is passed over", async () => {
  const pod = await startFirst("a");
  for (const noise of ["", "here", "here ", "bye", "bye nobody", "\u0000\u0001"])
    pod.bus.nc.publish(subjectForPresence(kind), noise);
  await pod.bus.nc.flush();
  expect(pod.presence.members()).toEqual(["a"]);
});

test("while NATS is away each feels alone; after that all is as before", async () => {
  const pods = [await startFirst("a"), await startPod("b")];
  await seesOnly(pods, ["a", "b"]);
  await nats.kill("SIGKILL");
  await eventually("each feels alone", () =>
    pods.every(({ presence }) => presence.members().length === 1),
  );
  await nats.restart();
  await seesOnly(pods, ["a", "b"]);
  expect(owners(pods)).toEqual(KEYS.map(() => 1));
});
