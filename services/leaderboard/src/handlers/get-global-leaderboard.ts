/** GetGlobalLeaderboard: a page of the tally of all ended sessions. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { invalidField } from "@fanfare/common/errors";
import { readScorerKey } from "@fanfare/proto/addresses";
import type {
  GetGlobalLeaderboardRequest,
  GetGlobalLeaderboardResponseSchema,
} from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import { globalToken, readGlobalToken } from "../domain/page-token.js";
import type { GlobalRow, GlobalTally } from "../domain/ports.js";
import { boardChanged, pageSize } from "./fields.js";

type Response = MessageInitShape<typeof GetGlobalLeaderboardResponseSchema>;

export function getGlobalLeaderboard(tally: GlobalTally) {
  return async (request: GetGlobalLeaderboardRequest): Promise<Response> => {
    const size = pageSize(request.pageSize);
    const after = request.pageToken ? readGlobalToken(request.pageToken) : undefined;
    if (request.pageToken && !after)
      throw invalidField("page_token", "a next_page_token of this call, or empty");
    // One row more says whether there is a next page.
    const { state, rows } = await tally.read(after, size + 1);
    if (after && after.state !== state) throw boardChanged();
    const page = rows.slice(0, size);
    const last = page.at(-1);
    return {
      standings: page.map(toStanding),
      nextPageToken: last && rows.length > size ? globalToken({ ...last, state }) : "",
    };
  };
}

function toStanding({ user: key, nickname, ...row }: GlobalRow) {
  const { id: user, outside } = readScorerKey(key);
  return { ...row, user, nickname: nickname || user, outside };
}
