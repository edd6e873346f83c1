/** RebuildLeaderboard: drops the partition of a session's board, to be read again from the log. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { partitionOf } from "@fanfare/proto/addresses";
import type {
  RebuildLeaderboardRequest,
  RebuildLeaderboardResponseSchema,
} from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import type { Rebuilds } from "../domain/ports.js";
import { checkToken } from "./fields.js";

type Response = MessageInitShape<typeof RebuildLeaderboardResponseSchema>;

export function rebuildLeaderboard(rebuilds: Rebuilds) {
  return async (request: RebuildLeaderboardRequest): Promise<Response> => {
    checkToken("session_id", request.sessionId);
    const partition = partitionOf(request.sessionId);
    await rebuilds.rebuild(partition);
    return { partition };
  };
}
