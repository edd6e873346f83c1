/**
 * (e) The burst of (b) with the worst in it: half way through, one of two gateways gets SIGKILL, its
 * players come back through the other, and everybody sends every answer twice. What was acknowledged
 * must be in the log and in PostgreSQL exactly once, and soon.
 */
import { randomUUID } from "node:crypto";
import { nowMs } from "@fanfare/cli/crowd/clock";
import { PlayerSocket } from "@fanfare/cli/player/player-socket";
import { startStack } from "@fanfare/cli/stack/start-stack";
import { textTable } from "@fanfare/cli/text-table";
import { Phase } from "@fanfare/proto/quiz/v1/session";
import postgres from "postgres";
import { sleep, timesOf } from "./numbers.js";
import { createSession, openQuiz, untilPhase } from "./sessions.js";
import { compareStored, rowsArrive, type Stored, storedLines } from "./stored.js";

const SESSION = "kill";
const OVER_MS = 1_000;
const KILL_AT_MS = 500;
const JOINS_AT_ONCE = 100;

export interface KillResult extends Stored {
  players: number;
  /** Answers that were told twice that they are in. */
  acknowledgedTwice: number;
  comebacks: number;
  /** Times from when an answer was due to its first acknowledgement, for those who kept their gateway. */
  kept: ReturnType<typeof timesOf>;
  /** The same for those who lost it. */
  moved: ReturnType<typeof timesOf>;
  /** From the last first acknowledgement until PostgreSQL held all rows. */
  rowsAfterLastAckMs: number;
}

export async function benchKill(players: number): Promise<KillResult> {
  await using stack = await startStack({ gateways: 2 });
  const quiz = openQuiz(stack);
  const sql = postgres(stack.postgresUrl, { max: 1, onnotice: () => {} });
  await createSession(quiz, SESSION, 1);
  const crowd = await joinAll(stack.gatewayUrls, players);
  await quiz.startSession({ sessionId: SESSION });
  await untilPhase(quiz, SESSION, Phase.OPEN, 1);
  const acknowledged = new Set<string>();
  const ackMs: number[] = new Array(players).fill(Number.NaN);
  let lastAckAt = 0;
  let acknowledgedTwice = 0;
  const begun = nowMs();
  const answer = async (player: PlayerSocket, index: number) => {
    const dueMs = (index / players) * OVER_MS;
    await sleep(begun + dueMs - nowMs());
    const submissionId = randomUUID();
    const send = () => player.answer(1, ["A"], { submissionId });
    if ((await send()).kind !== "accepted") return;
    lastAckAt = nowMs();
    ackMs[index] = lastAckAt - begun - dueMs;
    acknowledged.add(submissionId);
    if ((await send()).kind === "accepted") acknowledgedTwice++;
  };
  const answers = crowd.map(answer);
  await sleep(KILL_AT_MS);
  stack.process("gateway-1").kill("SIGKILL");
  const rows = whenStored(sql, players);
  await Promise.all(answers);
  const rowsAfterLastAckMs = (await rows) - lastAckAt;
  const hasMoved = (index: number) => (crowd[index]?.reconnects ?? 0) > 0;
  const result: KillResult = {
    players,
    acknowledgedTwice,
    comebacks: crowd.filter((_, index) => hasMoved(index)).length,
    kept: timesOf(ackMs.filter((_, index) => !hasMoved(index))),
    moved: timesOf(ackMs.filter((_, index) => hasMoved(index))),
    rowsAfterLastAckMs,
    ...(await compareStored(acknowledged, { stack, sql, sessionId: SESSION })),
  };
  for (const player of crowd) player.close();
  await sql.end();
  print(result, acknowledged.size);
  return result;
}

async function joinAll(urls: readonly string[], players: number): Promise<PlayerSocket[]> {
  const crowd: PlayerSocket[] = [];
  while (crowd.length < players) {
    const count = Math.min(JOINS_AT_ONCE, players - crowd.length);
    const joins = Array.from({ length: count }, (_, index) => {
      const number = crowd.length + index;
      const turned = number % 2 === 0 ? urls : [...urls].reverse();
      return PlayerSocket.join({ urls: turned, sessionId: SESSION, nickname: `p${number}` });
    });
    crowd.push(...(await Promise.all(joins)));
  }
  return crowd;
}

/** When all rows were there; throws after 20 s. */
async function whenStored(sql: postgres.Sql, wanted: number): Promise<number> {
  if (!(await rowsArrive(sql, { sessionId: SESSION, round: 1 }, wanted)))
    throw new Error(`not all of ${wanted} rows came into PostgreSQL in time`);
  return nowMs();
}

function print(result: KillResult, acknowledged: number): void {
  const { players, kept, moved } = result;
  console.log(
    `\n(e) ${players} players answer within ${OVER_MS / 1_000} s, each twice; one of two gateways is killed meanwhile`,
  );
  const line = (name: string, { p50Ms, p99Ms, maxMs }: typeof kept) => [name, p50Ms, p99Ms, maxMs];
  console.log(
    textTable(
      ["first ack after", "p50 ms", "p99", "max"],
      [line("gateway kept", kept), line("gateway killed", moved)],
    ),
  );
  console.log(
    `${acknowledged} acknowledged, ${result.acknowledgedTwice} of them again when sent again; ${result.comebacks} came back`,
  );
  console.log(
    `all rows ${Math.round(result.rowsAfterLastAckMs)} ms after the last acknowledgement`,
  );
  for (const line of storedLines(result)) console.log(line);
}
