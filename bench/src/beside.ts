/**
 * (j) Two rooms of thirty beside one of thousands, on one gateway and one pod of each service: what a small
 * room's acknowledgements take while the large one answers, and while it is quiet, in turns.
 */
import { Crowd, ONE_ADDRESS } from "@fanfare/cli/crowd/crowd";
import type { DrillReport } from "@fanfare/cli/crowd/drills";
import { startStack } from "@fanfare/cli/stack/start-stack";
import { textTable } from "@fanfare/cli/text-table";
import { Phase } from "@fanfare/proto/quiz/v1/session";
import { crowdNote } from "./crowd-note.js";
import { sleep, sum, timesOf } from "./numbers.js";
import {
  createSession,
  gatewayOf,
  JOINED,
  joinHello,
  openQuiz,
  type Quiz,
  untilPhase,
} from "./sessions.js";

const ROOMS = 2;
const ROOM_PLAYERS = 30;
/** A small room answers as people do, the large one as a crowd. */
const ANSWERS_OVER_MS = 5_000;
const JOIN_PER_SECOND = 1_000;
const SETTLE_MS = 2_000;
const LARGE = "large";
const SMALL = Array.from({ length: ROOMS }, (_, i) => `small-group-${i}`);

type Times = ReturnType<typeof timesOf>;

export interface BesideResult {
  players: number;
  alone: Times;
  beside: Times;
  large: Times;
  /** The small rooms' beside to alone. */
  ratios: { p50: number; p99: number };
  failures: number;
}

export async function benchBeside(players: number, turns: number): Promise<BesideResult> {
  await using stack = await startStack({ env: { gateway: ONE_ADDRESS } });
  await using crowd = new Crowd();
  await using few = new Crowd();
  const quiz = openQuiz(stack);
  const url = `${gatewayOf(stack)}/v1/socket`;
  const join = { do: "connect", url, perSecond: JOIN_PER_SECOND, until: JOINED } as const;
  for (const id of SMALL) await createSession(quiz, id, 2 * turns);
  await createSession(quiz, LARGE, turns);
  const hello = joinHello("small-group-%g");
  const count = ROOMS * ROOM_PLAYERS;
  const joins = [
    await few.order({ ...join, count, hello, groupSize: ROOM_PLAYERS }),
    await crowd.order({ ...join, count: players, hello: joinHello(LARGE) }),
  ];
  await sleep(SETTLE_MS);
  const answers = { do: "answer", overMs: ANSWERS_OVER_MS } as const;
  const alone: DrillReport[] = [];
  const beside: DrillReport[] = [];
  const large: DrillReport[] = [];
  for (let turn = 1; turn <= turns; turn++) {
    await open(quiz, SMALL, 2 * turn - 1);
    alone.push(await few.order({ ...answers, round: 2 * turn - 1 }));
    await close(quiz, SMALL, 2 * turn - 1);
    await open(quiz, SMALL, 2 * turn);
    await open(quiz, [LARGE], turn);
    const [theirs, ours] = await Promise.all([
      crowd.order({ ...answers, round: turn }),
      few.order({ ...answers, round: 2 * turn }),
    ]);
    large.push(theirs);
    beside.push(ours);
    await close(quiz, SMALL, 2 * turn);
    await close(quiz, [LARGE], turn);
    await sleep(SETTLE_MS);
  }
  const all = (reports: readonly DrillReport[]) =>
    timesOf(reports.flatMap(({ latencies }) => latencies));
  const times = { alone: all(alone), beside: all(beside), large: all(large) };
  const ratio = (figure: "p50Ms" | "p99Ms") => times.beside[figure] / times.alone[figure];
  const result = {
    players,
    ...times,
    ratios: { p50: ratio("p50Ms"), p99: ratio("p99Ms") },
    failures: sum([...joins, ...alone, ...beside, ...large].map(({ failures }) => failures)),
  };
  print(result, crowdNote([...alone, ...beside, ...large]));
  return result;
}

/** The question of this round, from the lobby or from the reveal before it. */
async function open(quiz: Quiz, ids: readonly string[], round: number): Promise<void> {
  for (const sessionId of ids)
    await (round === 1
      ? quiz.startSession({ sessionId })
      : quiz.nextRound({ sessionId, expectedRound: round - 1, expectedPhase: Phase.REVEAL }));
  for (const id of ids) await untilPhase(quiz, id, Phase.OPEN, round);
}

async function close(quiz: Quiz, ids: readonly string[], round: number): Promise<void> {
  for (const sessionId of ids)
    await quiz.nextRound({ sessionId, expectedRound: round, expectedPhase: Phase.OPEN });
  for (const id of ids) await untilPhase(quiz, id, Phase.REVEAL, round);
}

function print({ players, alone, beside, large, ratios, failures }: BesideResult, note: string) {
  console.log(`\n(j) ${ROOMS} rooms of ${ROOM_PLAYERS} beside one of ${players}, acknowledgements`);
  const row = (name: string, { p50Ms, p99Ms, maxMs }: Times) => [name, p50Ms, p99Ms, maxMs];
  console.log(
    textTable(
      ["", "p50 ms", "p99", "max"],
      [
        row("small rooms, alone", alone),
        row("small rooms, beside", beside),
        row("the large one", large),
      ],
    ),
  );
  console.log(
    `beside to alone: p50 ${ratios.p50.toFixed(2)}, p99 ${ratios.p99.toFixed(2)}; ` +
      `${failures} failed; ${note}`,
  );
}
