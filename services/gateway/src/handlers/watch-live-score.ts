/** A socket at /livescore: the first frame at connect, then one for each change of the board. */
import { toServiceError } from "@fanfare/common/errors";
import { CLOSE } from "../close-codes.js";
import type { Client } from "../domain/client.js";
import type { Gateway } from "./gateway.js";
import type { WideRowsReader } from "./wide-rows.js";

/** Never rejects. A session without scores, or none at all, has no rows. */
export async function watchLiveScore(
  gateway: Gateway,
  wideRows: WideRowsReader,
  client: Client,
): Promise<void> {
  if (!client.liveScore) return;
  const { sessionId, limit } = client.liveScore;
  const room = gateway.rooms.hold(sessionId);
  if (!room) {
    gateway.metrics.limitHit("ROOMS_MAX");
    return client.end(CLOSE.tryAgain, "too many sessions here");
  }
  try {
    await room.ready();
    if (!room.isKnown && gateway.rooms.isFullOfUnknown) {
      gateway.metrics.limitHit("ROOMS_MAX");
      return client.end(CLOSE.tryAgain, "too many sessions here");
    }
    await wideRows.read(room, limit);
    if (!client.closed) client.send(...room.enterLiveScore(client, limit));
  } catch (thrown) {
    client.end(CLOSE.tryAgain, toServiceError(thrown).message);
  } finally {
    gateway.rooms.release(room);
  }
}
