/** An expected "no" of the rules: a value, not an error. Handlers make a ServiceError of it. */
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";

export interface Refusal {
  refused: ErrorReason;
  message: string;
  metadata?: Record<string, string>;
}

export function refuse(
  refused: ErrorReason,
  message: string,
  metadata?: Record<string, string>,
): Refusal {
  return metadata ? { refused, message, metadata } : { refused, message };
}

export function isRefusal(value: object): value is Refusal {
  return "refused" in value && "message" in value;
}

export const SESSION_UNKNOWN: Refusal = refuse(
  ErrorReason.SESSION_NOT_FOUND,
  "no session has this id; it may have ended long ago, or never been",
);
