/**
 * (i) Growth: what one round costs the whole stack with twice the players, again and again; and many
 * small sessions at once: as many sockets, nothing shared. On two gateways, as a process has 20,000
 * descriptors.
 */
import { Crowd, ONE_ADDRESS } from "@fanfare/cli/crowd/crowd";
import { type Stack, startStack } from "@fanfare/cli/stack/start-stack";
import { textTable } from "@fanfare/cli/text-table";
import { Phase } from "@fanfare/proto/quiz/v1/session";
import { countsOf, perAnswer } from "./counts.js";
import { crowdNote } from "./crowd-note.js";
import { forEach, sleep, sum, timesOf } from "./numbers.js";
import { createSession, JOINED, openQuiz, type Quiz, untilPhase } from "./sessions.js";
import { idleUsage, type Usage, usageOf, usageSince } from "./usage.js";

const GATEWAYS = 2;
const JOIN_PER_SECOND = 500;
const ANSWERS_PER_SECOND = 2_000;
/** The first round of a size is on cold code and cold connections. */
const ROUNDS = 3;
/** What the joins leave to be done. */
const SETTLE_MS = 2_000;
const REVEAL_MS = 2_000;
const CALLS_AT_ONCE = 16;

interface Played {
  players: number;
  sessions: number;
  /** All processes of the stack, for one round; without what they use idle. */
  cpuSeconds: number;
  /** Of it, until the answers were acknowledged; the rest is the close and what it brings. */
  answersCpuSeconds: number;
  /** CPU of the answers by process, in µs each. */
  byProcess: Record<string, number>;
  /** What the last round's answers have set in motion, for each of them. */
  work: Record<string, number>;
  acks: ReturnType<typeof timesOf>;
  failures: number;
  /** Frames that named another session than their socket's. */
  strangers: number;
  note: string;
}

export interface GrowthResult {
  sizes: Played[];
  /** Of each size to half of it. */
  ratios: number[];
}

/** One session each of these many players. */
export async function benchGrowth(sizes: readonly number[]): Promise<GrowthResult> {
  await using stack = await startStack({ gateways: GATEWAYS, env: { gateway: ONE_ADDRESS } });
  const played: Played[] = [];
  for (const players of sizes) played.push(await play(stack, `g${players}`, 1, players));
  const ratios = played
    .slice(1)
    .map(({ cpuSeconds }, i) => cpuSeconds / (played[i]?.cpuSeconds ?? 0));
  print(
    "one session of more and more players; target: twice the players, at most 2.1x the CPU",
    played,
  );
  console.log(`CPU to the size before: ${ratios.map((each) => each.toFixed(2)).join(", ")}`);
  return { sizes: played, ratios };
}

/** Many sessions of a few players each. */
export async function benchClasses(sessions: number, players: number): Promise<Played> {
  await using stack = await startStack({ gateways: GATEWAYS, env: { gateway: ONE_ADDRESS } });
  const played = await play(stack, "class", sessions, sessions * players);
  print(`${sessions} sessions of ${players} at once; targets: ack p99 150 ms, no cross-talk`, [
    played,
  ]);
  return played;
}

async function play(
  stack: Stack,
  name: string,
  sessions: number,
  players: number,
): Promise<Played> {
  const quiz = openQuiz(stack);
  // A session's id stands in its questions, its nicknames and its frames: `<name>-group-<n>`.
  const ids = Array.from({ length: sessions }, (_, i) => `${name}-group-${i}`);
  await forEach(ids, CALLS_AT_ONCE, (id) => createSession(quiz, id, ROUNDS));
  const crowds = stack.gatewayUrls.map(() => new Crowd());
  try {
    const joins = await Promise.all(
      crowds.map((crowd, i) =>
        crowd.order({
          do: "connect",
          url: `${stack.gatewayUrls[i]}/v1/socket`,
          count: players / GATEWAYS,
          perSecond: JOIN_PER_SECOND,
          hello: helloOf(name, `c${i}`),
          until: JOINED,
          groupSize: players / sessions / GATEWAYS,
        }),
      ),
    );
    // In the lobby: a question that is shown, or opens, is not idling.
    const idle = await idleUsage(() => usageOf(stack), SETTLE_MS);
    await forEach(ids, CALLS_AT_ONCE, (sessionId) => quiz.startSession({ sessionId }));
    const rounds = [];
    for (let round = 1; round <= ROUNDS; round++)
      rounds.push(await playRound({ stack, quiz, crowds, ids, round, players, idle }));
    const warm = rounds.slice(1);
    const reports = warm.flatMap((each) => each.reports);
    return {
      players,
      sessions,
      ...cheapest(warm, players),
      work: rounds.at(-1)?.work ?? {},
      acks: timesOf(reports.flatMap(({ latencies }) => latencies)),
      failures: sum([...joins, ...rounds.flatMap((each) => each.reports)].map((r) => r.failures)),
      strangers: sum(rounds.at(-1)?.reports.map((report) => report.strangers) ?? []),
      note: crowdNote(reports),
    };
  } finally {
    for (const crowd of crowds) await crowd[Symbol.asyncDispose]();
    await forEach(ids, CALLS_AT_ONCE, (sessionId) => quiz.endSession({ sessionId }));
  }
}

