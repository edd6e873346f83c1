/** A log entry as the history writer understands it. Pure; what it can't read is passed over. */
import { type DescMessage, fromJsonString, type MessageShape } from "@bufbuild/protobuf";
import { isOutsidePlayer, readStoredSubject } from "@fanfare/proto/addresses";
import {
  type AnswerBatch,
  AnswerBatchSchema,
  type PlayerBatch,
  PlayerBatchSchema,
  type RoundClosed,
  RoundClosedSchema,
  type SessionCreated,
  SessionCreatedSchema,
  SessionEndedSchema,
} from "@fanfare/proto/events/v1/events";
import { faultOfScore, readOutsidePoints } from "@fanfare/proto/scores";

interface Place {
  sessionId: string;
  round: number;
  sequence: number;
  storedAtMs: number;
}

export type HistoryEntry = Place &
  (
    | { kind: "created"; created: SessionCreated }
    | { kind: "players"; batch: PlayerBatch }
    | { kind: "answers"; batch: AnswerBatch }
    | { kind: "score"; playerId: string; points: number }
    | { kind: "roundClosed"; closed: RoundClosed }
    | { kind: "ended" }
  );

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Undefined for an entry that holds no history: garbage, or a kind of a later version. */
export function readHistoryEntry(stored: {
  subject: string;
  sequence: number;
  storedAtMs: number;
  data: Uint8Array;
}): HistoryEntry | undefined {
  const address = readStoredSubject(stored.subject);
  if (typeof address === "string") return undefined;
  const { sessionId, round } = address;
  const place = { sessionId, round, sequence: stored.sequence, storedAtMs: stored.storedAtMs };
  if (address.kind === "score") {
    const points = isOutsidePlayer(address.playerId) && readOutsidePoints(stored.data);
    if (typeof points !== "number") return undefined;
    return { ...place, kind: "score", playerId: address.playerId, points };
  }
  const text = readText(stored.data);
  if (text === undefined) return undefined;
  switch (address.kind) {
    case "answers": {
      const batch = parse(AnswerBatchSchema, text);
      // One bad score makes the entry garbage, for every projection alike.
      if (!batch || batch.answers.some(faultOfScore)) return undefined;
      return { ...place, kind: "answers", batch };
    }
    case "players": {
      const batch = parse(PlayerBatchSchema, text);
      return batch && { ...place, kind: "players", batch };
    }
    case "sessionCreated": {
      const created = parse(SessionCreatedSchema, text);
      return created && { ...place, kind: "created", created };
    }
    case "roundClosed": {
      const closed = parse(RoundClosedSchema, text);
      return closed && { ...place, kind: "roundClosed", closed };
    }
    case "sessionEnded":
      return parse(SessionEndedSchema, text) && { ...place, kind: "ended" };
  }
}

function readText(data: Uint8Array): string | undefined {
  try {
    return decoder.decode(data);
  } catch {
    return undefined;
  }
}

function parse<D extends DescMessage>(schema: D, text: string): MessageShape<D> | undefined {
  try {
    return fromJsonString(schema, text, { ignoreUnknownFields: true });
  } catch {
    return undefined;
  }
}
