/** A player comes in, for the first time or again, and is brought up to date in one write. */
import { invalidField, ServiceError } from "@fanfare/common/errors";
import { inSampledSpan, SpanKind } from "@fanfare/common/tracing";
import { isToken } from "@fanfare/proto/addresses";
import type { JoinWish } from "@fanfare/proto/gateway/v1/frames";
import type { Player, StoredAnswer } from "@fanfare/proto/quiz/v1/quiz_service";
import { Phase, type Session } from "@fanfare/proto/quiz/v1/session";
import type { Client } from "../domain/client.js";
import type { Frame } from "../domain/frame-codec.js";
import type { Room } from "../domain/room.js";
import type { Resumed } from "../domain/service-ports.js";
import type { Gateway } from "./gateway.js";
import { ownResult, standingsAfter } from "./own-result.js";
import { advice } from "./refuse.js";

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
  const { player, refused } = await inSampledSpan("join", start, (span) =>
    gateway.admissions.join({ sessionId, lanes, nickname, submissionId, span }),
  );
  if (!player) throw new ServiceError(refused, advice(refused));
  gateway.metrics.joins.inc({ result: "joined" });
  const resumeToken = gateway.identities.issuePlayer(player.playerId, sessionId);
  letPlayerIn(gateway, client, room, player, { resumeToken });
}

/** Comes back with a resume token that was verified. Throws what the player has to be told. */
export async function resumeAsPlayer(
  gateway: Gateway,
  client: Client,
  room: Room,
  playerId: string,
  resumeToken: string,
): Promise<void> {
  const resumed = await gateway.admissions.resume(
    room.sessionId,
    playerId,
    closedRoundOf(room.session),
  );
  const { player, answer, refused } = resumed.result;
  if (!player || refused) throw new ServiceError(refused, advice(refused));
  gateway.metrics.resumes.inc({ recovered: "true" });
  client.resumedInRound = room.session?.round ?? 0;
  if (answer) client.verdict = answer;
  letPlayerIn(gateway, client, room, player, { resumeToken, answer, resumed });
}

interface Facts {
  resumeToken: string;
  answer?: StoredAnswer | undefined;
  resumed?: Resumed;
}

function letPlayerIn(
  gateway: Gateway,
  client: Client,
  room: Room,
  player: Player,
  { resumeToken, answer, resumed }: Facts,
): void {
  const { session } = room;
  if (client.closed || !session) return;
  client.role = "player";
  client.playerId = player.playerId;
  client.connection = gateway.nextConnection();
  const { sessionId, phase, round, rounds, title, pin } = session;
  const own = answer?.round === round ? answer : undefined;
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
    ...placeBefore(session, resumed, own?.points ?? 0),
    answer: own && { round, choices: own.choices, submissionId: own.submissionId },
  });
  const result = resumed ? lateResult(gateway, client, session, resumed) : [];
  client.send(joined, ...room.catchUp("player"), ...result);
  gateway.metrics.handshake.observe((performance.now() - client.openedAt) / 1_000);
  room.enterPlayer(client);
  gateway.feed.announce(sessionId, client.playerId, client.connection);
}

/** Total and rank before the current round, also where the board holds the round already. */
function placeBefore(
  session: Session,
  resumed: Resumed | undefined,
  ownPoints: number,
): { points: number; rank: number } {
  const standings = resumed?.standings;
  const standing = standings?.byPlayer.get(resumed?.result.player?.playerId ?? "");
  if (!standing || !standings) return { points: 0, rank: 0 };
  const holdsRound = session.round > 0 && standings.finalRound >= session.round;
  if (!holdsRound) return { points: standing.points, rank: standing.rank };
  return { points: standing.points - ownPoints, rank: standing.rank + standing.change };
}

/** What the round brought, for who comes back after its reveal. */
function lateResult(gateway: Gateway, client: Client, session: Session, resumed: Resumed): Frame[] {
  const round = closedRoundOf(session);
  if (round === 0) return [];
  const standings = standingsAfter(round, resumed.standings);
  return [gateway.encoder.ownResult(ownResult(round, client.verdict, standings, client.playerId))];
}

/** The current round, where it is over and revealed; else 0. */
function closedRoundOf(session: Session | undefined): number {
  const revealed = session?.phase === Phase.REVEAL || session?.phase === Phase.ENDED;
  return revealed ? session.round : 0;
}
