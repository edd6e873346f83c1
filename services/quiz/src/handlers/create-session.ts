/**
 * CreateSession: reserve the id, store the session's first log entry, then make the record whole. Each
 * step is fenced by what was read before it, so a pod that sleeps on the way can't write into a session
 * that another pod has made meanwhile. One that dies leaves a half-made record that nobody can use: the
 * next creation of the id takes it over after a while, and the round clock clears it away.
 */
import { randomInt } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { forbidden } from "@fanfare/common/access";
import { invalidField, ServiceError } from "@fanfare/common/errors";
import type { CallContext } from "@fanfare/common/grpc-server";
import type { Identity } from "@fanfare/common/tokens";
import { isToken } from "@fanfare/proto/addresses";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { SessionCreatedSchema } from "@fanfare/proto/events/v1/events";
import { tidy } from "@fanfare/proto/questions/text";
import type { CreateSessionRequest } from "@fanfare/proto/quiz/v1/quiz_service";
import {
  type FrozenQuiz,
  Phase,
  type Session,
  SessionSchema,
} from "@fanfare/proto/quiz/v1/session";
import type { Quiz } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { freezeQuiz } from "../domain/freeze-quiz.js";
import { newId, newPin, pinDigits } from "../domain/ids.js";
import { HALF_MADE_MS, isOver } from "../domain/session.js";
import { fillOptions } from "../domain/session-options.js";
import { isHostOf, orThrow, type QuizContext } from "./context.js";

const PIN_TRIES = 50;

export async function createSession(
  context: QuizContext,
  request: CreateSessionRequest,
  { identity }: CallContext,
) {
  const sessionId = request.sessionId || newId(12);
  if (!isToken(sessionId))
    throw invalidField("session_id", "1 to 64 of the characters A-Z a-z 0-9 _ -, or empty");
  const options = orThrow(fillOptions(request.options));
  const quiz = await quizOf(context, request);
  const random = () => randomInt(2 ** 32) / 2 ** 32;
  const frozen = orThrow(freezeQuiz(quiz, options, random));
  const lastStart = await context.logs.lastStart(sessionId);
  const replaced = await revisionToReplace(context, sessionId, request.replaceEnded, identity);
  const now = timestampFromMs(context.clock.now());
  const session = create(SessionSchema, {
    sessionId,
    title: tidy(quiz.title),
    phase: Phase.LOBBY,
    rounds: frozen.questions.length,
    options,
    createdAt: now,
    phaseStartedAt: now,
    host: identity.subject,
    answerGraceMs: context.answerGraceMs,
    ...(options.startsAt ? { phaseEndsAt: options.startsAt } : {}),
  });
  session.pin = await claimPin(context, sessionId);
  const reserved = await context.store.replace(session, replaced);
  if (reserved === undefined) {
    await context.store.releasePin(session.pin, sessionId);
    throw exists(sessionId);
  }
  try {
    await complete(context, session, frozen, { lastStart, reserved });
  } catch (error) {
    // Where this fails too, the round clock does it later.
    await context.store.remove(sessionId, reserved).catch(() => {});
    await context.store.releasePin(session.pin, sessionId).catch(() => {});
    throw error;
  }
  const hostToken = context.tokens.issue(
    { role: "host", subject: identity.subject, sessionId, sessionStart: session.logStart },
    context.hostTokenSeconds,
  );
  return { session, hostToken };
}

async function complete(
  context: QuizContext,
  session: Session,
  frozen: FrozenQuiz,
  { lastStart, reserved }: { lastStart: number; reserved: number },
): Promise<void> {
  const { sessionId, title, rounds, host } = session;
  const created = create(SessionCreatedSchema, { title, rounds, host });
  if (session.options) created.options = session.options;
  const logStart = await context.logs.create(sessionId, created, lastStart);
  if (logStart === undefined) throw overtaken();
  session.logStart = logStart;
  await context.store.putFrozenQuiz(session, frozen);
  if ((await context.store.replace(session, reserved)) === undefined) throw overtaken();
}

function overtaken(): ServiceError {
  return new ServiceError(
    ErrorReason.CONFLICT,
    "somebody else made a session of this id meanwhile; try again",
  );
}

async function quizOf(context: QuizContext, { source }: CreateSessionRequest): Promise<Quiz> {
  if (source.case === "quiz") return source.value;
  if (source.case === "quizId") return context.bank.getQuiz(source.value);
  throw invalidField("source", "a quiz_id of the bank, or a quiz");
}

/** Revision that the new record replaces; 0 for a new id. */
async function revisionToReplace(
  context: QuizContext,
  sessionId: string,
  replaceEnded: boolean,
  identity: Identity,
): Promise<number> {
  const stored = await context.store.read(sessionId);
  if (!stored) return 0;
  const { session, revision } = stored;
  const createdAt = session.createdAt ? timestampMs(session.createdAt) : 0;
  if (isOver(session) && replaceEnded) {
    if (identity.role !== "admin" && !isHostOf(identity, session))
      throw forbidden(`session ${sessionId} was another host's; choose another id`);
    // In the log the end of the old session must lie before the beginning of the new one.
    await context.logs.of(session).end(session.round);
    return revision;
  }
  const abandoned = session.logStart === 0n && context.clock.now() - createdAt > HALF_MADE_MS;
  if (abandoned) return revision;
  throw exists(sessionId);
}

async function claimPin(context: QuizContext, sessionId: string): Promise<string> {
  let live = 1;
  for (const { session } of context.store.all()) if (session.pin !== "") live++;
  const digits = pinDigits(live);
  for (let tries = 0; tries < PIN_TRIES; tries++) {
    const pin = newPin(digits);
    if (await context.store.claimPin(pin, sessionId)) return pin;
  }
  throw new ServiceError(ErrorReason.UNAVAILABLE, "no PIN is free now; try again");
}

function exists(sessionId: string): ServiceError {
  return new ServiceError(
    ErrorReason.SESSION_EXISTS,
    `session ${sessionId} exists; choose another id, or replace_ended once it has ended`,
  );
}
