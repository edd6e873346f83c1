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

interface Round {
  acks: number[];
  refused: number;
  rowsMs: number;
  /** CPU seconds by process, without what it costs to idle. */
  cpu: Map<string, number>;
  crowdCpu: number;
}

export async function benchAnswers(players: number, rounds: number): Promise<AnswersResult> {
  const bare = await answerBare(players, rounds);
  await using stack = await startStack({ env: ONE_ADDRESS });
  const quiz = openDoor(QuizService, stack.gatewayUrls, stack.adminToken);
  const sql = postgres(stack.postgresUrl, { max: 1, onnotice: () => {} });
  await using crowd = new Crowd();
  await openSession(quiz, rounds);
  const hello = `{"hello":{"protocolVersion":1,"join":{"sessionId":"${SESSION}","nickname":"p%i","submissionId":"j%i"}}}`;
  await crowd.order({
    do: "connect",
    port: Number(new URL(stack.gatewayUrls[0] ?? "").port),
    path: "/v1/socket",
    count: players,
    perSecond: JOIN_PER_SECOND,
    hello,
    until: '"joined"',
  });
  await quiz.startSession({ sessionId: SESSION });
  const played: Round[] = [];
  for (let round = 1; round <= rounds; round++) {
    await untilPhase(quiz, Phase.OPEN, round);
    played.push(await playRound(stack, crowd, sql, round));
    const here = { sessionId: SESSION, expectedRound: round };
    await quiz.nextRound({ ...here, expectedPhase: Phase.OPEN });
    await untilPhase(quiz, Phase.REVEAL, round);
    await sleep(1_000);
    await quiz.nextRound({ ...here, expectedPhase: Phase.REVEAL });
  }
  const [stored] = await sql`
    SELECT count(*)::int AS n, count(DISTINCT (round, player_id))::int AS players
    FROM quiz.quiz_history WHERE session_id = ${SESSION}`;
  await sql.end();
  return report(
    bare,
    played,
    { rows: Number(stored?.n), players: Number(stored?.players) },
    players,
  );
}

/** One burst, from the first answer until PostgreSQL has every acknowledged one. */
async function playRound(
  stack: Stack,
  crowd: Crowd,
  sql: postgres.Sql,
  round: number,
): Promise<Round> {
  await sleep(500);
  const idleFrom = usage(stack);
  await sleep(IDLE_MS);
  const idle = difference(usage(stack), idleFrom);
  const before = usage(stack);
  const begun = nowMs();
  const answered = await crowd.order({ do: "answer", round, overMs: OVER_MS, doubled: false });
  await untilRows(sql, round, answered.latencies.length);
  const rowsMs = nowMs() - begun;
  await sleep(100);
  const share = (nowMs() - begun) / IDLE_MS;
  const cpu = new Map(
    [...difference(usage(stack), before)].map(([name, seconds]) => [
      name,
      Math.max(0, seconds - (idle.get(name) ?? 0) * share),
    ]),
  );
  const { latencies, failures, cpuSeconds } = answered;
  return { acks: latencies, refused: failures, rowsMs, cpu, crowdCpu: cpuSeconds };
}

type Bare = Awaited<ReturnType<typeof answerBare>>;

function report(
  bare: Bare,
  played: readonly Round[],
  stored: { rows: number; players: number },
  players: number,
): AnswersResult {
  const perAnswer = (of: (round: Round) => number) =>
    median(played.map((round) => (of(round) * 1e6) / round.acks.length));
  const acks = played.flatMap((round) => round.acks);
  const rowsMs = median(played.map((round) => round.rowsMs));
  const cpuUs = perAnswer(({ cpu }) => [...cpu.values()].reduce((sum, each) => sum + each, 0));
  const refused = played.reduce((sum, round) => sum + round.refused, 0);
  const times = (of: readonly number[]) => [
    percentile(of, 0.5),
    percentile(of, 0.99),
    percentile(of, 1),
  ];
  console.log(
    `\n(b) ${players} players answer within ${OVER_MS / 1_000} s, ${played.length} rounds; targets: all acknowledged and in PostgreSQL within 2 s, under 100 µs per answer`,
  );
  const head = [
    "",
    "acked",
    "refused",
    "ack p50 ms",
    "p99",
    "max",
    "rows after ms",
    "CPU µs/answer",
  ];
  console.log(
    table(head, [
      ["bare, stored only", bare.acks.length, bare.lost, ...times(bare.acks), "-", bare.cpuUs],
      ["whole stack", acks.length, refused, ...times(acks), rowsMs, cpuUs],
    ]),
  );
  const names = [...(played[0]?.cpu.keys() ?? [])];
  console.log(
    table(
      ["process", "CPU µs/answer"],
      [
        ...names.map((name) => [name, perAnswer(({ cpu }) => cpu.get(name) ?? 0)]),
        ["the crowd itself", perAnswer(({ crowdCpu }) => crowdCpu)],
        ["ratio to bare", cpuUs / bare.cpuUs],
      ],
    ),
  );
  const lost = acks.length - stored.players;
  const doubled = stored.rows - stored.players;
  console.log(
    `stored ${stored.rows} rows of ${acks.length} acknowledged answers: ${lost} lost, ${doubled} doubled`,
  );
  return { cpuUs, rowsMs, lost, doubled };
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
