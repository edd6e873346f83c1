/** Errors of the JSON door, as the Connect protocol writes them (connectrpc.com/docs/protocol). */
import { toBinary, toJson } from "@bufbuild/protobuf";
import type { ServiceError } from "@fanfare/common/errors";
import { errorDetail } from "@fanfare/common/grpc-status";
import { ErrorDetailSchema, ErrorReason } from "@fanfare/proto/common/v1/error_reason";

/** gRPC code → Connect's name and HTTP status. */
const CODES: Readonly<Record<number, readonly [name: string, http: string]>> = {
  1: ["canceled", "499 Client Closed Request"],
  2: ["unknown", "500 Internal Server Error"],
  3: ["invalid_argument", "400 Bad Request"],
  4: ["deadline_exceeded", "504 Gateway Timeout"],
  5: ["not_found", "404 Not Found"],
  6: ["already_exists", "409 Conflict"],
  7: ["permission_denied", "403 Forbidden"],
  8: ["resource_exhausted", "429 Too Many Requests"],
  9: ["failed_precondition", "400 Bad Request"],
  10: ["aborted", "409 Conflict"],
  11: ["out_of_range", "400 Bad Request"],
  12: ["unimplemented", "501 Not Implemented"],
  13: ["internal", "500 Internal Server Error"],
  14: ["unavailable", "503 Service Unavailable"],
  15: ["data_loss", "500 Internal Server Error"],
  16: ["unauthenticated", "401 Unauthorized"],
};

/** Reasons whose code has an HTTP status that clients and proxies repeat, which would not help here. */
const STATUS_OF_REASON: Partial<Record<ErrorReason, string>> = {
  [ErrorReason.TOO_LARGE]: "413 Content Too Large",
};

const DEADLINE_EXCEEDED = 4;

export interface ConnectReply {
  /** Connect's name of the code; "ok" where there is no error. */
  code: string;
  status: string;
  body: string;
}

export function errorReply(error: ServiceError): ConnectReply {
  const [code, http] = CODES[codeOf(error)] ?? ["unknown", "500 Internal Server Error"];
  const status = STATUS_OF_REASON[error.reason] ?? http;
  const detail = errorDetail(error);
  const value = Buffer.from(toBinary(ErrorDetailSchema, detail))
    .toString("base64")
    .replace(/=+$/, "");
  const details = [
    { type: ErrorDetailSchema.typeName, value, debug: toJson(ErrorDetailSchema, detail) },
  ];
  return { code, status, body: JSON.stringify({ code, message: error.message, details }) };
}

/** Inside, a service that did not answer in time is one that is away; Connect has a code of its own. */
function codeOf({ code, cause }: ServiceError): number {
  const isLate = (cause as { code?: unknown } | undefined)?.code === DEADLINE_EXCEEDED;
  return isLate ? DEADLINE_EXCEEDED : code;
}

/** What is not served here at all. */
export function unimplementedReply(status: string, message: string): ConnectReply {
  return {
    code: "unimplemented",
    status,
    body: JSON.stringify({ code: "unimplemented", message }),
  };
}
