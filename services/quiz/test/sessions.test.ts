/** A session from lobby to history: the clock, the host's commands, players, the writer. */
import { randomUUID } from "node:crypto";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { ServiceError } from "@fanfare/common/errors";
import { subjectForPresence } from "@fanfare/proto/addresses";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { PlayerStatus } from "@fanfare/proto/quiz/v1/quiz_service";
import { Pacing, Phase } from "@fanfare/proto/quiz/v1/session";
import { connect } from "@nats-io/transport-node";
import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  choiceOf,
  createSession,
  joinPlayers,
  numberedQuiz,
  type Pod,
  type Stores,
  startPod,
  startStores,
  startWriter,
  submit,
  until,
  untilPhase,
} from "./pods.js";

let stores: Stores;
let pods: [Pod, Pod];
let writers: { stop(): Promise<void> }[];
let sql: postgres.Sql;

beforeAll(async () => {
  stores = await startStores();
  pods = [await startPod(stores), await startPod(stores)];
  writers = [await startWriter(stores), await startWriter(stores)];
  sql = postgres(stores.postgres.url, { max: 2 });
});

afterAll(async () => {
  await sql.end();
  await Promise.all([...pods, ...writers].map((part) => part.stop()));
  await stores[Symbol.asyncDispose]();
});

const service = (pod: Pod) => pod.as({ role: "service", subject: "test" });

async function refusalOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof ServiceError ? ErrorReason[error.reason] : String(error);
}

test("an auto-paced session plays itself, with every phase in order on both pods", async () => {
  const { sessionId } = await createSession(
    pods[0],
    { pacing: Pacing.AUTO, readingSeconds: 1, revealSeconds: 1, roundSeconds: 5 },
    2,
  );
  const seen: string[] = [];
  const watch = (async () => {
    for await (const { session } of pods[1].client.watchSession({ sessionId }))
      if (session) seen.push(`${session.round} ${Phase[session.phase]}`);
  })();
  await pods[0].client.startSession({ sessionId });
  const [player] = await joinPlayers(pods[0], sessionId, 1);
  const open = await untilPhase(pods[0], sessionId, Phase.OPEN, 1);
  const choices = [choiceOf(open, "right 1")];
  await submit(service(pods[1]), open, 1, [
    { playerId: player as string, submissionId: "a", choices, elapsedMs: 200 },
  ]);
  await watch;
  const steps = seen.filter((step) => !step.includes("CLOSING"));
  expect(steps).toEqual([
    "0 LOBBY",
    "1 READING",
    "1 OPEN",
    "1 REVEAL",
    "2 READING",
    "2 OPEN",
    "2 REVEAL",
    "2 ENDED",
  ]);
  const [standing] = await until(async () => {
    const rows = await sql`SELECT * FROM quiz.final_standings WHERE session_id = ${sessionId}`;
    return rows.length > 0 && rows;
  });
  expect(standing).toMatchObject({ place: 1, nickname: "player0", points: 1_000 });
}, 40_000);

test("nothing of the answer is in the record before the reveal, nor the options before the opening", async () => {
  const { sessionId } = await createSession(pods[0], { readingSeconds: 1 }, 1);
  await pods[0].client.startSession({ sessionId });
  const reading = await untilPhase(pods[1], sessionId, Phase.READING, 1);
  expect(reading.question?.options).toEqual([]);
  const open = await untilPhase(pods[1], sessionId, Phase.OPEN, 1);
  expect(open.question?.options).toHaveLength(3);
  expect(open.reveal).toBeUndefined();
  await pods[0].client.nextRound({ sessionId });
  const shown = await untilPhase(pods[1], sessionId, Phase.REVEAL, 1);
  expect(shown.reveal?.answer).toEqual([choiceOf(open, "right 1")]);
});

