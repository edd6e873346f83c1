/** The history writer's recount of closed rounds: it finds a row too few, and says where. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Stores, startStores, startWriter, until } from "./pods.js";
import { answers, created, openLog, type RawLog, roundClosed } from "./raw-log.js";

const ANSWERS = [
  { playerId: "ann", submissionId: "s1", choices: ["A"], points: 900, correct: true },
  { playerId: "bob", submissionId: "s2", choices: ["B"], points: 0 },
];

let stores: Stores;
let writer: Awaited<ReturnType<typeof startWriter>>;
let log: RawLog;

beforeAll(async () => {
  stores = await startStores();
  log = await openLog(stores.nats.url);
  writer = await startWriter(stores);
});

afterAll(async () => {
  await writer.stop();
  await log.close();
  await stores[Symbol.asyncDispose]();
});

async function audits(): Promise<{ runs: number; mismatches: number }> {
  const text = await (await fetch(`http://127.0.0.1:${writer.adminPort}/metrics`)).text();
  const value = (name: string) =>
    Number(new RegExp(`^${name}\\{.*\\} (\\d+)$`, "m").exec(text)?.[1]);
  return { runs: value("quiz_audit_runs_total"), mismatches: value("quiz_audit_mismatches_total") };
}

const whenRun = (runs: number) =>
  until(async () => {
    const found = await audits();
    return found.runs >= runs && found;
  });

test("rounds that are as their close says agree; one whose answers or points differ does not", async () => {
  const round = (session: string, close: { answers: number; points: bigint }) => [
    created(session, { rounds: 1 }),
    answers(session, { answers: ANSWERS }, 1),
    roundClosed(session, close, 1),
  ];
  await log.publish(...round("good", { answers: 2, points: 900n }));
  expect(await whenRun(1)).toEqual({ runs: 1, mismatches: 0 });
  await log.publish(...round("one_more", { answers: 3, points: 900n }));
  expect(await whenRun(2)).toEqual({ runs: 2, mismatches: 1 });
  await log.publish(...round("less_points", { answers: 2, points: 800n }));
  expect(await whenRun(3)).toEqual({ runs: 3, mismatches: 2 });
});
