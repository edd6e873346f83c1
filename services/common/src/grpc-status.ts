/** ServiceError ↔ gRPC status: the detail travels in `grpc-status-details-bin` (google.rpc.Status). */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { anyPack, anyUnpack, durationFromMs, durationMs } from "@bufbuild/protobuf/wkt";
import {
  type ErrorDetail,
  ErrorDetailSchema,
  ErrorReason,
} from "@fanfare/proto/common/v1/error_reason";
import { StatusSchema } from "@fanfare/proto/google/rpc/status";
import { type ServiceError as GrpcError, Metadata, type StatusObject, status } from "@grpc/grpc-js";
import { REASONS, ServiceError } from "./errors.js";

const DETAILS = "grpc-status-details-bin";
/** A status travels in HTTP/2 headers, which peers bound as a whole: a longer text would lose it all. */
const MESSAGE_BYTES_MAX = 1_024;

/** The detail message of an error, as every door sends it. */
export function errorDetail(error: ServiceError) {
  return create(ErrorDetailSchema, {
    reason: error.reason,
    retryable: error.retryable,
    metadata: error.metadata,
    ...(error.retryAfterMs === undefined ? {} : { retryAfter: durationFromMs(error.retryAfterMs) }),
  });
}

export function toStatus(error: ServiceError): Partial<StatusObject> {
  const metadata = new Metadata();
  const { code } = error;
  // By way of bytes: half a surrogate pair in the text would make grpc-js throw.
  const message = Buffer.from(error.message).toString("utf8", 0, MESSAGE_BYTES_MAX);
  const details = [anyPack(ErrorDetailSchema, errorDetail(error))];
  const body = create(StatusSchema, { code, message, details });
  metadata.set(DETAILS, Buffer.from(toBinary(StatusSchema, body)));
  return { code, details: message, metadata };
}

/**
 * Reads what a server of ours, or grpc-js itself, reported. Never throws; a reason of a later version
 * is read by its gRPC code.
 */
export function fromGrpcError(error: GrpcError): ServiceError {
  const detail = detailOf(error);
  const reason = detail && detail.reason in REASONS ? detail.reason : reasonOfCode(error.code);
  return new ServiceError(reason, error.details || error.message, {
    cause: error,
    ...(detail ? { metadata: detail.metadata } : {}),
    ...(detail?.retryAfter ? { retryAfterMs: durationMs(detail.retryAfter) } : {}),
  });
}

/** Undefined where there is none, or one that can't be read. */
function detailOf(error: GrpcError): ErrorDetail | undefined {
  const [bytes] = error.metadata?.get(DETAILS) ?? [];
  if (!(bytes instanceof Buffer)) return undefined;
  try {
    const [any] = fromBinary(StatusSchema, bytes).details;
    return any && anyUnpack(any, ErrorDetailSchema);
  } catch {
    return undefined;
  }
}

function reasonOfCode(code: status): ErrorReason {
  switch (code) {
    case status.UNAVAILABLE:
    case status.DEADLINE_EXCEEDED:
    case status.CANCELLED:
      return ErrorReason.UNAVAILABLE;
    case status.RESOURCE_EXHAUSTED:
      return ErrorReason.TOO_LARGE;
    case status.UNAUTHENTICATED:
      return ErrorReason.UNAUTHENTICATED;
    case status.PERMISSION_DENIED:
      return ErrorReason.FORBIDDEN;
    case status.INVALID_ARGUMENT:
      return ErrorReason.MALFORMED;
    default:
      return ErrorReason.INTERNAL;
  }
}