test("a repeated command with what the host saw does nothing twice", async () => {
  const { sessionId } = await createSession(pods[0], {}, 3);
  const { client } = pods[0];
  await client.startSession({ sessionId });
  await client.startSession({ sessionId });
  const close = { sessionId, expectedPhase: Phase.OPEN, expectedRound: 1 };
  await client.nextRound(close);
  await untilPhase(pods[0], sessionId, Phase.REVEAL, 1);
  await pods[1].client.nextRound(close);
  const { session } = await client.getSession({ sessionId });
  expect([session?.phase, session?.round]).toEqual([Phase.REVEAL, 1]);
  const wrong = { sessionId, expectedPhase: Phase.OPEN, expectedRound: 2 };
  expect(await refusalOf(client.nextRound(wrong))).toBe("PHASE_MISMATCH");
});

test("a scheduled session starts by itself, and its PIN is free after the end", async () => {
  const startsAt = timestampFromMs(Date.now() + 1_500);
  const { sessionId, pin } = await createSession(pods[0], { startsAt }, 1);
  expect((await pods[1].client.resolvePin({ pin })).sessionId).toBe(sessionId);
  const typed = [...pin].map((digit) => "٠١٢٣٤٥٦٧٨٩"[Number(digit)]).join(" ");
  expect((await pods[1].client.resolvePin({ pin: typed })).sessionId).toBe(sessionId);
  const before = performance.now();
  await untilPhase(pods[1], sessionId, Phase.OPEN, 1);
  expect(performance.now() - before).toBeGreaterThan(1_000);
  await pods[0].client.endSession({ sessionId });
  await untilPhase(pods[0], sessionId, Phase.ENDED);
  expect(await refusalOf(pods[1].client.resolvePin({ pin }))).toBe("SESSION_NOT_FOUND");
});

test("pause, continue, extend and skip move the clock and refuse answers meanwhile", async () => {
  const { sessionId } = await createSession(pods[0], { roundSeconds: 30 }, 2);
  const { client } = pods[0];
  const [player] = await joinPlayers(pods[0], sessionId, 1);
  await client.startSession({ sessionId });
  const { session: paused } = await client.pauseSession({ sessionId });
  expect(paused?.paused).toBe(true);
  const answer = { playerId: player as string, submissionId: "x", choices: ["A"], elapsedMs: 1 };
  if (!paused) throw new Error("no session");
  const [refused] = await submit(service(pods[1]), paused, 1, [answer]);
  expect(refused?.refused).toBe(ErrorReason.UNAVAILABLE);
  await client.continueSession({ sessionId });
  const { session: longer } = await client.extendRound({ sessionId, seconds: 10 });
  expect(longer?.timeLimitMs).toBe(40_000);
  const [accepted] = await submit(service(pods[1]), paused, 1, [answer]);
  expect(accepted?.refused).toBe(0);
  await client.skipRound({ sessionId, expectedRound: 1 });
  const second = await untilPhase(pods[0], sessionId, Phase.OPEN, 2);
  expect(second.previousRound).toBe(1);
  await client.endSession({ sessionId });
  const ended = await untilPhase(pods[0], sessionId, Phase.ENDED);
  expect([ended.pin, ended.round]).toEqual(["", 2]);
});

test("a nickname has one owner, whichever pod is asked; kick frees it, ban does not", async () => {
  const { sessionId } = await createSession(pods[0], { lanes: 4 });
  const join = (pod: Pod, nickname: string, submissionId = randomUUID()) =>
    service(pod).joinSession({ sessionId, joins: [{ nickname, submissionId }] });
  const tries = await Promise.all(
    Array.from({ length: 20 }, (_, i) => join(pods[i % 2] as Pod, i % 3 ? "Ann" : " ANN ")),
  );
  const owners = tries.flatMap(({ results }) => results).filter(({ player }) => player);
  expect(owners).toHaveLength(1);
  const again = randomUUID();
  const [first] = (await join(pods[0], "Bob", again)).results;
  const [second] = (await join(pods[1], "Bob", again)).results;
  expect(second?.player?.playerId).toBe(first?.player?.playerId);
  await pods[0].client.kickPlayer({ sessionId, player: { case: "nickname", value: "bob" } });
  const [resumed] = (
    await service(pods[1]).resumeSession({ sessionId, playerIds: [first?.player?.playerId ?? ""] })
  ).results;
  expect(resumed?.refused).toBe(ErrorReason.KICKED);
  const [third] = (await join(pods[1], "Bob")).results;
  expect(third?.player?.status).toBe(PlayerStatus.ACTIVE);
  const playerId = third?.player?.playerId ?? "";
  await pods[1].client.banPlayer({ sessionId, player: { case: "playerId", value: playerId } });
  const [fourth] = (await join(pods[0], "bob")).results;
  expect(fourth?.refused).toBe(ErrorReason.BANNED);
});

