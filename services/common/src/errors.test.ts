/** Every reason has its policy, its row in the docs and its comment in the contract. */
import { readFileSync } from "node:fs";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { status } from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import { invalidField, REASONS, ServiceError, toServiceError, unavailable } from "./errors.js";

const reasons = Object.values(ErrorReason).filter((each): each is ErrorReason =>
  Number.isInteger(each),
);
const root = new URL("../../../", import.meta.url);
const docs = readFileSync(new URL("docs/errors.md", root), "utf8");
const contract = readFileSync(new URL("proto/common/v1/error_reason.proto", root), "utf8");

/** Rows of the first table: gRPC code and retry by reason. */
const rows = new Map(
  [...docs.matchAll(/^\| `([A-Z_]+)` \| ([A-Z_]+) \| (yes|no) \| (.+) \| (.+) \|$/gm)].map(
    ([, reason, code, retry, meaning, advice]) => [
      String(reason),
      { code, retry, meaning, advice },
    ],
  ),
);

test("there are reasons to check", () => {
  expect(reasons.length).toBeGreaterThan(25);
});

test.each(reasons)("reason %d has a policy", (reason) => {
  expect(REASONS[reason]).toBeDefined();
});

const sent = reasons.filter((each) => each !== ErrorReason.UNSPECIFIED);

describe.each(sent)("reason %d", (reason) => {
  const name = ErrorReason[reason];

  test("has a row in docs/errors.md that is true", () => {
    const { code, retryable } = REASONS[reason];
    expect(rows.get(name)).toMatchObject({ code: status[code], retry: retryable ? "yes" : "no" });
  });

  test("has its gRPC code in the contract", () => {
    const comment = new RegExp(`((?:^ *//.*\n)+) *ERROR_REASON_${name} = ${reason};`, "m").exec(
      contract,
    )?.[1];
    expect(comment).toContain(status[REASONS[reason].code]);
  });
});

test("docs/errors.md has no row for a reason that there is not", () => {
  const names = new Set(reasons.map((each) => ErrorReason[each]));
  expect([...rows.keys()].filter((name) => !names.has(name))).toEqual([]);
});

test("each gRPC code of a reason has an HTTP status in docs/errors.md", () => {
  const codes = new Set(reasons.map((each) => status[REASONS[each].code]));
  for (const code of codes)
    expect(docs).toMatch(new RegExp(`^\\| ${code} \\| [45]\\d\\d \\|`, "m"));
});

test("a retry is advised exactly where waiting can help", () => {
  const retryable = reasons.filter((each) => REASONS[each].retryable);
  expect(retryable.map((each) => ErrorReason[each]).sort()).toEqual([
    "CONFLICT",
    "INTERNAL",
    "ROUND_NOT_OPEN",
    "SLOW_DOWN",
    "UNAVAILABLE",
    "UNSPECIFIED",
  ]);
});

test("what was thrown and is not ours becomes INTERNAL, and keeps its text to itself", () => {
  const cause = new Error("password=hunter2");
  const error = toServiceError(cause);
  expect(error).toMatchObject({ reason: ErrorReason.INTERNAL, retryable: true, cause });
  expect(error.message).not.toContain("hunter2");
  expect(toServiceError("a string").reason).toBe(ErrorReason.INTERNAL);
});

test("what is ours stays as it is", () => {
  const error = invalidField("round", "1..500");
  expect(toServiceError(error)).toBe(error);
  expect(error).toMatchObject({
    code: status.INVALID_ARGUMENT,
    retryable: false,
    message: "round must be 1..500",
    metadata: { field: "round", bounds: "1..500" },
  });
});

test("a part that is away is retryable, and its cause is kept for the log", () => {
  const cause = new Error("ECONNREFUSED");
  expect(unavailable("Redis", cause)).toMatchObject({
    code: status.UNAVAILABLE,
    retryable: true,
    cause,
  });
});

test("a reason of a later version is no crash", () => {
  const error = new ServiceError(9_999 as ErrorReason, "news");
  expect(error.code).toBe(status.INTERNAL);
  expect(error.retryable).toBe(true);
});
