import { REASONS } from "@fanfare/common/errors";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { expect, test } from "vitest";
import { CLOSE, closeCodeFor } from "./close-codes.js";

test("every reason closes with a code whose range says whether to come back", () => {
  for (const [key, { retryable }] of Object.entries(REASONS)) {
    const code = closeCodeFor(Number(key) as ErrorReason, retryable);
    expect([ErrorReason[Number(key)], code < 4_500]).toEqual([ErrorReason[Number(key)], retryable]);
  }
});

test("codes are distinct, and in the ranges for applications", () => {
  const codes = Object.values(CLOSE);
  expect(new Set(codes).size).toBe(codes.length);
  for (const code of codes) expect(code >= 4_000 && code < 5_000).toBe(true);
});