test("full and locked sessions refuse new players, and admit those who are in", async () => {
  const { sessionId } = await createSession(pods[0], { playersMax: 2 });
  const ids = await joinPlayers(pods[0], sessionId, 2);
  const joins = [{ nickname: "late", submissionId: "late" }];
  const [full] = (await service(pods[1]).joinSession({ sessionId, joins })).results;
  expect(full?.refused).toBe(ErrorReason.SESSION_FULL);
  await pods[0].client.lockSession({ sessionId, locked: true });
  await until(async () => {
    const { results } = await service(pods[1]).joinSession({ sessionId, joins });
    return results[0]?.refused === ErrorReason.SESSION_LOCKED;
  });
  const { results } = await service(pods[1]).resumeSession({ sessionId, playerIds: ids });
  expect(results.map(({ refused }) => refused)).toEqual([0, 0]);
});

test("an id can be used again after its end: its history stays apart", async () => {
  const sessionId = `again_${randomUUID()}`;
  for (const [run, right] of [true, false].entries()) {
    if (run === 1) {
      const source = { case: "quiz", value: numberedQuiz(1) } as const;
      expect(await refusalOf(pods[1].client.createSession({ sessionId, source }))).toBe(
        "SESSION_EXISTS",
      );
      await pods[1].client.createSession({ sessionId, source, replaceEnded: true });
    } else await createSession(pods[0], {}, 1, sessionId);
    const [player] = await joinPlayers(pods[0], sessionId, 1);
    await pods[0].client.startSession({ sessionId });
    const open = await untilPhase(pods[0], sessionId, Phase.OPEN, 1);
    const choices = [choiceOf(open, right ? "right 1" : "wrong")];
    const playerId = player as string;
    await submit(service(pods[run as 0 | 1]), open, 1, [
      { playerId, submissionId: "same", choices, elapsedMs: 100 },
    ]);
    await pods[0].client.endSession({ sessionId });
    await untilPhase(pods[0], sessionId, Phase.ENDED);
  }
  const rows = await until(async () => {
    const found = await sql`SELECT log_start, points FROM quiz.final_standings
      WHERE session_id = ${sessionId} ORDER BY log_start`;
    return found.length === 2 && found;
  });
  expect(rows.map(({ points }) => points)).toEqual([1_000, 0]);
  const exported = [];
  for await (const { rows } of pods[0].client.exportHistory({ sessionId })) exported.push(...rows);
  expect(exported).toMatchObject([{ round: 1, nickname: "player0", points: 0, correct: false }]);
});

test("the questions of a session are given out once it has ended, in its own order", async () => {
  const { sessionId } = await createSession(pods[0], {}, 2);
  expect(await refusalOf(pods[0].client.exportQuiz({ sessionId }))).toBe("PHASE_MISMATCH");
  await pods[0].client.startSession({ sessionId });
  const open = await untilPhase(pods[0], sessionId, Phase.OPEN, 1);
  expect(await refusalOf(pods[1].client.exportQuiz({ sessionId }))).toBe("PHASE_MISMATCH");
  await pods[0].client.endSession({ sessionId });
  await untilPhase(pods[1], sessionId, Phase.ENDED);
  const { quiz } = await pods[1].client.exportQuiz({ sessionId });
  expect(quiz?.questions).toHaveLength(2);
  expect(quiz?.questions[0]?.question?.options).toEqual(open.question?.options);
  expect(quiz?.questions[0]?.answer).toEqual([choiceOf(open, "right 1")]);
  const stranger = pods[0].as({ role: "host", subject: "stranger" });
  expect(await refusalOf(stranger.exportQuiz({ sessionId }))).toBe("FORBIDDEN");
});

