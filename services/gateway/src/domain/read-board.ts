/**
 * The short way through a snapshot: each small room gets one for every few answers, at each gateway. The form
 * that the leaderboard writes is taken as it is parsed; every other one that proto3 JSON allows is left to the
 * generated codec, at five times the price. Tested to be the same.
 */
import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { type LeaderboardChanged, LeaderboardChangedSchema } from "@fanfare/proto/events/v1/events";
import type { Standing } from "@fanfare/proto/leaderboard/v1/leaderboard_service";

const FIELDS = new Set([
  ...["sessionId", "epoch", "version", "standings", "players", "finalRound"],
  ...["round", "answers", "joined", "ended", "takenAt", "changedSince"],
]);
const ROW_FIELDS = new Set(["playerId", "nickname", "points", "elapsedMs", "rank", "outside"]);
const UINT64 = /^\d{1,19}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/;

/** Throws for what is no snapshot. */
export function readBoard(text: string): LeaderboardChanged {
  const json = JSON.parse(text) as JsonValue;
  // An escape may be half a surrogate pair, which the codec refuses.
  const plain = text.includes("\\u") ? undefined : plainBoard(json);
  return plain ?? fromJson(LeaderboardChangedSchema, json, { ignoreUnknownFields: true });
}

function plainBoard(json: JsonValue): LeaderboardChanged | undefined {
  const board = objectOf(json, FIELDS);
  if (!board) return undefined;
  const { sessionId = "", epoch = "0", version = "0", standings = [] } = board;
  const { players = 0, finalRound = 0, round = 0, answers = 0, joined = 0, ended = false } = board;
  if (typeof sessionId !== "string" || typeof ended !== "boolean") return undefined;
  if (!isUint64(epoch) || !isUint64(version) || !Array.isArray(standings)) return undefined;
  if (!isUint32(players) || !isUint32(finalRound) || !isUint32(round)) return undefined;
  if (!isUint32(answers) || !isUint32(joined)) return undefined;
  const rows: Standing[] = [];
  for (const each of standings) {
    const row = plainRow(each);
    if (!row) return undefined;
    rows.push(row);
  }
  const times = { takenAt: timeOf(board.takenAt), changedSince: timeOf(board.changedSince) };
  if (times.takenAt === "other" || times.changedSince === "other") return undefined;
  const read: LeaderboardChanged = {
    $typeName: "events.v1.LeaderboardChanged",
    ...{ sessionId, epoch: BigInt(epoch), version: BigInt(version), standings: rows },
    ...{ players, finalRound, round, answers, joined, ended },
  };
  if (times.takenAt) read.takenAt = times.takenAt;
  if (times.changedSince) read.changedSince = times.changedSince;
  return read;
}

function plainRow(json: JsonValue): Standing | undefined {
  const row = objectOf(json, ROW_FIELDS);
  if (!row) return undefined;
  const {
    playerId = "",
    nickname = "",
    points = 0,
    elapsedMs = 0,
    rank = 0,
    outside = false,
  } = row;
  if (typeof playerId !== "string" || typeof nickname !== "string") return undefined;
  if (!isInt32(points) || !isUint32(elapsedMs) || !isUint32(rank)) return undefined;
  if (typeof outside !== "boolean") return undefined;
  const $typeName = "leaderboard.v1.Standing";
  return { $typeName, playerId, nickname, points, elapsedMs, rank, outside };
}

/** An object of known fields only; null is a spelling of a missing field that nobody here writes. */
function objectOf(
  json: JsonValue | undefined,
  fields: ReadonlySet<string>,
): Record<string, JsonValue> | undefined {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return undefined;
  for (const name in json) if (!fields.has(name)) return undefined;
  return json;
}

function isUint64(json: JsonValue): json is string {
  return typeof json === "string" && UINT64.test(json);
}

function isUint32(json: JsonValue): json is number {
  return Number.isInteger(json) && (json as number) >= 0 && (json as number) <= 0xffff_ffff;
}

function isInt32(json: JsonValue): json is number {
  return (json as number) === ((json as number) | 0);
}

function timeOf(json: JsonValue | undefined): Timestamp | "other" | undefined {
  if (json === undefined) return undefined;
  if (typeof json !== "string" || !TIME.test(json)) return "other";
  const ms = Date.parse(json);
  if (Number.isNaN(ms) || ms < 0) return "other";
  const seconds = Math.floor(ms / 1_000);
  const nanos = (ms - seconds * 1_000) * 1_000_000;
  return { $typeName: "google.protobuf.Timestamp", seconds: BigInt(seconds), nanos };
}
