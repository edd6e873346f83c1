/** PINs asked for by gRPC: guesses are few there too, and gateways, which count their own, are not held up. */
import { ServiceError } from "@fanfare/common/errors";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  createSession,
  type Pod,
  type QuizClient,
  type Stores,
  startPod,
  startStores,
} from "./pods.js";

let stores: Stores;
let pod: Pod;

beforeAll(async () => {
  stores = await startStores();
  pod = await startPod(stores);
});
afterAll(async () => {
  await pod?.stop();
  await stores?.[Symbol.asyncDispose]();
});

const told = (client: QuizClient, pin: string) =>
  client.resolvePin({ pin }).then(
    () => "in",
    (error: unknown) => (error instanceof ServiceError ? ErrorReason[error.reason] : String(error)),
  );
const wrongPins = Array.from({ length: 400 }, (_, i) => String(100_000_000 + i));
const count = (list: readonly string[], what: string) =>
  list.filter((each) => each === what).length;

test("a right PIN is not spent, however often it is asked for", async () => {
  const { sessionId, pin } = await createSession(pod);
  const ann = pod.as({ role: "spectator", subject: "ann" });
  for (let i = 0; i < 30; i++) expect((await ann.resolvePin({ pin })).sessionId).toBe(sessionId);
});

test("of 400 wrong PINs at once a token has some ten, all tokens of an address some sixty", async () => {
  const { sessionId, pin } = await createSession(pod);
  const eve = pod.as({ role: "spectator", subject: "eve" });
  const hers = await Promise.all(wrongPins.map((wrong) => told(eve, wrong)));
  expect(count(hers, "SESSION_NOT_FOUND")).toBeLessThan(20);
  expect(count(hers, "SLOW_DOWN")).toBeGreaterThan(380);
  const mals = Array.from({ length: 40 }, (_, i) => pod.as({ role: "host", subject: `mal${i}` }));
  const theirs = await Promise.all(
    wrongPins.map((wrong, i) => told(mals[i % mals.length] as QuizClient, wrong)),
  );
  expect(count(theirs, "SESSION_NOT_FOUND")).toBeLessThan(70);
  const gateway = pod.as({ role: "service", subject: "gateway-0" });
  const served = await Promise.all(wrongPins.map((wrong) => told(gateway, wrong)));
  expect(count(served, "SESSION_NOT_FOUND")).toBe(400);
  expect((await gateway.resolvePin({ pin })).sessionId).toBe(sessionId);
});
