/** ServiceError ↔ gRPC status: the detail travels in `grpc-status-details-bin` (google.rpc.Status). */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { anyPack, anyUnpack, durationFromMs, durationMs } from "@bufbuild/protobuf/wkt";
import { ErrorDetailSchema, ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { StatusSchema } from "@fanfare/proto/google/rpc/status";
import { type ServiceError as GrpcError, Metadata, type StatusObject, status } from "@grpc/grpc-js";
import { ServiceError } from "./errors.js";

const DETAILS = "grpc-status-details-bin";

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
  const details = [anyPack(ErrorDetailSchema, errorDetail(error))];
  const body = create(StatusSchema, { code: error.code, message: error.message, details });
  metadata.set(DETAILS, Buffer.from(toBinary(StatusSchema, body)));
  return { code: error.code, details: error.message, metadata };
}

/** Reads what a server of ours, or grpc-js itself, reported. */
export function fromGrpcError(error: GrpcError): ServiceError {
  const [bytes] = error.metadata?.get(DETAILS) ?? [];
  if (bytes instanceof Buffer) {
    const [any] = fromBinary(StatusSchema, bytes).details;
    const detail = any && anyUnpack(any, ErrorDetailSchema);
    if (detail)
      return new ServiceError(detail.reason, error.details, {
        cause: error,
        metadata: detail.metadata,
        ...(detail.retryAfter ? { retryAfterMs: durationMs(detail.retryAfter) } : {}),
      });
  }
  return new ServiceError(reasonOfCode(error.code), error.details || error.message, {
    cause: error,
  });
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