test("an admin's replay may say who a player was, and nobody else may", async () => {
  const { sessionId } = await createSession(pods[0], {}, 1);
  const join = (nickname: string, playerId: string, submissionId: string) => ({
    sessionId,
    joins: [{ nickname, playerId, submissionId }],
  });
  const again = () => pods[0].client.joinSession(join("Ada", "was_ada", "j1"));
  const gateway = service(pods[0]);
  expect(await refusalOf(gateway.joinSession(join("Ada", "was_ada", "j1")))).toBe("INVALID_FIELD");
  for (const _ of ["first", "repeated"]) {
    const { results } = await again();
    expect(results[0]?.player).toMatchObject({ playerId: "was_ada", nickname: "Ada" });
  }
  for (const [nickname, playerId] of [
    ["Eve", "was_ada"],
    ["Eve", "_0"],
    ["Eve", "no token"],
  ] as const)
    expect(await refusalOf(pods[1].client.joinSession(join(nickname, playerId, "j2")))).toBe(
      "INVALID_FIELD",
    );
});

test("an id that is used again at once: every end lies before the next beginning", async () => {
  const sessionId = `swift_${randomUUID()}`;
  const source = { case: "quiz", value: numberedQuiz(1) } as const;
  const RUNS = 15;
  // Pods that were there a moment ago: the others leave the end to them for a while.
  const nc = await connect({ servers: stores.nats.url });
  for (let i = 0; i < 20; i++) nc.publish(subjectForPresence("quiz"), `here ghost-${i}`);
  await nc.drain();
  for (let run = 0; run < RUNS; run++) {
    const pod = pods[run % 2] as Pod;
    await pod.client.createSession({ sessionId, source, replaceEnded: true });
    await pod.client.endSession({ sessionId });
  }
  const rows = await until(async () => {
    const found = await sql`SELECT log_start, log_end FROM quiz.sessions
      WHERE session_id = ${sessionId} ORDER BY log_start`;
    return found.length === RUNS && found.every((row) => row.log_end !== null) && found;
  });
  for (const [i, { log_start, log_end }] of rows.entries()) {
    expect(Number(log_end)).toBeGreaterThan(Number(log_start));
    const next = rows[i + 1];
    if (next) expect(Number(log_end)).toBeLessThan(Number(next.log_start));
  }
});

test("outside scores are history too: the first for a round and user, and no garbage", async () => {
  const nc = await connect({ servers: stores.nats.url });
  for (const [subject, text] of [
    ["QUIZ.outside.1.ann", "20"],
    ["QUIZ.outside.1.ann", "30"],
    ["QUIZ.outside.2.ann", "5.4"],
    ["QUIZ.outside.1.bob", "not a number"],
    ["QUIZ.outside.1._0", "{ broken"],
    ["QUIZ.outside.1.eve", "1e9"],
    ["QUIZ.outside.2.bob", "-3"],
  ] as const)
    nc.publish(subject, text);
  await nc.drain();
  const rows = await until(async () => {
    const found = await sql`SELECT round, player_id, points, correct FROM quiz.quiz_history
      WHERE session_id = 'outside' ORDER BY round, player_id`;
    return found.length === 3 && found;
  });
  expect(rows.map((row) => [row.round, row.player_id, row.points, row.correct])).toEqual([
    [1, "@ann", 20, null],
    [2, "@ann", 5, null],
    [2, "@bob", -3, null],
  ]);
});

