/** Who may call what: every role on every method, and nobody without a token. */
import { ROLES, type Role } from "@fanfare/common/tokens";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BankClient, startBank } from "./bank.js";

let bank: Awaited<ReturnType<typeof startBank>>;

beforeAll(async () => {
  bank = await startBank();
});
afterAll(() => bank?.stop());

type Method = Exclude<keyof BankClient, "close">;

const ALLOWED: Record<Method, Role[]> = {
  createQuiz: ["author", "admin"],
  getQuiz: ["author", "host", "admin", "service"],
  updateQuiz: ["author", "admin"],
  deleteQuiz: ["author", "admin"],
  listQuizzes: ["author", "host", "admin"],
  importQuiz: ["author", "admin"],
  exportQuiz: ["author", "admin"],
  drawQuestions: ["author", "host", "admin", "service"],
};

const methods = Object.keys(ALLOWED) as Method[];

/** The reason that an empty request is refused with; undefined when it succeeds. */
function reasonOf(client: BankClient, method: Method, token?: string) {
  return client[method]({}, token === undefined ? {} : { token }).then(
    () => undefined,
    (error) => error.reason as ErrorReason,
  );
}

describe.each(methods)("%s", (method) => {
  test.each(ROLES)("for a %s", async (role) => {
    const reason = await reasonOf(bank.as(role), method);
    if (ALLOWED[method].includes(role)) expect(reason).not.toBe(ErrorReason.FORBIDDEN);
    else expect(reason).toBe(ErrorReason.FORBIDDEN);
  });

  test("without a good token", async () => {
    for (const token of ["", "forged"])
      expect(await reasonOf(bank.author, method, token)).toBe(ErrorReason.UNAUTHENTICATED);
  });
});
