/**
 * Plays a record again, as the gateways of that day would have: through the rules, the log and its
 * projections, with the answer times that were measured then. That takes the installation's own
 * secret, as only who measures answer times may say them.
 */
import { setTimeout as delay } from "node:timers/promises";
import { ServiceError } from "@fanfare/common/errors";
import type { ServiceClient } from "@fanfare/common/grpc-client";
import { subjectForScore } from "@fanfare/proto/addresses";
import { fromVerdictColumns, toAnswerColumns } from "@fanfare/proto/answer-columns";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { PlayerStatus, type QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import { Phase } from "@fanfare/proto/quiz/v1/session";
import { jetstream } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { nowMs } from "../crowd/clock.js";
import { untilDone } from "../retry.js";
import type { SessionRecord } from "./record.js";
import { createRequest, planRound, type ReplayBatch } from "./replay-plan.js";

export interface Replay {
  record: SessionRecord;
  sessionId: string;
  speed: number;
  quiz: ServiceClient<typeof QuizService>;
  /** Role service. */
  serviceToken: string;
  /** Needed where outsiders scored. */
  nats: NatsConnection | undefined;
  /** Is told of each round: how many answers were stored. */
  onRound(round: number, answers: number): void;
}

const JOINS_AT_ONCE = 500;
const POLL_MS = 10;
const PHASE_LIMIT_MS = 60_000;

/** Resolves when the session has ended. Rejects with what could not be played as it was. */
export async function replaySession(replay: Replay): Promise<void> {
  const { record, sessionId, quiz } = replay;
  if (record.outside.length > 0 && !replay.nats)
    throw new Error(`${record.outside.length} scores came from outside: give -nats URL`);
  await quiz.createSession(createRequest(record, sessionId));
  try {
    await joinPlayers(replay);
    await untilDone(() => quiz.startSession({ sessionId }));
    for (let round = 1; round <= record.rounds; round++) await playRound(replay, round);
    await publishOutside(replay, (round) => round < 1 || round > record.rounds);
    await removePlayers(replay);
  } finally {
    await untilDone(() => quiz.endSession({ sessionId }));
  }
}

/** With the ids that they had: ids decide ties, and the lanes of answers. */
async function joinPlayers({ record, sessionId, quiz }: Replay): Promise<void> {
  for (let at = 0; at < record.players.length; at += JOINS_AT_ONCE) {
    const some = record.players.slice(at, at + JOINS_AT_ONCE);
    const joins = some.map(({ playerId, nickname }, i) => ({
      playerId,
      nickname,
      submissionId: `replay-${at + i}`,
      // A stranger to the tally of all sessions: nobody gets points there twice.
      user: `replay-${at + i}`,
    }));
    const { results } = await untilDone(() => quiz.joinSession({ sessionId, joins }));
    for (const [i, { player, refused }] of results.entries())
      if (player?.playerId !== some[i]?.playerId)
        throw new Error(`${some[i]?.nickname} could not join again: ${ErrorReason[refused]}`);
  }
}

async function playRound(replay: Replay, round: number): Promise<void> {
  const { record, speed } = replay;
  await untilPhase(replay, Phase.OPEN, round);
  const opened = nowMs();
  const sending: Promise<number>[] = [];
  for (const batch of planRound(record, round, speed)) {
    await delay(Math.max(0, opened + batch.atMs - nowMs()));
    const sent = submit(replay, round, batch);
    // Awaited below; until then its failure is nobody's surprise.
    sent.catch(() => {});
    sending.push(sent);
  }
  const stored = await Promise.all(sending);
  await publishOutside(replay, (each) => each === round);
  await next(replay, Phase.OPEN, round);
  await untilPhase(replay, Phase.REVEAL, round);
  replay.onRound(
    round,
    stored.reduce((sum, each) => sum + each, 0),
  );
  if (round < record.rounds) await next(replay, Phase.REVEAL, round);
}

/** Sends a batch until it is stored, which is safe. Throws where an answer is not taken as it was. */
async function submit(
  { sessionId, quiz, serviceToken: token }: Replay,
  round: number,
  { lane, answers }: ReplayBatch,
): Promise<number> {
  const request = { sessionId, round, lane, ...toAnswerColumns(answers) };
  const { lanes } = await untilDone(() => quiz.submitAnswers({ lanes: [request] }, { token }));
  const verdicts = lanes.flatMap(fromVerdictColumns);
  for (const [i, answer] of answers.entries()) {
    const verdict = verdicts[i];
    const where = `round ${round}, player ${answer.playerId}`;
    if (!verdict || verdict.refused)
      throw new Error(`${where}: was taken then, and is ${ErrorReason[verdict?.refused ?? 0]} now`);
    if (verdict.points !== answer.points)
      throw new Error(
        `${where}: ${answer.points} points then, and ${verdict.points} now; was the round extended?`,
      );
  }
  return answers.length;
}

async function publishOutside(
  { record, sessionId, nats }: Replay,
  belongs: (round: number) => boolean,
): Promise<void> {
  if (!nats) return;
  const js = jetstream(nats);
  for (const { round, name: outsider, points } of record.outside)
    if (belongs(round))
      await js.publish(subjectForScore({ sessionId, round, outsider }), String(points));
}

/** Those who had to go then; their points stay on record. */
async function removePlayers({ record, sessionId, quiz }: Replay): Promise<void> {
  for (const { playerId, status } of record.players) {
    const player = { case: "playerId", value: playerId } as const;
    if (status === PlayerStatus.KICKED) await quiz.kickPlayer({ sessionId, player });
    if (status === PlayerStatus.BANNED) await quiz.banPlayer({ sessionId, player });
  }
}

function next({ quiz, sessionId }: Replay, phase: Phase, round: number) {
  return untilDone(() => quiz.nextRound({ sessionId, expectedPhase: phase, expectedRound: round }));
}

async function untilPhase({ quiz, sessionId }: Replay, phase: Phase, round: number): Promise<void> {
  const deadline = nowMs() + PHASE_LIMIT_MS;
  for (;;) {
    const { session } = await untilDone(() => quiz.getSession({ sessionId }));
    if (session?.round === round && session.phase === phase) return;
    if (nowMs() > deadline || session?.phase === Phase.ENDED)
      throw new ServiceError(
        ErrorReason.INTERNAL,
        `round ${round} did not come to ${Phase[phase]}`,
      );
    await delay(POLL_MS);
  }
}
