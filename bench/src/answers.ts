/** (b) Everybody answers within a second: the whole stack, beside a bare server that only stores. */
import { openDoor } from "@fanfare/cli/door";
import { type Stack, startStack } from "@fanfare/cli/stack/start-stack";
import { QuestionType } from "@fanfare/proto/common/v1/question";
import { QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import { Phase } from "@fanfare/proto/quiz/v1/session";
import postgres from "postgres";
import { startBare } from "./bare.js";
import { cpuSeconds } from "./cpu.js";
import { Crowd, ONE_ADDRESS } from "./crowd.js";
import { median, nowMs, percentile, sleep, table } from "./numbers.js";

const OVER_MS = 1_000;
const IDLE_MS = 2_000;
const JOIN_PER_SECOND = 1_500;
const SESSION = "bench";
const HISTORY_LIMIT_MS = 20_000;

export interface AnswersResult {
  cpuUs: number;
  rowsMs: number;
  lost: number;
  doubled: number;
}

/** CPU seconds of every process of the stack, by name. */
function usage(stack: Stack): Map<string, number> {
  const pids = new Map<string, number | undefined>([
    ...[...stack.processes].map(([name, { pid }]) => [name, pid] as const),
    ...Object.entries(stack.servers).map(([name, { pid }]) => [name, pid] as const),
  ]);
  return new Map([...pids].map(([name, pid]) => [name, pid ? cpuSeconds(pid) : 0]));
}

const difference = (after: Map<string, number>, before: Map<string, number>) =>
  new Map([...after].map(([name, seconds]) => [name, seconds - (before.get(name) ?? 0)]));

export async function benchAnswers(players: number, rounds: number): Promise<AnswersResult> {
  const bare = await answerBare(players, rounds);
  await using stack = await startStack({ env: ONE_ADDRESS });
  const quiz = openDoor(QuizService, stack.gatewayUrls, stack.adminToken);
  const sql = postgres(stack.postgresUrl, { max: 1, onnotice: () => {} });
  await using crowd = new Crowd();
  await openSession(quiz, rounds);
  const hello = `{"hello":{"protocolVersion":1,"join":{"sessionId":"${SESSION}","nickname":"p%i","submissionId":"j%i"}}}`;
  const port = Number(new URL(stack.gatewayUrls[0] ?? "").port);
  const joined = await crowd.order({
    do: "connect",
    port,
    path: "/v1/socket",
    count: players,
    perSecond: JOIN_PER_SECOND,
    hello,
    until: '"joined"',
  });
  await quiz.startSession({ sessionId: SESSION });
  const each: {
    acks: number[];
    lost: number;
    rowsMs: number;
    cpu: Map<string, number>;
    client: number;
  }[] = [];
  for (let round = 1; round <= rounds; round++) {
    await untilPhase(quiz, Phase.OPEN, round);
    await sleep(500);
    const idleFrom = usage(stack);
    await sleep(IDLE_MS);
    const idle = difference(usage(stack), idleFrom);
    const before = usage(stack);
    const begun = nowMs();
    const answered = crowd.order({ do: "answer", round, overMs: OVER_MS, doubled: false });
    const { latencies, failures, cpuSeconds: client } = await answered;
    const ackedAt = nowMs();
    await untilRows(sql, round, latencies.length);
    const rowsMs = nowMs() - begun;
    await sleep(100);
    const share = (nowMs() - begun) / IDLE_MS;
    const used = difference(usage(stack), before);
    const cpu = new Map(
      [...used].map(([name, seconds]) => [
        name,
        Math.max(0, seconds - (idle.get(name) ?? 0) * share),
      ]),
    );
    each.push({
      acks: latencies,
      lost: failures,
      rowsMs: Math.max(rowsMs, ackedAt - begun),
      cpu,
      client,
    });
    await quiz.nextRound({ sessionId: SESSION, expectedPhase: Phase.OPEN, expectedRound: round });
    await untilPhase(quiz, Phase.REVEAL, round);
    await sleep(1_000);
    await quiz.nextRound({ sessionId: SESSION, expectedPhase: Phase.REVEAL, expectedRound: round });
  }
  const [stored] = await sql`
    SELECT count(*)::int AS n, count(DISTINCT (round, player_id))::int AS players
    FROM quiz.quiz_history WHERE session_id = ${SESSION}`;
  await sql.end();
  const acked = each.reduce((sum, { acks }) => sum + acks.length, 0);
  const lost = acked - Number(stored?.players ?? 0);
  const doubled = Number(stored?.n ?? 0) - Number(stored?.players ?? 0);
  const names = [...(each[0]?.cpu.keys() ?? [])];
  const perAnswer = (name: string) =>
    median(each.map(({ cpu, acks }) => ((cpu.get(name) ?? 0) * 1e6) / acks.length));
  const total = median(
    each.map(
      ({ cpu, acks }) => ([...cpu.values()].reduce((sum, s) => sum + s, 0) * 1e6) / acks.length,
    ),
  );
  const acks = each.flatMap((round) => round.acks);
  const rowsMs = median(each.map((round) => round.rowsMs));
  console.log(
    `\n(b) ${players} players answer within ${OVER_MS / 1_000} s, ${rounds} rounds; targets: all acknowledged and in PostgreSQL within 2 s, under 100 µs per answer`,
  );
  console.log(
    table(
      ["", "acked", "refused", "ack p50 ms", "p99", "max", "rows after ms", "CPU µs/answer"],
      [
        [
          "bare, stored only",
          bare.acks.length,
          bare.lost,
          percentile(bare.acks, 0.5),
          percentile(bare.acks, 0.99),
          Math.max(...bare.acks),
          "-",
          bare.cpuUs,
        ],
        [
          "whole stack",
          acked,
          each.reduce((sum, { lost }) => sum + lost, 0) + joined.failures,
          percentile(acks, 0.5),
          percentile(acks, 0.99),
          Math.max(...acks),
          rowsMs,
          total,
        ],
      ],
    ),
  );
  console.log(
    table(
      ["process", "CPU µs/answer"],
      [
        ...names.map((name) => [name, perAnswer(name)]),
        ["the crowd itself", median(each.map(({ client, acks }) => (client * 1e6) / acks.length))],
        ["ratio to bare", total / bare.cpuUs],
      ],
    ),
  );
  if (process.env.DEBUG_ROUNDS)
    for (const r of each)
      console.log(
        [...r.cpu].map(([n, v]) => n + " " + Math.round((v * 1e6) / r.acks.length)).join("  "),
      );
  console.log(
    `stored ${stored?.n} rows of ${acked} acknowledged answers: ${lost} lost, ${doubled} doubled`,
  );
  return { cpuUs: total, rowsMs, lost, doubled };
}

async function answerBare(players: number, rounds: number) {
  await using stack = await startStack({
    gateways: 0,
    quiz: 0,
    leaderboards: 0,
    histories: 0,
    quizMasters: 0,
  });
  await using bare = await startBare(stack.natsUrl);
  await using crowd = new Crowd();
  await crowd.order({
    do: "connect",
    port: bare.port,
    path: "/",
    count: players,
    perSecond: JOIN_PER_SECOND,
    until: "[",
  });
  const acks: number[] = [];
  const costs: number[] = [];
  let lost = 0;
  const cpu = () => cpuSeconds(bare.pid) + cpuSeconds(stack.servers.nats.pid ?? 0);
  for (let round = 1; round <= rounds; round++) {
    const before = cpu();
    const { latencies, failures } = await crowd.order({
      do: "answer",
      round,
      overMs: OVER_MS,
      doubled: false,
    });
    costs.push(((cpu() - before) * 1e6) / latencies.length);
    acks.push(...latencies);
    lost += failures;
  }
  return { acks, lost, cpuUs: median(costs) };
}

type Quiz = ReturnType<typeof openDoor<typeof QuizService>>;

async function openSession(quiz: Quiz, rounds: number): Promise<void> {
  const questions = Array.from({ length: rounds }, (_, i) => ({
    type: QuestionType.SINGLE_CHOICE,
    question: `Question ${i + 1}?`,
    options: ["right", "wrong", "no", "never"],
    answer: ["right"],
  }));
  await quiz.createSession({
    sessionId: SESSION,
    source: { case: "quiz", value: { title: "Bench", questions } },
    options: { roundSeconds: 60 },
  });
}

async function untilPhase(quiz: Quiz, phase: Phase, round: number): Promise<void> {
  for (;;) {
    const { session } = await quiz.getSession({ sessionId: SESSION });
    if (session?.phase === phase && session.round === round) return;
    await sleep(20);
  }
}

async function untilRows(sql: postgres.Sql, round: number, wanted: number): Promise<void> {
  const limit = nowMs() + HISTORY_LIMIT_MS;
  while (nowMs() < limit) {
    const [row] = await sql`
      SELECT count(*)::int AS n FROM quiz.quiz_history WHERE session_id = ${SESSION} AND round = ${round}`;
    if (Number(row?.n) >= wanted) return;
    await sleep(10);
  }
}
