/** Players: joins, returns, removals, and who is there. */
import { create } from "@bufbuild/protobuf";
import { invalidField, ServiceError, unavailable } from "@fanfare/common/errors";
import type { CallContext } from "@fanfare/common/grpc-server";
import type { Role } from "@fanfare/common/tokens";
import type { Span } from "@fanfare/common/tracing";
import { isToken, nicknameKey } from "@fanfare/proto/addresses";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { type PlayerChange, PlayerChangeSchema } from "@fanfare/proto/events/v1/events";
import {
  type BanPlayerRequest,
  type Join,
  type JoinSessionRequest,
  type KickPlayerRequest,
  type ListPlayersRequest,
  PlayerStatus,
  type ResumeSessionRequest,
} from "@fanfare/proto/quiz/v1/quiz_service";
import type { Session } from "@fanfare/proto/quiz/v1/session";
import { newId } from "../domain/ids.js";
import { readNickname } from "../domain/nickname.js";
import type { KnownPlayer, PlayerVerdict } from "../domain/player-fold.js";
import type { SessionLog } from "../domain/ports.js";
import { isOver } from "../domain/session.js";
import { type QuizContext, requireSession } from "./context.js";
import { readAnswers, sessionAt } from "./find-answers.js";

const BATCH_MAX = 1_000;
const PLAYER_ID_LENGTH = 12;

export async function joinSession(
  context: QuizContext,
  request: JoinSessionRequest,
  { identity, span }: CallContext,
) {
  if (request.joins.length < 1 || request.joins.length > BATCH_MAX)
    throw invalidField("joins", `1..${BATCH_MAX} entries`);
  const session = await sessionToJoin(context, request);
  if (!session)
    return { results: request.joins.map(() => ({ refused: ErrorReason.SESSION_ENDED })) };
  const log = context.logs.of(session);
  if (request.joins.some(({ playerId }) => playerId !== ""))
    await checkPlayerIds(log, request.joins, identity.role);
  const results = await Promise.all(request.joins.map((join) => joinOne(session, log, join, span)));
  context.metrics.joinsDecided(results);
  return { results };
}

/** The session that the players meant; undefined where another one has its id by now. */
async function sessionToJoin(
  context: QuizContext,
  { sessionId, logStart }: JoinSessionRequest,
): Promise<Session | undefined> {
  const { session } = await requireSession(context, sessionId);
  if (logStart === 0n || session.logStart === logStart) return session;
  const stored = (await context.store.read(sessionId))?.session;
  if (stored?.logStart === logStart) return stored;
  if (stored && stored.logStart !== 0n && stored.logStart < logStart)
    throw unavailable("the session");
  return undefined;
}

/** Ids are ours to make, except where an admin replays a session whose ties they decided. */
async function checkPlayerIds(log: SessionLog, joins: readonly Join[], role: Role): Promise<void> {
  if (role !== "admin") throw invalidField("player_id", "empty, unless an admin replays a session");
  const wanted = joins.filter(({ playerId }) => playerId !== "");
  if (new Set(wanted.map(({ playerId }) => playerId)).size < wanted.length)
    throw invalidField("player_id", "another one for each player");
  const known = await log.findPlayers(wanted.map(({ playerId }) => playerId));
  for (const [i, { playerId, submissionId }] of wanted.entries()) {
    if (!isToken(playerId) || playerId.startsWith("_"))
      throw invalidField("player_id", "a token that does not begin with _");
    const owner = known[i];
    if (owner && owner.submissionId !== submissionId)
      throw invalidField("player_id", "one that no other player has");
  }
}

async function joinOne(session: Session, log: SessionLog, join: Join, span: Span | undefined) {
  if (isOver(session)) return { refused: ErrorReason.SESSION_ENDED };
  if (session.locked) return { refused: ErrorReason.SESSION_LOCKED };
  const nickname = readNickname(join.nickname);
  if (nickname === undefined || (join.user && !isToken(join.user)))
    return { refused: ErrorReason.NAME_INVALID };
  if (!isToken(join.submissionId)) return { refused: ErrorReason.INVALID_FIELD };
  const key = nicknameKey(nickname);
  const verdict = await log.changePlayer(
    key,
    create(PlayerChangeSchema, {
      change: {
        case: "joined",
        value: {
          playerId: join.playerId || newId(PLAYER_ID_LENGTH),
          nickname,
          nicknameKey: key,
          submissionId: join.submissionId,
          user: join.user,
        },
      },
    }),
    span,
  );
  return joinResult(verdict);
}

