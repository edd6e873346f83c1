/** What quiz pods and outsiders publish, as subject and payload. */
import { create, type DescMessage, type MessageInitShape, toJsonString } from "@bufbuild/protobuf";
import {
  nicknameKey,
  subjectForAnswers,
  subjectForPlayers,
  subjectForRoundClosed,
  subjectForScore,
  subjectForSessionCreated,
  subjectForSessionEnded,
} from "@fanfare/proto/addresses";
import {
  AnswerBatchSchema,
  PlayerBatchSchema,
  RoundClosedSchema,
  SessionCreatedSchema,
  SessionEndedSchema,
} from "@fanfare/proto/events/v1/events";
import { PlayerStatus } from "@fanfare/proto/quiz/v1/quiz_service";

export interface Published {
  subject: string;
  payload: string;
}

export interface Answer {
  playerId: string;
  points: number;
  elapsedMs: number;
}

export function created(sessionId: string, options: { liveBoard?: boolean } = {}): Published {
  const event = { options, title: "A quiz", rounds: 3, host: "host" };
  return message(subjectForSessionCreated(sessionId), SessionCreatedSchema, event);
}

export function joined(sessionId: string, playerIds: readonly string[], lane = 0): Published {
  return message(subjectForPlayers(sessionId, lane), PlayerBatchSchema, {
    batchId: `${sessionId} join ${playerIds[0]}`,
    changes: playerIds.map((playerId) => ({
      change: { case: "joined" as const, value: joinedAs(playerId, nickname(playerId)) },
    })),
  });
}

/** One that an outsider may have, and that no other player's is read like. */
export function nickname(playerId: string): string {
  return `Nick_${playerId}${/[A-Z]/.test(playerId) ? "_capital" : ""}`;
}

/** Under a name of its own. */
export function joinedUnder(sessionId: string, playerId: string, name: string): Published {
  return message(subjectForPlayers(sessionId, 0), PlayerBatchSchema, {
    changes: [{ change: { case: "joined", value: joinedAs(playerId, name) } }],
  });
}

function joinedAs(playerId: string, name: string) {
  return { playerId, nickname: name, nicknameKey: nicknameKey(name) };
}

export function removed(
  sessionId: string,
  playerId: string,
  { name = nickname(playerId), banned = false, logStart = 0n } = {},
): Published {
  const status = banned ? PlayerStatus.BANNED : PlayerStatus.KICKED;
  return message(subjectForPlayers(sessionId, 0), PlayerBatchSchema, {
    changes: [
      {
        change: {
          case: "removed",
          value: { playerId, nicknameKey: nicknameKey(name), status, logStart },
        },
      },
    ],
  });
}

export function answered(
  sessionId: string,
  round: number,
  answers: readonly Answer[],
  lane = 0,
): Published {
  return message(subjectForAnswers(sessionId, round, lane), AnswerBatchSchema, {
    answers: answers.map((each, i) => ({ ...each, submissionId: `s${i}`, choices: ["A"] })),
  });
}

/** A lane's last entry. */
export function laneClosed(sessionId: string, round: number, lane = 0): Published {
  return message(subjectForAnswers(sessionId, round, lane), AnswerBatchSchema, { closed: true });
}

export function roundClosed(
  sessionId: string,
  round: number,
  answers: readonly Pick<Answer, "points">[],
): Published {
  return message(subjectForRoundClosed(sessionId, round), RoundClosedSchema, {
    answers: answers.length,
    points: BigInt(answers.reduce((sum, { points }) => sum + points, 0)),
  });
}

export function ended(sessionId: string): Published {
  return message(subjectForSessionEnded(sessionId), SessionEndedSchema, { rounds: 3 });
}

/** `nats pub QUIZ.<session>.<round>.<user> <decimal>`. */
export function outside(
  sessionId: string,
  round: number,
  playerId: string,
  payload: string,
): Published {
  return { subject: subjectForScore({ sessionId, round, outsider: playerId }), payload };
}

function message<D extends DescMessage>(
  subject: string,
  schema: D,
  init: MessageInitShape<D>,
): Published {
  return { subject, payload: toJsonString(schema, create(schema, init)) };
}
