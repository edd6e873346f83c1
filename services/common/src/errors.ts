/**
 * The one error type that crosses a process border. A reason from `common.v1.ErrorReason` decides
 * the gRPC code and whether a retry can help; the cause stays on this side, in the log.
 */

import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import type { status } from "@grpc/grpc-js";
import { NOT_STORED } from "./storage-faults.js";

/** The codes by number: the history writer, which speaks no gRPC, need not load the library. */
const CODES = {
  INVALID_ARGUMENT: 3,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} satisfies Partial<Record<keyof typeof status, status>>;

interface Policy {
  code: status;
  retryable: boolean;
}

const refused = (code: status): Policy => ({ code, retryable: false });
const retry = (code: status): Policy => ({ code, retryable: true });

/** Reason → gRPC code and retry advice; error_reason.proto documents the same in words. */
export const REASONS: Readonly<Record<ErrorReason, Policy>> = {
  [ErrorReason.UNSPECIFIED]: retry(CODES.INTERNAL),
  [ErrorReason.MALFORMED]: refused(CODES.INVALID_ARGUMENT),
  [ErrorReason.INVALID_FIELD]: refused(CODES.INVALID_ARGUMENT),
  [ErrorReason.TOO_LARGE]: refused(CODES.RESOURCE_EXHAUSTED),
  [ErrorReason.UNAUTHENTICATED]: refused(CODES.UNAUTHENTICATED),
  [ErrorReason.FORBIDDEN]: refused(CODES.PERMISSION_DENIED),
  [ErrorReason.SLOW_DOWN]: retry(CODES.RESOURCE_EXHAUSTED),
  [ErrorReason.UNAVAILABLE]: retry(CODES.UNAVAILABLE),
  [ErrorReason.INTERNAL]: retry(CODES.INTERNAL),
  [ErrorReason.UNSUPPORTED_VERSION]: refused(CODES.FAILED_PRECONDITION),
  [ErrorReason.SESSION_NOT_FOUND]: refused(CODES.NOT_FOUND),
  [ErrorReason.SESSION_EXISTS]: refused(CODES.ALREADY_EXISTS),
  [ErrorReason.SESSION_ENDED]: refused(CODES.FAILED_PRECONDITION),
  [ErrorReason.PHASE_MISMATCH]: refused(CODES.FAILED_PRECONDITION),
  [ErrorReason.CONFLICT]: retry(CODES.ABORTED),
  [ErrorReason.BOARD_CHANGED]: refused(CODES.ABORTED),
  [ErrorReason.SESSION_FULL]: refused(CODES.FAILED_PRECONDITION),
  [ErrorReason.SESSION_LOCKED]: refused(CODES.FAILED_PRECONDITION),
  [ErrorReason.NAME_TAKEN]: refused(CODES.ALREADY_EXISTS),
  [ErrorReason.NAME_INVALID]: refused(CODES.INVALID_ARGUMENT),
  [ErrorReason.BANNED]: refused(CODES.PERMISSION_DENIED),
  [ErrorReason.KICKED]: refused(CODES.PERMISSION_DENIED),
  [ErrorReason.PLAYER_NOT_FOUND]: refused(CODES.NOT_FOUND),
  [ErrorReason.ROUND_CLOSED]: refused(CODES.FAILED_PRECONDITION),
  [ErrorReason.ROUND_NOT_OPEN]: retry(CODES.FAILED_PRECONDITION),
  [ErrorReason.ALREADY_ANSWERED]: refused(CODES.ALREADY_EXISTS),
  [ErrorReason.CHOICE_INVALID]: refused(CODES.INVALID_ARGUMENT),
  [ErrorReason.QUIZ_NOT_FOUND]: refused(CODES.NOT_FOUND),
  [ErrorReason.VERSION_MISMATCH]: refused(CODES.ABORTED),
  [ErrorReason.QUIZ_INVALID]: refused(CODES.INVALID_ARGUMENT),
  [ErrorReason.NO_QUESTIONS]: refused(CODES.NOT_FOUND),
  [ErrorReason.QUIZ_EXISTS]: refused(CODES.ALREADY_EXISTS),
};

export interface ServiceErrorOptions {
  cause?: unknown;
  metadata?: Record<string, string>;
  retryAfterMs?: number;
}

/** A typed refusal or fault. The message is for the caller: what was wrong and what to do. */
export class ServiceError extends Error {
  override name = "ServiceError";
  readonly metadata: Record<string, string>;
  readonly retryAfterMs: number | undefined;

  constructor(
    readonly reason: ErrorReason,
    message: string,
    options: ServiceErrorOptions = {},
  ) {
    super(message, { cause: options.cause });
    this.metadata = options.metadata ?? {};
    this.retryAfterMs = options.retryAfterMs;
  }

  get code(): status {
    return policyOf(this.reason).code;
  }

  get retryable(): boolean {
    return policyOf(this.reason).retryable;
  }
}

/** A reason of a later version, which the compiler can't know of, is a fault of somebody's. */
function policyOf(reason: ErrorReason): Policy {
  return REASONS[reason] ?? REASONS[ErrorReason.INTERNAL];
}

/** The caller itself gave up a call (CallOptions.signal): nobody failed, and nobody waits. */
export class GivenUpError extends ServiceError {
  constructor(cause: unknown) {
    super(ErrorReason.UNAVAILABLE, "the caller gave up", { cause });
  }
}

/** A field outside its bounds. */
export function invalidField(field: string, bounds: string): ServiceError {
  return new ServiceError(ErrorReason.INVALID_FIELD, `${field} must be ${bounds}`, {
    metadata: { field, bounds },
  });
}

/** A part that can't be reached; the same request may be sent again. */
export function unavailable(what: string, cause?: unknown): ServiceError {
  const message = doesNotStore(cause)
    ? `${what} is full; try again later`
    : `${what} can't be reached now; try again`;
  return new ServiceError(ErrorReason.UNAVAILABLE, message, { cause });
}

function doesNotStore(cause: unknown): boolean {
  return (cause as { code?: unknown } | undefined)?.code === NOT_STORED;
}

/** What another part gives; that it can't be had becomes UNAVAILABLE, which says which part. */
export async function reaching<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw unavailable(what, error);
  }
}

/** Makes a ServiceError of whatever was thrown; what is not ours becomes INTERNAL, without its text. */
export function toServiceError(thrown: unknown): ServiceError {
  if (thrown instanceof ServiceError) return thrown;
  return new ServiceError(ErrorReason.INTERNAL, "an internal fault; try again", { cause: thrown });
}