function joinResult(verdict: PlayerVerdict) {
  switch (verdict.kind) {
    case "in": {
      const refused = refusalOf(verdict.player.status);
      if (refused) return { refused };
      return { player: toPlayer(verdict.player), again: verdict.again };
    }
    case "nameTaken":
      return { refused: ErrorReason.NAME_TAKEN };
    case "banned":
      return { refused: ErrorReason.BANNED };
    case "full":
      return { refused: ErrorReason.SESSION_FULL };
    case "ended":
      return { refused: ErrorReason.SESSION_ENDED };
    default:
      return { refused: ErrorReason.INTERNAL };
  }
}

export async function resumeSession(context: QuizContext, request: ResumeSessionRequest) {
  const { playerIds } = request;
  if (playerIds.length < 1 || playerIds.length > BATCH_MAX)
    throw invalidField("player_ids", `1..${BATCH_MAX} entries`);
  const session = await sessionAt(context, request.sessionId, request.round);
  const log = context.logs.of(session);
  const round = request.round || session.round;
  // Another pod may write these lanes: what a player is told must be what the log has now, and who was
  // removed through that pod a moment ago stays out.
  await log.refreshPlayers();
  const players = await log.findPlayers(playerIds);
  const begun = round > 0 && round <= session.round;
  const stored = begun ? await readAnswers(session, log, round, playerIds) : [];
  const results = playerIds.map((_, index) => {
    const player = players[index];
    if (!player) return { refused: ErrorReason.PLAYER_NOT_FOUND };
    const refused = refusalOf(player.status);
    if (refused) return { player: toPlayer(player), refused };
    const { answer, final = false } = stored[index] ?? {};
    if (!answer) return { player: toPlayer(player), final };
    return { player: toPlayer(player), answer, final };
  });
  return { results };
}

export const kickPlayer = (context: QuizContext, request: KickPlayerRequest) =>
  removePlayer(context, request, PlayerStatus.KICKED);

export const banPlayer = (context: QuizContext, request: BanPlayerRequest) =>
  removePlayer(context, request, PlayerStatus.BANNED);

async function removePlayer(
  context: QuizContext,
  request: KickPlayerRequest | BanPlayerRequest,
  status: PlayerStatus,
) {
  const { session } = await requireSession(context, request.sessionId);
  const log = context.logs.of(session);
  const player = await findPlayer(log, request.player);
  if (!player)
    throw new ServiceError(ErrorReason.PLAYER_NOT_FOUND, "no player of the session is called so");
  const removed = await remove(log, player, status);
  if (status === PlayerStatus.BANNED) {
    // The name is banned with the player: who took it after a kick has to go, too.
    const holder = await log.playerByName(player.nicknameKey);
    if (holder) await remove(log, holder, status);
  }
  return { player: toPlayer(removed) };
}

async function remove(
  log: SessionLog,
  { playerId, nicknameKey }: KnownPlayer,
  status: PlayerStatus,
): Promise<KnownPlayer> {
  const change: PlayerChange = create(PlayerChangeSchema, {
    change: {
      case: "removed",
      value: { playerId, nicknameKey, status, logStart: log.logStart },
    },
  });
  const verdict = await log.changePlayer(nicknameKey, change);
  if (verdict.kind === "ended")
    throw new ServiceError(
      ErrorReason.SESSION_ENDED,
      "the session has ended; who was in stays on record",
    );
  if (verdict.kind !== "removed")
    throw new ServiceError(ErrorReason.PLAYER_NOT_FOUND, "the player is not in the session's log");
  log.announceRemoval(verdict.player);
  return verdict.player;
}

async function findPlayer(
  log: SessionLog,
  wanted: KickPlayerRequest["player"],
): Promise<KnownPlayer | undefined> {
  if (wanted.case === "playerId") return (await log.findPlayers([wanted.value]))[0];
  if (wanted.case !== "nickname") throw invalidField("player", "a player_id or a nickname");
  return log.playerByName(nicknameKey(wanted.value));
}

export async function listPlayers(context: QuizContext, request: ListPlayersRequest) {
  const { session } = await requireSession(context, request.sessionId);
  const size = request.pageSize || 200;
  if (size > BATCH_MAX) throw invalidField("page_size", `1..${BATCH_MAX}`);
  // Where the last player of the page before stands, so that who comes meanwhile moves nobody.
  const after = Number(request.pageToken || 0);
  if (!Number.isSafeInteger(after) || after < 0)
    throw invalidField("page_token", "empty, or one from a response");
  const { players, more, total } = await context.logs.of(session).listPlayers(after, size);
  const nextPageToken = more ? String(players.at(-1)?.place) : "";
  return { players: players.map(toPlayer), nextPageToken, total };
}

/** Why a removed player may not play; undefined for one that may. */
export function refusalOf(status: PlayerStatus): ErrorReason | undefined {
  if (status === PlayerStatus.KICKED) return ErrorReason.KICKED;
  if (status === PlayerStatus.BANNED) return ErrorReason.BANNED;
  return undefined;
}

function toPlayer({ playerId, nickname, status }: KnownPlayer) {
  return { playerId, nickname, status };
}
