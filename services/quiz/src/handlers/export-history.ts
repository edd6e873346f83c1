/** The stored past: which sessions PostgreSQL holds, and every answer of one. */
import { timestampFromDate, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { invalidField } from "@fanfare/common/errors";
import type { CallContext } from "@fanfare/common/grpc-server";
import type { Identity } from "@fanfare/common/tokens";
import { isToken } from "@fanfare/proto/addresses";
import type { ExportHistoryRequest, ListHistoryRequest } from "@fanfare/proto/quiz/v1/quiz_service";
import type { HistoryFit } from "../domain/ports.js";
import { SESSION_UNKNOWN } from "../domain/refusal.js";
import { type QuizContext, toError } from "./context.js";
import { pageSizeOf } from "./read-session.js";

/** Places stay below 2^53 (migrations). */
const PLACE_MAX = 2n ** 53n;

export async function listHistory(
  context: QuizContext,
  { sessionId, pageSize, pageToken }: ListHistoryRequest,
  { identity, relation }: CallContext,
) {
  if (sessionId !== "" && !isToken(sessionId))
    throw invalidField("session_id", "1 to 64 of the characters A-Z a-z 0-9 _ -, or empty");
  if (!/^\d{0,15}$/.test(pageToken))
    throw invalidField("page_token", "empty, or one from a response");
  const size = pageSizeOf(pageSize);
  const listed = await context.history.listSessions({
    count: size + 1,
    ...(sessionId === "" ? {} : { sessionId }),
    ...(pageToken === "" ? {} : { before: pageToken }),
    ...(relation === "self" ? { host: identity.subject } : {}),
  });
  const page = listed.slice(0, size);
  return {
    sessions: page.map(({ place, createdAt, endedAt, ...rest }) => ({
      ...rest,
      place: BigInt(place),
      createdAt: timestampFromDate(createdAt),
      ...(endedAt ? { endedAt: timestampFromDate(endedAt) } : {}),
    })),
    nextPageToken: listed.length > size ? (page.at(-1)?.place ?? "") : "",
  };
}

export async function* exportHistory(
  context: QuizContext,
  request: ExportHistoryRequest,
  { identity, signal }: CallContext,
) {
  const stored = await findOwn(context, identity, request);
  if (!stored) throw toError(SESSION_UNKNOWN);
  for await (const rows of context.history.rows(request.sessionId, stored.place)) {
    if (signal.aborted) return;
    yield { rows: rows.map((row) => ({ ...row, acceptedAt: timestampFromMs(row.acceptedAtMs) })) };
  }
}

/** Whether a session of this id and place is the caller's own. Throws SESSION_NOT_FOUND where none is. */
export async function isHistoryOwner(
  context: QuizContext,
  identity: Identity,
  request: ExportHistoryRequest,
): Promise<boolean> {
  if (await findOwn(context, identity, request)) return true;
  if (isToken(request.sessionId)) {
    const fits = request.place === 0n ? {} : { place: placeOf(request) };
    if (await context.history.findSession(request.sessionId, fits)) return false;
  }
  throw toError(SESSION_UNKNOWN);
}

/** The last session of the id that the caller may read, or the one at the place that it names. */
async function findOwn(context: QuizContext, identity: Identity, request: ExportHistoryRequest) {
  const { sessionId, place } = request;
  if (!isToken(sessionId)) return undefined;
  const fits = place === 0n ? {} : { place: placeOf(request) };
  return context.history.findSession(sessionId, { ...fits, ...ownedBy(identity) });
}

function ownedBy({ role, subject, sessionId, sessionStart }: Identity): HistoryFit {
  if (sessionId !== undefined) return sessionStart === undefined ? {} : { logStart: sessionStart };
  return role === "admin" ? {} : { host: subject };
}

function placeOf({ place }: ExportHistoryRequest): string {
  if (place >= PLACE_MAX) throw invalidField("place", "0, or one from ListHistory");
  return String(place);
}
