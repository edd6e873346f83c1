/** A host's command: the RPC of the same name, with the host's own token. */
import { toServiceError } from "@fanfare/common/errors";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import type { HostCommand } from "@fanfare/proto/gateway/v1/frames";
import type { Client } from "../domain/client.js";
import type { Gateway } from "./gateway.js";
import { refuseBadFrame, refuseError } from "./refuse.js";

/** Never rejects. */
export async function hostCommand(
  gateway: Gateway,
  client: Client,
  { requestId, command }: HostCommand,
): Promise<void> {
  const { room } = client;
  if (!room?.hosts.has(client))
    return refuseBadFrame(gateway, client, {
      reason: ErrorReason.FORBIDDEN,
      message: "commands are for the session's host; say hello with its token",
      requestId,
    });
  if (command.case === undefined)
    return refuseBadFrame(gateway, client, {
      reason: ErrorReason.MALFORMED,
      message: "the command is missing",
      requestId,
    });
  try {
    await gateway.commands.run(room.sessionId, command, client.token);
    client.send(gateway.encoder.encode({ case: "done", value: { requestId } }));
  } catch (thrown) {
    refuseError(gateway, client, toServiceError(thrown), requestId);
  }
}
