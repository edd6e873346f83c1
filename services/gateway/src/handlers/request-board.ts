/** One look at the board: a page by its cursor, or the rows around the asking player. */
import { invalidField, ServiceError, toServiceError } from "@fanfare/common/errors";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import type { BoardRequest } from "@fanfare/proto/gateway/v1/frames";
import type { Client } from "../domain/client.js";
import type { Gateway } from "./gateway.js";
import { refuseBadFrame, refuseError, slowDown } from "./refuse.js";

const PAGE_SIZE = 10;
const PAGE_SIZE_MAX = 100;

/** Never rejects. */
export async function requestBoard(
  gateway: Gateway,
  client: Client,
  request: BoardRequest,
): Promise<void> {
  const { requestId } = request;
  if (!client.room)
    return refuseBadFrame(gateway, client, {
      reason: ErrorReason.UNAUTHENTICATED,
      message: "say hello first, and wait for joined",
      requestId,
    });
  try {
    const page = await readPage(gateway, client, client.room.sessionId, request);
    const { standings, nextPageToken, players } = page;
    const value = { requestId, standings, nextPageToken, players };
    client.send(gateway.encoder.encode({ case: "boardPage", value }));
  } catch (thrown) {
    refuseError(gateway, client, toServiceError(thrown), requestId);
  }
}

async function readPage(
  gateway: Gateway,
  client: Client,
  sessionId: string,
  request: BoardRequest,
) {
  const { pageSize, pageToken, aroundMe } = request;
  if (pageSize > PAGE_SIZE_MAX) throw invalidField("board.page_size", `1..${PAGE_SIZE_MAX}`);
  if (aroundMe && client.role !== "player")
    throw new ServiceError(ErrorReason.INVALID_FIELD, "around_me is for players", {
      metadata: { field: "board.around_me" },
    });
  const now = performance.now();
  const rate = gateway.rates.boards.take(client.boardRate, now);
  if (rate === undefined)
    throw slowDown(
      gateway,
      "BOARD_REQUESTS_PER_SECOND_MAX",
      gateway.rates.boards.waitMs(client.boardRate, now),
    );
  client.boardRate = rate;
  return gateway.boards.page({
    sessionId,
    pageSize: pageSize || PAGE_SIZE,
    pageToken,
    aroundPlayerId: aroundMe ? client.playerId : "",
  });
}
