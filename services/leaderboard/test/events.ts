/** What quiz pods and outsiders publish, as subject and payload. */
import { create, type DescMessage, type MessageInitShape, toJsonString } from "@bufbuild/protobuf";
import {
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
      change: { case: "joined" as const, value: { playerId, nickname: nickname(playerId) } },
    })),
  });
}

export function nickname(playerId: string): string {
  return `Nick of ${playerId}`;
}

export function removed(sessionId: string, playerId: string, lane = 0): Published {
  return message(subjectForPlayers(sessionId, lane), PlayerBatchSchema, {
    changes: [{ change: { case: "removed", value: { playerId } } }],
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
