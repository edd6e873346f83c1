/**
 * Reads entries of the log. Whoever reads the log reads it here, so that an entry that is garbage for
 * one is garbage for all, and every projection counts the same scores (P4).
 */
import { type DescMessage, fromJson, type JsonValue, type MessageShape } from "@bufbuild/protobuf";
import { isToken, LANES_MAX, type LogAddress, ROUND_MAX, readStoredSubject } from "./addresses.js";
import {
  type AnswerBatch,
  AnswerBatchSchema,
  type PlayerBatch,
  PlayerBatchSchema,
  type PlayerChange,
  type RoundClosed,
  RoundClosedSchema,
  type ScoredAnswer,
  type SessionCreated,
  SessionCreatedSchema,
  SessionEndedSchema,
} from "./gen/events/v1/events_pb.js";
import { PlayerStatus } from "./gen/quiz/v1/quiz_service_pb.js";
import { faultOfScore, readOutsidePoints } from "./scores.js";

/** What an entry says. */
export type Entry = { sessionId: string; round: number } & (
  | { kind: "score"; outsider: string; points: number }
  | { kind: "answers"; batch: AnswerBatch }
  | { kind: "players"; batch: PlayerBatch }
  | { kind: "roundClosed"; closed: RoundClosed }
  | { kind: "sessionCreated"; created: SessionCreated }
  | { kind: "sessionEnded" }
);

/** An entry that all pass over. `fault` is one of few, for counting. */
export interface Unreadable {
  kind: "unreadable";
  fault: "subject" | "content" | "bounds";
  reason: string;
}

/** Why a score behind the end of its session does not count: who may read it decides it alike. */
export const BEHIND_END = "the session has ended, and its scores are final";

/** Of a nickname or a user, in UTF-16 units: far more than a join may bring, little for an index. */
const NAME_LENGTH_MAX = 1_000;
/** Largest 32-bit number with a sign: what PostgreSQL's integer holds. */
const INT32_MAX = 2 ** 31 - 1;
const UINT32_MAX = 2 ** 32 - 1;

const utf8 = new TextDecoder("utf-8", { fatal: true });
/** U+0000 as JSON writes it: the escape itself, not a backslash before a "u". */
const ESCAPED_NUL = /(?<!\\)(?:\\\\)*\\u0000/;

/** Reads what is stored at a subject. Never throws. */
export function readEntry(stored: { subject: string; data: Uint8Array }): Entry | Unreadable {
  const address = readStoredSubject(stored.subject);
  if (typeof address === "string") return unreadable("subject", address);
  try {
    return readContent(address, stored.data);
  } catch (error) {
    return unreadable("content", error instanceof Error ? error.message : String(error));
  }
}

/** Reads an entry of an answer lane; undefined for garbage. */
export function readAnswers(data: Uint8Array): AnswerBatch | undefined {
  try {
    const batch = answerBatch(data);
    return faultOfAnswers(batch) ? undefined : batch;
  } catch {
    return undefined;
  }
}

/** Reads an entry of a player lane; undefined for garbage. */
export function readPlayers(data: Uint8Array): PlayerBatch | undefined {
  try {
    const batch = message(PlayerBatchSchema, data);
    return faultOfPlayers(batch) ? undefined : batch;
  } catch {
    return undefined;
  }
}

function readContent(address: LogAddress, data: Uint8Array): Entry | Unreadable {
  const { sessionId, round } = address;
  const place = { sessionId, round };
  switch (address.kind) {
    case "score": {
      const points = readOutsidePoints(data);
      if (typeof points === "string") return unreadable("content", points);
      return { ...place, kind: "score", outsider: address.outsider, points };
    }
    case "answers": {
      const batch = answerBatch(data);
      return bounded(faultOfAnswers(batch)) ?? { ...place, kind: "answers", batch };
    }
    case "players": {
      const batch = message(PlayerBatchSchema, data);
      return bounded(faultOfPlayers(batch)) ?? { ...place, kind: "players", batch };
    }
    case "roundClosed": {
      const closed = message(RoundClosedSchema, data);
      const fault = closed.answers > INT32_MAX ? `more than ${INT32_MAX} answers` : undefined;
      return bounded(fault) ?? { ...place, kind: "roundClosed", closed };
    }
    case "sessionCreated": {
      const created = message(SessionCreatedSchema, data);
      const fault = created.rounds > ROUND_MAX ? `more than ${ROUND_MAX} rounds` : undefined;
      return bounded(fault) ?? { ...place, kind: "sessionCreated", created };
    }
    case "sessionEnded":
      message(SessionEndedSchema, data);
      return { ...place, kind: "sessionEnded" };
  }
}

function unreadable(fault: Unreadable["fault"], reason: string): Unreadable {
  return { kind: "unreadable", fault, reason };
}

function bounded(fault: string | undefined): Unreadable | undefined {
  return fault === undefined ? undefined : unreadable("bounds", fault);
}

