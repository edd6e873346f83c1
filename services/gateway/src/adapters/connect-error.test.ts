/** What a client of the JSON door, which knows nothing of our reasons, makes of a refusal. */
import { REASONS, ServiceError } from "@fanfare/common/errors";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { expect, test } from "vitest";
import { errorReply } from "./connect-error.js";

/** Sent again by curl --retry, by HTTP clients and by proxies. */
const REPEATED = [408, 425, 429, 500, 502, 503, 504];
const reasons = Object.keys(REASONS).map(Number) as ErrorReason[];

const statusOf = (reason: ErrorReason) =>
  Number.parseInt(errorReply(new ServiceError(reason, "no")).status, 10);

test.each(reasons.filter((reason) => !new ServiceError(reason, "no").retryable))(
  "reason %d, which no repetition helps, has a status that nobody repeats",
  (reason) => {
    expect(REPEATED).not.toContain(statusOf(reason));
  },
);

test.each([
  [ErrorReason.SLOW_DOWN, 429],
  [ErrorReason.UNAVAILABLE, 503],
  [ErrorReason.TOO_LARGE, 413],
])("reason %d has the status %d", (reason, status) => {
  expect(statusOf(reason)).toBe(status);
});
