/** GetLeaderboard: a page of a board, or the rows around a player. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { invalidField, ServiceError } from "@fanfare/common/errors";
import { scorerKey } from "@fanfare/proto/addresses";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import type {
  GetLeaderboardRequest,
  GetLeaderboardResponseSchema,
} from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import { type BoardPlace, boardToken, readBoardToken } from "../domain/page-token.js";
import type { Board, Boards, Selection } from "../domain/ports.js";
import { toStandings } from "../domain/standings.js";
import { boardChanged, checkToken, pageSize } from "./fields.js";

/** No board is ever in this state. */
const MOVING = "moving";

type Response = MessageInitShape<typeof GetLeaderboardResponseSchema>;

export function getLeaderboard(boards: Boards) {
  return async (request: GetLeaderboardRequest): Promise<Response> => {
    checkToken("session_id", request.sessionId);
    const after = readPlace(request);
    const board = await boards.read(request.sessionId, readSelection(request, after));
    // Nobody has a score yet, so there is nobody to be around.
    const isMissing = board === "no such board" && request.aroundPlayerId !== "";
    if (board === "no such scorer" || isMissing)
      throw new ServiceError(ErrorReason.PLAYER_NOT_FOUND, "this player has no score here");
    if (after && (board === "no such board" || board.state !== after.state)) throw boardChanged();
    return board === "no such board" ? {} : toResponse(board);
  };
}

/** Where a page begins that goes on from another one. */
function readPlace({ aroundPlayerId, pageToken }: GetLeaderboardRequest): BoardPlace | undefined {
  if (aroundPlayerId || !pageToken) return undefined;
  const place = readBoardToken(pageToken);
  if (!place) throw invalidField("page_token", "a next_page_token of this call, or empty");
  return place;
}

function readSelection(request: GetLeaderboardRequest, after: BoardPlace | undefined): Selection {
  const size = pageSize(request.pageSize);
  if (request.aroundPlayerId) {
    checkToken("around_player_id", request.aroundPlayerId);
    const before = Math.floor(size / 2);
    const scorer = scorerKey({ id: request.aroundPlayerId, outside: request.aroundOutside });
    return { kind: "around", scorer, before, size };
  }
  return after ? { kind: "after", rank: after.rank, size } : { kind: "top", size };
}

function toResponse(board: Board): Response {
  const { players, epoch, version, finalRound, ended, rows, firstRank } = board;
  const rank = firstRank + rows.length - 1;
  const isLastPage = rows.length === 0 || rank >= players;
  // Of a board that is being moved right now no page can follow: its cursor says so when it is used.
  const state = board.state ?? MOVING;
  return {
    standings: toStandings(board),
    nextPageToken: isLastPage ? "" : boardToken({ state, rank }),
    players,
    epoch,
    version,
    finalRound,
    ended,
  };
}
