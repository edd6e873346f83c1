/** Reads one stored log entry: what it does to a board, or why nobody can read it. */
import { type DescMessage, fromJson, type MessageShape } from "@bufbuild/protobuf";
import { type LogAddress, readStoredSubject } from "@fanfare/proto/addresses";
import {
  PlayerBatchSchema,
  RoundClosedSchema,
  SessionCreatedSchema,
  SessionEndedSchema,
} from "@fanfare/proto/events/v1/events";
import { readOutsidePoints } from "@fanfare/proto/scores";
import { readAnswers } from "./read-answers.js";
import { pack } from "./score-key.js";

/** What an entry does to the board of its session. */
export type Operation = { sessionId: string } & (
  | { kind: "created"; live: boolean }
  | { kind: "players"; joined: { playerId: string; nickname: string }[]; removed: string[] }
  | ({ kind: "scores"; round: number; lane: boolean } & Scores)
  | { kind: "closed"; round: number; answers: number; points: bigint }
  | { kind: "ended" }
);

/** Scores of one round: the n-th packed score is the n-th player's. */
export interface Scores {
  playerIds: string[];
  packed: number[];
  /** Sum of all. */
  points: number;
}

/** An entry that is passed over. `kind` is one of few, for counting. */
export interface Unreadable {
  kind: "unreadable";
  fault: "subject" | "content" | "bounds";
  reason: string;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Never throws. */
export function readEntry(entry: { subject: string; data: Uint8Array }): Operation | Unreadable {
  const address = readStoredSubject(entry.subject);
  if (typeof address === "string") return unreadable("subject", address);
  try {
    return readContent(address, entry.data);
  } catch (error) {
    return unreadable("content", error instanceof Error ? error.message : String(error));
  }
}

export function unreadable(fault: Unreadable["fault"], reason: string): Unreadable {
  return { kind: "unreadable", fault, reason };
}

function readContent(address: LogAddress, data: Uint8Array): Operation | Unreadable {
  const { sessionId, round } = address;
  switch (address.kind) {
    case "score":
      return readOutsideScore(address, data);
    case "answers": {
      const scores = readAnswers(utf8.decode(data));
      if (typeof scores === "string") return unreadable("bounds", scores);
      return { kind: "scores", sessionId, round, lane: true, ...scores };
    }
    case "players":
      return readPlayers(sessionId, data);
    case "roundClosed": {
      const { answers, points } = readMessage(RoundClosedSchema, data);
      return { kind: "closed", sessionId, round, answers, points };
    }
    case "sessionCreated": {
      const { options } = readMessage(SessionCreatedSchema, data);
      return { kind: "created", sessionId, live: options?.liveBoard ?? false };
    }
    case "sessionEnded":
      readMessage(SessionEndedSchema, data);
      return { kind: "ended", sessionId };
  }
}

function readOutsideScore(
  { sessionId, round, playerId }: { sessionId: string; round: number; playerId: string },
  data: Uint8Array,
): Operation | Unreadable {
  const points = readOutsidePoints(data);
  if (typeof points === "string") return unreadable("content", points);
  return {
    kind: "scores",
    sessionId,
    round,
    lane: false,
    playerIds: [playerId],
    packed: [pack({ points, elapsedMs: 0 })],
    points,
  };
}

function readPlayers(sessionId: string, data: Uint8Array): Operation {
  const joined: { playerId: string; nickname: string }[] = [];
  const removed: string[] = [];
  for (const { change } of readMessage(PlayerBatchSchema, data).changes) {
    if (change.case === "joined")
      joined.push({ playerId: change.value.playerId, nickname: change.value.nickname });
    if (change.case === "removed") removed.push(change.value.playerId);
  }
  return { kind: "players", sessionId, joined, removed };
}

/** Fields that this version does not know are passed over: a newer quiz pod may write them. */
function readMessage<D extends DescMessage>(schema: D, data: Uint8Array): MessageShape<D> {
  return fromJson(schema, JSON.parse(utf8.decode(data)), { ignoreUnknownFields: true });
}