/** One bad score makes the whole entry garbage. */
function faultOfAnswers({ answers }: AnswerBatch): string | undefined {
  for (const [i, answer] of answers.entries()) {
    const fault = faultOfScore(answer);
    if (fault) return `answer ${i + 1}: ${fault}`;
  }
  return undefined;
}

function faultOfPlayers({ changes }: PlayerBatch): string | undefined {
  for (const [i, change] of changes.entries()) {
    const fault = faultOfChange(change);
    if (fault) return `change ${i + 1}: ${fault}`;
  }
  return undefined;
}

function faultOfMove(move: { moveId: string; seats: number; toLane?: number }): string | undefined {
  if (!isToken(move.moveId)) return "the move id is not a token";
  if (move.seats < 1 || move.seats > INT32_MAX) return `the seats are not 1 to ${INT32_MAX}`;
  return (move.toLane ?? 0) >= LANES_MAX ? `there is no lane ${move.toLane}` : undefined;
}

function faultOfChange({ change }: PlayerChange): string | undefined {
  if (change.case === undefined) return undefined;
  if (change.case === "given" || change.case === "taken") return faultOfMove(change.value);
  if (!isToken(change.value.playerId)) return "the player id is not a token";
  if (change.case === "removed")
    return PlayerStatus[change.value.status] ? undefined : "the status is none of this version";
  const { nickname, user } = change.value;
  return nickname.length > NAME_LENGTH_MAX || user.length > NAME_LENGTH_MAX
    ? `a name is longer than ${NAME_LENGTH_MAX}`
    : undefined;
}

/**
 * Throws for what is not UTF-8, and for U+0000, which PostgreSQL can't hold. Our own writers escape
 * nothing else that is not ASCII, so a text without `\u` is most often theirs.
 */
function textOf(data: Uint8Array): { text: string; hasEscapes: boolean } {
  const text = utf8.decode(data);
  const hasEscapes = text.includes("\\u");
  if (hasEscapes && ESCAPED_NUL.test(text)) throw new Error("a text holds U+0000");
  return { text, hasEscapes };
}

/** Fields that this version does not know are passed over: a newer quiz pod may write them. */
function message<D extends DescMessage>(schema: D, data: Uint8Array): MessageShape<D> {
  return fromJson(schema, JSON.parse(textOf(data).text), { ignoreUnknownFields: true });
}

/**
 * The hot path: the form that our own writers make is checked and taken as it is parsed; every other
 * form that proto3 JSON allows goes through the generated schema, at five times the price.
 */
function answerBatch(data: Uint8Array): AnswerBatch {
  const { text, hasEscapes } = textOf(data);
  const json: JsonValue = JSON.parse(text);
  // An escape may be half a surrogate pair, which the schema refuses.
  const plain = hasEscapes ? undefined : plainBatch(json);
  return plain ?? fromJson(AnswerBatchSchema, json, { ignoreUnknownFields: true });
}

/** What the schema would make of it, if each known field has its own JSON name and its own type. */
function plainBatch(json: unknown): AnswerBatch | undefined {
  if (!isObject(json) || "batch_id" in json) return undefined;
  const { batchId = "", answers = [], closed = false } = json;
  if (typeof batchId !== "string" || !Array.isArray(answers) || typeof closed !== "boolean")
    return undefined;
  const read: ScoredAnswer[] = [];
  for (const each of answers) {
    const answer = plainAnswer(each);
    if (!answer) return undefined;
    read.push(answer);
  }
  return { $typeName: "events.v1.AnswerBatch", batchId, answers: read, closed };
}

function plainAnswer(json: unknown): ScoredAnswer | undefined {
  if (!isObject(json)) return undefined;
  const { playerId = "", submissionId = "", correct = false, choices = [] } = json;
  const { points = 0, elapsedMs = 0, streak = 0 } = json;
  if (typeof playerId !== "string" || typeof submissionId !== "string") return undefined;
  if (typeof correct !== "boolean" || !isStrings(choices)) return undefined;
  if (!isWhole(points, -INT32_MAX, INT32_MAX) || !isWhole(elapsedMs, 0, UINT32_MAX))
    return undefined;
  if (!isWhole(streak, 0, UINT32_MAX)) return undefined;
  // The proto's own spelling is allowed too, but nobody's habit.
  if ("player_id" in json || "submission_id" in json || "elapsed_ms" in json) return undefined;
  const $typeName = "events.v1.ScoredAnswer";
  return { $typeName, playerId, submissionId, points, correct, choices, elapsedMs, streak };
}

function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function isStrings(json: unknown): json is string[] {
  return Array.isArray(json) && json.every((each) => typeof each === "string");
}

function isWhole(json: unknown, from: number, to: number): json is number {
  return Number.isInteger(json) && (json as number) >= from && (json as number) <= to;
}
