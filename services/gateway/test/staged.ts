/** Records and boards for the tests of the domain. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type LeaderboardChanged, LeaderboardChangedSchema } from "@fanfare/proto/events/v1/events";
import { StandingSchema } from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import { Phase, type Session, SessionSchema } from "@fanfare/proto/quiz/v1/session";

export const START_MS = 1_800_000_000_000;

export function session(change: Partial<MessageInitShape<typeof SessionSchema>> = {}): Session {
  return create(SessionSchema, {
    sessionId: "quiz_1",
    phase: Phase.OPEN,
    round: 2,
    rounds: 3,
    logStart: 7n,
    timeLimitMs: 20_000,
    answerGraceMs: 500,
    phaseStartedAt: timestampFromMs(START_MS),
    phaseEndsAt: timestampFromMs(START_MS + 20_000),
    question: { text: "Capital?", options: [{ choice: "A", text: "Oslo" }] },
    ...change,
  } as MessageInitShape<typeof SessionSchema>);
}

export function board(
  count: number,
  change: Partial<MessageInitShape<typeof LeaderboardChangedSchema>> = {},
): LeaderboardChanged {
  const standings = Array.from({ length: count }, (_, index) =>
    create(StandingSchema, {
      playerId: `id${index}`,
      nickname: `player${index}`,
      points: 1_000 - index,
      rank: index + 1,
    }),
  );
  return create(LeaderboardChangedSchema, {
    epoch: 1n,
    version: 1n,
    players: count,
    standings,
    ...change,
  } as MessageInitShape<typeof LeaderboardChangedSchema>);
}
