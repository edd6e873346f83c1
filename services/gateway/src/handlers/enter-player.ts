/** A player comes in, for the first time or again, and is brought up to date in one write. */
import { invalidField, ServiceError } from "@fanfare/common/errors";
import { inSampledSpan, SpanKind } from "@fanfare/common/tracing";
import { isToken } from "@fanfare/proto/addresses";
import { AnswerState, type JoinWish } from "@fanfare/proto/gateway/v1/frames";
import type { Player, StoredAnswer } from "@fanfare/proto/quiz/v1/quiz_service";
import { Phase, type Session } from "@fanfare/proto/quiz/v1/session";
import type { Client } from "../domain/client.js";
import type { Frame } from "../domain/frame-codec.js";
import type { Room } from "../domain/room.js";
import type { Resumed } from "../domain/service-ports.js";
import type { Gateway } from "./gateway.js";
import { type Outcome, ownResult, standingsAfter } from "./own-result.js";
import { advice } from "./refuse.js";

/** How often a player is asked for while rounds change under the question. */
const RESUME_TRIES = 3;

/** Joins. Throws what the player has to be told. */
export async function joinAsPlayer(
  gateway: Gateway,
  client: Client,
  room: Room,
  session: Session,
  { nickname, submissionId }: JoinWish,
): Promise<void> {
  if (!isToken(submissionId))
    throw invalidField("join.submission_id", "1 to 64 of A-Z a-z 0-9 _ -");
  const { sessionId } = room;
  const lanes = session.options?.lanes ?? 1;
  const start = { kind: SpanKind.SERVER, attributes: { "fanfare.session.id": sessionId } };
  const { logStart } = session;
  const { player, refused, again } = await inSampledSpan("join", start, (span) =>
    gateway.admissions.join({ sessionId, logStart, lanes, nickname, submissionId, span }),
  );
  if (!player) throw new ServiceError(refused, advice(refused));
  gateway.metrics.joins.inc({ result: "joined" });
  const resumeToken = gateway.identities.issuePlayer(player.playerId, session);
  // The reply to the first join got lost, or the player did not hear it: it may have answered since.
  if (again) await comeBack(gateway, client, room, player.playerId, resumeToken);
  else letPlayerIn(gateway, client, room, player, { resumeToken });
}

/** Comes back with a resume token that was verified. Throws what the player has to be told. */
export async function resumeAsPlayer(
  gateway: Gateway,
  client: Client,
  room: Room,
  playerId: string,
  resumeToken: string,
): Promise<void> {
  await comeBack(gateway, client, room, playerId, resumeToken);
  gateway.metrics.resumes.inc({ recovered: "true" });
}

async function comeBack(
  gateway: Gateway,
  client: Client,
  room: Room,
  playerId: string,
  resumeToken: string,
): Promise<void> {
  const { resumed, round } = await resume(gateway, room, playerId);
  const { player, answer, refused, final } = resumed.result;
  if (!player || refused) throw new ServiceError(refused, advice(refused));
  if (answer) client.verdict = answer;
  letPlayerIn(gateway, client, room, player, {
    resumeToken,
    answer,
    resumed,
    // Read after the question was asked, so that it holds whatever phase has come meanwhile.
    noneIn: !answer && final ? round : undefined,
  });
}

/**
 * The round that the player's answer is asked for must still be the one that it is shown, and it must be
 * known whether a live board holds the answer.
 */
async function resume(gateway: Gateway, room: Room, playerId: string) {
  for (let tries = 1; ; tries++) {
    const { sessionId, session } = room;
    const round = session?.round ?? 0;
    const closedRound = closedRoundOf(session);
    const liveBoard = session?.options?.liveBoard ?? false;
    const of = { sessionId, playerId, round, closedRound, liveBoard };
    const resumed = await gateway.admissions.resume(of);
    const isSure = room.session?.round === round && !isHalfCounted(resumed);
    if (tries === RESUME_TRIES || isSure) return { resumed, round };
  }
}

/** Whether the board moved while it was read, and may hold the own answer or not. */
function isHalfCounted({ result: { answer }, standings }: Resumed): boolean {
  if (!answer || !standings || standings.finalRound >= answer.round) return false;
  return answer.position > standings.scores.from && answer.position <= standings.scores.to;
}

interface Facts {
  resumeToken: string;
  answer?: StoredAnswer | undefined;
  resumed?: Resumed;
  /** The round to which the log holds no answer and never will. */
  noneIn?: number | undefined;
}

function letPlayerIn(
  gateway: Gateway,
  client: Client,
  room: Room,
  player: Player,
  { resumeToken, answer, resumed, noneIn }: Facts,
): void {
  const { session } = room;
  if (client.closed || !session) return;
  client.role = "player";
  client.playerId = player.playerId;
  client.connection = gateway.nextConnection();
  const { sessionId, phase, round, rounds, title, pin } = session;
  const own = answer?.round === round ? answer : undefined;
  // Who is new has sent nothing before.
  const isNone = !resumed || round === 0 || noneIn === round;
  const isPending = !own && !isNone;
  const joined = gateway.encoder.joined({
    sessionId,
    phase,
    round,
    rounds,
    title,
    pin,
    role: "player",
    playerId: player.playerId,
    nickname: player.nickname,
    resumeToken,
    ...placeBefore(session, resumed, own),
    answer: own && { round, choices: own.choices, submissionId: own.submissionId },
    answerState: own ? AnswerState.STORED : isNone ? AnswerState.NONE : AnswerState.PENDING,
  });
  const closedRound = resumed ? closedRoundOf(session) : 0;
  const outcome = own ?? (isNone ? "none" : undefined);
  const result = closedRound > 0 ? [lateResult(gateway, closedRound, outcome, resumed)] : [];
  client.send(joined, ...room.catchUp("player"), ...result);
  gateway.metrics.handshake.observe((performance.now() - client.openedAt) / 1_000);
  room.enterPlayer(client);
  if (isPending && closedRound > 0) gateway.owed.add(room, round, client);
  else if (isPending) gateway.undecided.add(room, round, client);
  gateway.feed.announce(sessionId, client.playerId, client.connection);
}

/** Total and rank before the current round, also where the board holds the own answer already. */
function placeBefore(
  session: Session,
  resumed: Resumed | undefined,
  own: StoredAnswer | undefined,
): { points: number; rank: number } {
  const standings = resumed?.standings;
  const standing = standings?.byPlayer.get(resumed?.result.player?.playerId ?? "");
  if (!standing || !standings) return { points: 0, rank: 0 };
  const holdsRound = session.round > 0 && standings.finalRound >= session.round;
  if (holdsRound)
    return {
      points: standing.points - (own?.points ?? 0),
      rank: standing.rank + standing.change,
    };
  const counted = session.options?.liveBoard && own && own.position <= standings.scores.to;
  return { points: standing.points - (counted ? own.points : 0), rank: standing.rank };
}

/** What the round brought, for who comes back after its reveal. */
function lateResult(
  { encoder }: Gateway,
  round: number,
  outcome: Outcome,
  resumed: Resumed | undefined,
): Frame {
  const standings = standingsAfter(round, resumed?.standings);
  const playerId = resumed?.result.player?.playerId ?? "";
  return encoder.ownResult(ownResult(round, outcome, standings, playerId));
}

/** The current round, where it is over and revealed; else 0. */
function closedRoundOf(session: Session | undefined): number {
  const revealed = session?.phase === Phase.REVEAL || session?.phase === Phase.ENDED;
  return revealed ? session.round : 0;
}