interface Round {
  stack: Stack;
  quiz: Quiz;
  crowds: readonly Crowd[];
  ids: readonly string[];
  round: number;
  players: number;
  /** Per ms. */
  idle: Usage;
}

/** The round that cost least: what else the machine does only adds. */
function cheapest(rounds: readonly { answers: Usage; all: Usage }[], players: number) {
  const [least] = [...rounds].sort((a, b) => sum(a.all.values()) - sum(b.all.values()));
  const { answers = new Map<string, number>(), all = new Map<string, number>() } = least ?? {};
  return {
    cpuSeconds: sum(all.values()),
    answersCpuSeconds: sum(answers.values()),
    byProcess: Object.fromEntries(
      [...answers].map(([name, seconds]) => [name, (seconds * 1e6) / players]),
    ),
  };
}

/** From the open question to everybody's result, in all sessions at once. */
async function playRound({ stack, quiz, crowds, ids, round, players, idle }: Round) {
  await forEach(ids, CALLS_AT_ONCE, (id) => untilPhase(quiz, id, Phase.OPEN, round));
  const before = await countsOf(stack);
  const since = usageSince(() => usageOf(stack), idle);
  const overMs = (players / ANSWERS_PER_SECOND) * 1_000;
  const reports = await Promise.all(
    crowds.map((crowd) => crowd.order({ do: "answer", round, overMs })),
  );
  const answers = since();
  const work = perAnswer(before, await countsOf(stack), players);
  const here = { expectedRound: round };
  await forEach(ids, CALLS_AT_ONCE, (sessionId) =>
    quiz.nextRound({ sessionId, ...here, expectedPhase: Phase.OPEN }),
  );
  await forEach(ids, CALLS_AT_ONCE, (id) => untilPhase(quiz, id, Phase.REVEAL, round));
  await sleep(REVEAL_MS);
  const all = since();
  if (round < ROUNDS)
    await forEach(ids, CALLS_AT_ONCE, (sessionId) =>
      quiz.nextRound({ sessionId, ...here, expectedPhase: Phase.REVEAL }),
    );
  // What came since the answers counts for strangers, too.
  const heard = await Promise.all(crowds.map((crowd) => crowd.order({ do: "watched" })));
  return {
    answers,
    all,
    work,
    reports: reports.map((r, i) => ({ ...r, strangers: heard[i]?.strangers ?? 0 })),
  };
}

const helloOf = (name: string, crowd: string) =>
  JSON.stringify({
    hello: {
      protocolVersion: 1,
      join: {
        sessionId: `${name}-group-%g`,
        nickname: `${crowd}p%i group-%g`,
        submissionId: `${crowd}j%i`,
      },
    },
  });

function print(what: string, played: readonly Played[]): void {
  console.log(`\n(i) ${what}`);
  console.log(
    textTable(
      [
        "players",
        "sessions",
        "CPU s a round",
        "of it answers",
        "µs a player",
        "ack p50 ms",
        "p99",
        "max",
        "failed",
        "cross-talk",
      ],
      played.map((of) => [
        ...[
          of.players,
          of.sessions,
          of.cpuSeconds,
          of.answersCpuSeconds,
          (of.cpuSeconds * 1e6) / of.players,
        ],
        ...[of.acks.p50Ms, of.acks.p99Ms, of.acks.maxMs, of.failures, of.strangers],
      ]),
    ),
  );
  const { byProcess = {}, work = {}, note = "" } = played.at(-1) ?? {};
  const parts = Object.entries(byProcess).map(([name, us]) => `${name} ${us.toFixed(0)}`);
  const set = Object.entries(work).map(([name, count]) => `${count.toFixed(3)} ${name}`);
  console.log(
    `µs an answer, last line: ${parts.join(", ")}\neach answer: ${set.join(", ")}\n${note}`,
  );
}
