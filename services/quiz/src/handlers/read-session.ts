/** Reads: one session, all, by PIN, and as a stream of changes. */
import { setTimeout as pause } from "node:timers/promises";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { addressPrefix } from "@fanfare/common/address-prefix";
import { invalidField, ServiceError } from "@fanfare/common/errors";
import type { CallContext } from "@fanfare/common/grpc-server";
import type { Identity } from "@fanfare/common/tokens";
import { isToken, plainPin } from "@fanfare/proto/addresses";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import type {
  GetSessionRequest,
  ListSessionsRequest,
  ResolvePinRequest,
  WatchSessionRequest,
} from "@fanfare/proto/quiz/v1/quiz_service";
import type { Session } from "@fanfare/proto/quiz/v1/session";
import type { StoredSession } from "../domain/ports.js";
import { SESSION_UNKNOWN } from "../domain/refusal.js";
import { isOver } from "../domain/session.js";
import { isHostOf, type QuizContext, requireSession, shownTo, toError } from "./context.js";

const PAGE_SIZE_MAX = 1_000;
const PAGE_SIZE = 200;

export async function getSession(
  context: QuizContext,
  { sessionId }: GetSessionRequest,
  { identity }: CallContext,
) {
  return asResponse(await requireSession(context, sessionId), identity);
}

/** Pages by time of creation and id, so that a session that ends meanwhile moves no other. */
export async function listSessions(
  context: QuizContext,
  { pageSize, pageToken }: ListSessionsRequest,
  { identity, relation }: CallContext,
) {
  const size = pageSizeOf(pageSize);
  const after = pageToken === "" ? undefined : readPlace(pageToken);
  const sessions = [...context.store.all()]
    .map(({ session }) => session)
    .filter((session) => !isOver(session) && session.logStart !== 0n)
    .filter((session) => relation !== "self" || isHostOf(identity, session))
    .map((session) => ({ session, createdMs: createdMs(session) }))
    .filter((listed) => !after || byNewest(after, placeOf(listed)) < 0)
    .sort((a, b) => byNewest(placeOf(a), placeOf(b)));
  const page = sessions.slice(0, size);
  const last = sessions.length > size ? page.at(-1) : undefined;
  return {
    sessions: page.map(({ session }) => session),
    nextPageToken: last ? `${last.createdMs}.${last.session.sessionId}` : "",
  };
}

interface Place {
  createdMs: number;
  sessionId: string;
}

function placeOf({ session, createdMs }: { session: Session; createdMs: number }): Place {
  return { createdMs, sessionId: session.sessionId };
}

function byNewest(a: Place, b: Place): number {
  return b.createdMs - a.createdMs || (a.sessionId < b.sessionId ? -1 : 1);
}

function readPlace(pageToken: string): Place {
  const [, createdMs = "", sessionId = ""] = /^(\d{1,15})\.(.+)$/.exec(pageToken) ?? [];
  if (isToken(sessionId)) return { createdMs: Number(createdMs), sessionId };
  throw invalidField("page_token", "empty, or one from a response");
}

export function pageSizeOf(asked: number): number {
  if (asked > PAGE_SIZE_MAX) throw invalidField("page_size", `1..${PAGE_SIZE_MAX}`);
  return asked || PAGE_SIZE;
}

/** Gateways count the guesses of those whom they ask for; who asks here itself is counted here. */
export async function resolvePin(
  context: QuizContext,
  request: ResolvePinRequest,
  { identity, peer }: CallContext,
) {
  const pin = plainPin(request.pin);
  if (!pin) throw toError(SESSION_UNKNOWN);
  const giveBack =
    identity.role === "service" ? () => {} : await reserveGuess(context, identity, peer);
  const session = await context.store.sessionOfPin(pin).catch((error: unknown) => {
    giveBack();
    throw error;
  });
  if (!session) throw toError(SESSION_UNKNOWN);
  giveBack();
  return { sessionId: session.sessionId };
}

async function reserveGuess(
  { guesses, metrics }: QuizContext,
  { role, subject }: Identity,
  peer: string,
): Promise<() => void> {
  const prefix = addressPrefix(peer.replace(/:\d+$/, "").replace(/^\[|\]$/g, ""));
  const guess = guesses.reserve({ caller: `${role} ${subject}`, prefix }, performance.now());
  if (guess.kind === "spent") {
    metrics.limitHits.inc({ limit: guess.limit });
    throw new ServiceError(ErrorReason.SLOW_DOWN, "too many PINs that led nowhere; wait", {
      metadata: { limit: guess.limit },
      retryAfterMs: guess.waitMs,
    });
  }
  if (guess.waitMs > 0) {
    metrics.limitHits.inc({ limit: "PINS_PER_MINUTE" });
    await pause(guess.waitMs);
  }
  return guess.giveBack;
}

/** Conflates: a slow reader gets the newest state, not every one. */
export async function* watchSession(
  context: QuizContext,
  { sessionId }: WatchSessionRequest,
  { identity, signal }: CallContext,
) {
  let latest: StoredSession | undefined = await requireSession(context, sessionId);
  let wake = () => {};
  const stop = context.store.onChange((stored) => {
    if (stored.session.sessionId !== sessionId) return;
    latest = stored;
    wake();
  });
  signal.addEventListener("abort", () => wake(), { once: true });
  try {
    while (!signal.aborted) {
      const stored: StoredSession | undefined = latest;
      latest = undefined;
      if (stored) {
        yield asResponse(stored, identity);
        if (isOver(stored.session)) return;
        continue;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    stop();
  }
}

function asResponse({ session, revision }: StoredSession, identity: Identity) {
  return { session: shownTo(identity, session), revision: BigInt(revision) };
}

function createdMs({ createdAt }: Session): number {
  return createdAt ? timestampMs(createdAt) : 0;
}
