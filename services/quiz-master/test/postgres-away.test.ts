/** PostgreSQL dies, hangs, comes late: calls are refused in time, and all heals by itself. */

import { startPostgres } from "@fanfare/common/servers/postgres";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { ImportFormat } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { afterAll, beforeAll, expect, test } from "vitest";
import { aQuiz, type BankClient, refusalOf, startBank, startService, until } from "./bank.js";
import { startSilentProxy } from "./silent-proxy.js";

let bank: Awaited<ReturnType<typeof startBank>>;

beforeAll(async () => {
  bank = await startBank();
});
afterAll(() => bank?.stop());

/** Longest that a call may take while PostgreSQL is away: its limit, and room for a busy machine. */
const REFUSED_WITHIN_MS = 3_500;

const FILE = Buffer.from('{"title": "t", "questions": [{"question": "q", "answer": "true"}]}');

/** Every kind of call; each must be refused as UNAVAILABLE in time. */
async function expectRefusals(author: BankClient) {
  const startedAt = performance.now();
  const refusals = await Promise.all([
    refusalOf(author.createQuiz({ quiz: aQuiz() })),
    refusalOf(author.getQuiz({ quizId: "q" })),
    refusalOf(author.updateQuiz({ quiz: aQuiz({ quizId: "q", version: 1n }) })),
    refusalOf(author.deleteQuiz({ quizId: "q" })),
    refusalOf(author.listQuizzes({})),
    refusalOf(author.drawQuestions({ count: 1 })),
    refusalOf(author.importQuiz({ format: ImportFormat.JSON, content: FILE })),
  ]);
  expect(performance.now() - startedAt).toBeLessThan(REFUSED_WITHIN_MS);
  expect(refusals.map((refusal) => refusal.reason)).toEqual(
    refusals.map(() => ErrorReason.UNAVAILABLE),
  );
  expect(refusals.every((refusal) => refusal.retryable)).toBe(true);
}

test("killed and back: refused at once, not ready, then as before", async () => {
  const { quiz } = await bank.author.createQuiz({ quiz: aQuiz() });
  await bank.postgres.kill("SIGKILL");
  await expectRefusals(bank.author);
  await until(async () => !(await bank.ready()));
  await expectRefusals(bank.author);
  await bank.postgres.restart();
  await until(() => bank.ready());
  expect(await bank.author.getQuiz({ quizId: quiz?.quizId ?? "" })).toMatchObject({ quiz });
});

test("silent and back elsewhere: refused in time, then on new connections as before", async () => {
  const proxy = await startSilentProxy(bank.postgres.url);
  const service = await startService(proxy.url);
  try {
    await service.author.createQuiz({ quiz: aQuiz() });
    proxy.goSilent();
    await expectRefusals(service.author);
    await until(async () => !(await service.ready()));
    await expectRefusals(service.author);
    proxy.comeBack();
    await until(() => service.ready(), 30_000);
    await service.author.createQuiz({ quiz: aQuiz() });
  } finally {
    await service.stop();
    proxy.stop();
  }
});

test("a service that starts before its PostgreSQL waits, and is ready when it comes", async () => {
  await using late = await startPostgres({ fsync: false });
  await late.stop();
  const service = await startService(late.url);
  try {
    expect(await service.ready()).toBe(false);
    const refusal = await refusalOf(service.author.listQuizzes({}));
    expect(refusal.reason).toBe(ErrorReason.UNAVAILABLE);
    await late.restart();
    await until(() => service.ready());
    expect(await service.author.listQuizzes({})).toMatchObject({ quizzes: [] });
  } finally {
    await service.stop();
  }
});

test("several pods may start at once on an empty database", async () => {
  await using server = await startPostgres({ fsync: false });
  const services = await Promise.all([1, 2, 3].map(() => startService(server.url)));
  try {
    for (const service of services) expect(await service.ready()).toBe(true);
  } finally {
    for (const service of services) await service.stop();
  }
});
