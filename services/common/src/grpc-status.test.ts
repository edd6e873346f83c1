/** An error that crosses a process border says on the other side what it said here. */
import { create, type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { ErrorDetailSchema, ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { StatusSchema } from "@fanfare/proto/google/rpc/status";
import { type ServiceError as GrpcError, Metadata, status } from "@grpc/grpc-js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { REASONS, ServiceError } from "./errors.js";
import { fromGrpcError, toStatus } from "./grpc-status.js";

/** What grpc-js makes of a status at the caller. */
function received({ code, details, metadata }: ReturnType<typeof toStatus>): GrpcError {
  return Object.assign(new Error(`${code}: ${details}`), {
    code: code ?? status.UNKNOWN,
    details: details ?? "",
    metadata: metadata ?? new Metadata(),
  });
}

const reasons = Object.keys(REASONS).map(Number);

test("reason, text, metadata and retry advice come back", () => {
  const any = fc.record({
    reason: fc.constantFrom(...reasons),
    message: fc.string({ unit: "grapheme", maxLength: 100 }),
    metadata: fc.dictionary(fc.stringMatching(/^[a-z][a-z_]{0,19}$/), fc.string()),
    retryAfterMs: fc.option(fc.integer({ min: 0, max: 86_400_000 }), { nil: undefined }),
  });
  fc.assert(
    fc.property(any, ({ reason, message, metadata, retryAfterMs }) => {
      const sent = new ServiceError(reason, message, {
        metadata,
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      });
      const { reason: back, code, retryable, ...rest } = fromGrpcError(received(toStatus(sent)));
      expect({ back, code, retryable }).toEqual({
        back: reason,
        code: sent.code,
        retryable: sent.retryable,
      });
      expect({ ...rest.metadata }).toEqual({ ...metadata });
      expect(rest.retryAfterMs).toBe(retryAfterMs);
    }),
  );
});

test("a text that grpc-js could not write, or that is too long for a header, is mended", () => {
  const half = toStatus(new ServiceError(ErrorReason.MALFORMED, "half a pair: \ud83c"));
  expect(() => encodeURI(String(half.details))).not.toThrow();
  const long = toStatus(new ServiceError(ErrorReason.MALFORMED, "😀".repeat(100_000)));
  expect(Buffer.byteLength(String(long.details))).toBeLessThanOrEqual(1_027);
  expect(() => encodeURI(String(long.details))).not.toThrow();
});

test.each([
  [status.UNAVAILABLE, ErrorReason.UNAVAILABLE],
  [status.DEADLINE_EXCEEDED, ErrorReason.UNAVAILABLE],
  [status.CANCELLED, ErrorReason.UNAVAILABLE],
  [status.RESOURCE_EXHAUSTED, ErrorReason.TOO_LARGE],
  [status.UNAUTHENTICATED, ErrorReason.UNAUTHENTICATED],
  [status.PERMISSION_DENIED, ErrorReason.FORBIDDEN],
  [status.INVALID_ARGUMENT, ErrorReason.MALFORMED],
  [status.UNIMPLEMENTED, ErrorReason.INTERNAL],
  [status.UNKNOWN, ErrorReason.INTERNAL],
])("code %d without a detail is reason %d", (code, reason) => {
  expect(fromGrpcError(received({ code, details: "as grpc-js says" }))).toMatchObject({
    reason,
    message: "as grpc-js says",
  });
});

test.each([
  ["bytes that are none", Buffer.from([0xff, 0xff, 0xff])],
  ["no details", Buffer.from(toBinary(StatusSchema, create(StatusSchema, { code: 14 })))],
  ["details of another kind", withDetails(StatusSchema, create(StatusSchema, { code: 5 }))],
])("a status with %s is read by its code, without a throw", (_what, bytes) => {
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin", bytes);
  const error = fromGrpcError(received({ code: status.UNAVAILABLE, details: "away", metadata }));
  expect(error).toMatchObject({ reason: ErrorReason.UNAVAILABLE, message: "away" });
});

test("a reason of a later version is read by its code", () => {
  const metadata = new Metadata();
  const detail = create(ErrorDetailSchema, { reason: 9_999 as ErrorReason, metadata: { a: "b" } });
  metadata.set("grpc-status-details-bin", withDetails(ErrorDetailSchema, detail));
  const error = fromGrpcError(
    received({ code: status.PERMISSION_DENIED, details: "not on Sundays", metadata }),
  );
  expect(error).toMatchObject({ reason: ErrorReason.FORBIDDEN, message: "not on Sundays" });
  expect(error.metadata).toEqual({ a: "b" });
});

function withDetails<D extends DescMessage>(schema: D, message: MessageShape<D>): Buffer {
  const details = [anyPack(schema, message)];
  return Buffer.from(toBinary(StatusSchema, create(StatusSchema, { code: 14, details })));
}
