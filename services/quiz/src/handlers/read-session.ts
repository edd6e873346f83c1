/** Reads: one session, all, by PIN, and as a stream of changes. */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { CallContext } from "@fanfare/common/grpc-server";
import { plainPin } from "@fanfare/proto/addresses";
import type {
  GetSessionRequest,
  ResolvePinRequest,
  WatchSessionRequest,
} from "@fanfare/proto/quiz/v1/quiz_service";
import type { Session } from "@fanfare/proto/quiz/v1/session";
import type { StoredSession } from "../domain/ports.js";
import { SESSION_UNKNOWN } from "../domain/refusal.js";
import { isOver } from "../domain/session.js";
import { type QuizContext, requireSession, toError } from "./context.js";

const LISTED_MAX = 1_000;

export const getSession = (context: QuizContext, request: GetSessionRequest) =>
  requireSession(context, request.sessionId).then(asResponse);

export async function listSessions(context: QuizContext) {
  const sessions = [...context.store.all()]
    .map(({ session }) => session)
    .filter((session) => !isOver(session) && session.logStart !== 0n)
    .sort((a, b) => createdMs(b) - createdMs(a))
    .slice(0, LISTED_MAX);
  return { sessions };
}

export async function resolvePin(context: QuizContext, request: ResolvePinRequest) {
  const pin = plainPin(request.pin);
  const session = pin && (await context.store.sessionOfPin(pin));
  if (!session) throw toError(SESSION_UNKNOWN);
  return { sessionId: session.sessionId };
}

/** Conflates: a slow reader gets the newest state, not every one. */
export async function* watchSession(
  context: QuizContext,
  { sessionId }: WatchSessionRequest,
  { signal }: CallContext,
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
        yield asResponse(stored);
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

function asResponse({ session, revision }: StoredSession) {
  return { session, revision: BigInt(revision) };
}

function createdMs({ createdAt }: Session): number {
  return createdAt ? timestampMs(createdAt) : 0;
}
