/** GetLeaderboard: a page of a board, or the rows around a player. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { invalidField, ServiceError } from "@fanfare/common/errors";
import { scorerKey } from "@fanfare/proto/addresses";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import type {
  GetLeaderboardRequest,
  GetLeaderboardResponseSchema,
} from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import { boardToken, readBoardToken } from "../domain/page-token.js";
import type { Board, Boards, Selection } from "../domain/ports.js";
import { pack } from "../domain/score-key.js";
import { toStandings } from "../domain/standings.js";
import { checkToken, pageSize } from "./fields.js";

type Response = MessageInitShape<typeof GetLeaderboardResponseSchema>;

export function getLeaderboard(boards: Boards) {
  return async (request: GetLeaderboardRequest): Promise<Response> => {
    checkToken("session_id", request.sessionId);
    const board = await boards.read(request.sessionId, readSelection(request));
    // Nobody has a score yet, so there is nobody to be around.
    const isMissing = board === "no such board" && request.aroundPlayerId !== "";
    if (board === "no such scorer" || isMissing)
      throw new ServiceError(ErrorReason.PLAYER_NOT_FOUND, "this player has no score here");
    return board === "no such board" ? {} : toResponse(board);
  };
}

function readSelection(request: GetLeaderboardRequest): Selection {
  const size = pageSize(request.pageSize);
  if (request.aroundPlayerId) {
    checkToken("around_player_id", request.aroundPlayerId);
    const before = Math.floor(size / 2);
    const scorer = scorerKey({ id: request.aroundPlayerId, outside: request.aroundOutside });
    return { kind: "around", scorer, before, size };
  }
  if (!request.pageToken) return { kind: "top", size };
  const place = readBoardToken(request.pageToken);
  if (!place) throw invalidField("page_token", "a next_page_token of this call, or empty");
  return { kind: "after", place, size };
}

function toResponse(board: Board): Response {
  const { players, epoch, version, finalRound, ended, rows, firstRank } = board;
  const last = rows.at(-1);
  const isLastPage = !last || firstRank + rows.length > players;
  return {
    standings: toStandings(board),
    nextPageToken: isLastPage ? "" : boardToken({ packed: pack(last), scorer: last.scorer }),
    players,
    epoch,
    version,
    finalRound,
    ended,
  };
}