test("the log of an ended session is purged once PostgreSQL has it, and the history stays", async () => {
  const purger = await startWriter(stores, { PURGE_AFTER_S: "0" });
  const { sessionId } = await createSession(pods[0], {}, 1);
  await pods[0].client.endSession({ sessionId });
  await until(async () => {
    const [row] = await sql`SELECT purged_at FROM quiz.sessions WHERE session_id = ${sessionId}`;
    return row?.purged_at != null;
  }, 20_000);
  await until(async () => (await refusalOf(pods[1].client.getSession({ sessionId }))) !== "OK");
  expect(await refusalOf(pods[1].client.getSession({ sessionId }))).toBe("SESSION_NOT_FOUND");
  await purger.stop();
}, 40_000);

test("bad input gets a typed refusal and the pod lives", async () => {
  const { client } = pods[0];
  const quiz = numberedQuiz(1);
  const two = { ...quiz.questions[0], answer: ["right 1", "wrong"] };
  const texts = Array.from({ length: 8 }, (_, i) => `${i}${"ü".repeat(199)}`);
  const long = Array.from({ length: 400 }, () => ({
    ...quiz.questions[0],
    options: texts,
    answer: [texts[0]],
  }));
  const source = (value: object) => ({ source: { case: "quiz" as const, value } as never });
  const cases: [string, () => Promise<unknown>][] = [
    ["INVALID_FIELD", () => client.createSession({ ...source(quiz), sessionId: "a.b" })],
    ["INVALID_FIELD", () => client.createSession({ ...source(quiz), sessionId: "*" })],
    ["INVALID_FIELD", () => client.createSession({ ...source(quiz), sessionId: "🎺" })],
    ["INVALID_FIELD", () => client.createSession({ sessionId: "none" })],
    [
      "INVALID_FIELD",
      () => client.createSession({ ...source(quiz), options: { roundSeconds: 4 } }),
    ],
    ["INVALID_FIELD", () => client.createSession({ ...source(quiz), options: { lanes: 65 } })],
    ["QUIZ_INVALID", () => client.createSession(source({ title: "Empty", questions: [] }))],
    ["QUIZ_INVALID", () => client.createSession(source({ ...quiz, questions: [two] }))],
    ["TOO_LARGE", () => client.createSession(source({ title: "Long", questions: long }))],
    ["SESSION_NOT_FOUND", () => client.getSession({ sessionId: "never" })],
    ["SESSION_NOT_FOUND", () => client.getSession({ sessionId: "a.b.>" })],
    ["SESSION_NOT_FOUND", () => client.resolvePin({ pin: "000000" })],
    ["SESSION_NOT_FOUND", () => client.resolvePin({ pin: "*" })],
    ["FORBIDDEN", () => client.submitAnswers({ lanes: [{ sessionId: "x", round: 1 }] })],
    [
      "INVALID_FIELD",
      () => service(pods[0]).submitAnswers({ lanes: [{ sessionId: "x", round: 1 }] }),
    ],
    ["UNAUTHENTICATED", () => client.getSession({ sessionId: "x" }, { token: "forged" })],
  ];
  for (const [reason, work] of cases) expect(await refusalOf(work())).toBe(reason);
  const { sessionId } = await createSession(pods[0]);
  const longest = Array.from({ length: 1_000 }, (_, i) => ({
    nickname: `${"👩‍👩‍👧‍👦".repeat(15)}${i}`,
    submissionId: randomUUID(),
  }));
  const admitted = await service(pods[0]).joinSession({ sessionId, joins: longest });
  expect(admitted.results.every(({ player }) => player)).toBe(true);
  const nicknames = [
    "",
    " ",
    "a".repeat(25),
    "x".repeat(1_000_000),
    "a\u202eb",
    "\u200b",
    "a\u0000",
  ];
  const joins = nicknames.map((nickname) => ({ nickname, submissionId: randomUUID() }));
  const { results } = await service(pods[0]).joinSession({ sessionId, joins });
  expect(new Set(results.map(({ refused }) => refused))).toEqual(
    new Set([ErrorReason.NAME_INVALID]),
  );
  const host = pods[0].as({ role: "host", subject: "somebody", sessionId: "another" });
  expect(await refusalOf(host.startSession({ sessionId }))).toBe("FORBIDDEN");
});
