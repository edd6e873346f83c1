/** Host commands as RPCs of the quiz service. One that must not be done twice is sent once. */
import type { ServiceClient } from "@fanfare/common/grpc-client";
import type { ServicePool } from "@fanfare/common/service-pool";
import type { HostCommand } from "@fanfare/proto/gateway/v1/frames";
import type { QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import { Phase } from "@fanfare/proto/quiz/v1/session";
import type { Commands } from "../domain/service-ports.js";

type Command = HostCommand["command"];

export class QuizCommands implements Commands {
  constructor(private readonly quiz: ServicePool<typeof QuizService>) {}

  async run(sessionId: string, command: Command, token: string): Promise<void> {
    const send = (client: ServiceClient<typeof QuizService>) =>
      call(client, sessionId, command, { token });
    if (isRepeatable(command)) await this.quiz.request(sessionId, send);
    else await send(this.quiz.any());
  }
}

/** Whether a second one does nothing, so that another pod may be asked where the first is silent. */
function isRepeatable(command: Command): boolean {
  if (command.case === "next") return command.value.expectedPhase !== Phase.UNSPECIFIED;
  if (command.case === "extend") return command.value.expectedTimeLimitMs > 0;
  if (command.case === "skip") return command.value.expectedRound > 0;
  return true;
}

function call(
  client: ServiceClient<typeof QuizService>,
  sessionId: string,
  command: Command,
  options: { token: string },
): Promise<unknown> {
  switch (command.case) {
    case "start":
      return client.startSession({ sessionId }, options);
    case "next": {
      const { expectedPhase, expectedRound } = command.value;
      return client.nextRound({ sessionId, expectedPhase, expectedRound }, options);
    }
    case "pause":
      return client.pauseSession({ sessionId }, options);
    case "continue":
      return client.continueSession({ sessionId }, options);
    case "extend": {
      const { seconds, expectedTimeLimitMs } = command.value;
      return client.extendRound({ sessionId, seconds, expectedTimeLimitMs }, options);
    }
    case "skip":
      return client.skipRound({ sessionId, expectedRound: command.value.expectedRound }, options);
    case "end":
      return client.endSession({ sessionId }, options);
    case "lock":
      return client.lockSession({ sessionId, locked: command.value.locked }, options);
    case "kick": {
      const player = { case: "playerId" as const, value: command.value.playerId };
      return client.kickPlayer({ sessionId, player }, options);
    }
    case "ban": {
      const player = { case: "playerId" as const, value: command.value.playerId };
      return client.banPlayer({ sessionId, player }, options);
    }
    case undefined:
      return Promise.resolve();
  }
}
