/** A token is good for what it says, from who may say it, until it ends: for nothing else. */
import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Identity, ROLES, ServiceToken, Tokens } from "./tokens.js";

const SECRET = "the secret of these tests, long enough";
const OLD_SECRET = "the secret before it, also long enough";
const FOREIGN_SECRET = "the secret of somebody else, long as well";

const START = new Date("2026-11-24T12:00:00Z");
const NOW_S = START.getTime() / 1_000;

beforeEach(() => {
  vi.useFakeTimers({ now: START });
});

afterEach(() => {
  vi.useRealTimers();
});

const part = (value: unknown) =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** Our claims, made by hand. */
const claims = { aud: "fanfare", sub: "p1", role: "player", sid: "quiz_1", exp: NOW_S + 60 };

function signed(payload: unknown, options: { secret?: string; header?: unknown } = {}): string {
  const { secret = SECRET, header = { alg: "HS256", typ: "JWT" } } = options;
  const body = `${part(header)}.${part(payload)}`;
  return `${body}.${createHmac("sha256", secret).update(body).digest("base64url")}`;
}

function refusal(token: string, tokens = new Tokens([SECRET])): unknown {
  try {
    return tokens.verify(token);
  } catch (error) {
    return (error as { reason?: unknown }).reason;
  }
}

test("a token says who its owner is", () => {
  const tokens = new Tokens([SECRET]);
  const identities: Identity[] = [
    ...ROLES.map((role) => ({ role, subject: `a ${role}` })),
    { role: "player", subject: "p1", sessionId: "quiz_1" },
  ];
  for (const identity of identities)
    expect(tokens.verify(tokens.issue(identity, 60))).toEqual(identity);
});

test("a token made by hand as ours are is good: the cases below fail for their own reason", () => {
  expect(refusal(signed(claims))).toEqual({ role: "player", subject: "p1", sessionId: "quiz_1" });
});

const { sid: _sid, aud, exp, sub, role, ...none } = claims;
const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 });

const BAD: Readonly<Record<string, () => string>> = {
  "nothing at all": () => "",
  "a word": () => "token",
  "two parts": () => signed(claims).split(".").slice(0, 2).join("."),
  "no signature": () => `${signed(claims).split(".").slice(0, 2).join(".")}.`,
  "four parts": () => `${signed(claims)}.x`,
  "a megabyte of noise": () => `${"a".repeat(1_000_000)}.b.c`,
  "another's secret": () => signed(claims, { secret: FOREIGN_SECRET }),
  "an empty secret": () => signed(claims, { secret: "" }),
  "a signature of other claims": () => {
    const [header, , signature] = signed(claims).split(".");
    return `${header}.${part({ ...claims, role: "admin" })}.${signature}`;
  },
  "one character of the signature changed": () => {
    const token = signed(claims);
    const at = token.length - 10;
    return `${token.slice(0, at)}${token[at] === "A" ? "B" : "A"}${token.slice(at + 1)}`;
  },
  "the algorithm none, unsigned": () => `${part({ alg: "none" })}.${part(claims)}.`,
  "the algorithm None, signed all the same": () => signed(claims, { header: { alg: "None" } }),
  "no algorithm": () => signed(claims, { header: { typ: "JWT" } }),
  "another algorithm of the family, named": () => signed(claims, { header: { alg: "HS512" } }),
  "an asymmetric algorithm": () => {
    const body = `${part({ alg: "RS256", typ: "JWT" })}.${part(claims)}`;
    return `${body}.${sign("sha256", Buffer.from(body), rsa.privateKey).toString("base64url")}`;
  },
  "a header that asks for what nobody knows": () =>
    signed(claims, { header: { alg: "HS256", crit: ["b64"], b64: false } }),
  "a header that is no JSON": () => signed(claims, { header: "{" }),
  "claims that are no object": () => signed("[]"),
  "another audience": () => signed({ ...claims, aud: "somebody else" }),
  "no audience": () => signed({ ...none, exp, sub, role }),
  "no end": () => signed({ ...none, aud, sub, role }),
  "an end that is a text": () => signed({ ...claims, exp: "2099-01-01" }),
  "an end that is a list": () => signed({ ...claims, exp: [NOW_S + 60] }),
  "an end that has passed": () => signed({ ...claims, exp: NOW_S - 6 }),
  "a beginning that has not come": () => signed({ ...claims, nbf: NOW_S + 60 }),
  "no subject": () => signed({ ...none, aud, exp, role }),
  "a subject that is a number": () => signed({ ...claims, sub: 7 }),
  "no role": () => signed({ ...none, aud, exp, sub }),
  "a role that there is not": () => signed({ ...claims, role: "root" }),
  "a role that is a list": () => signed({ ...claims, role: ["admin"] }),
};

describe("a token is refused for", () => {
  test.each(Object.entries(BAD))("%s", (_what, make) => {
    const token = make();
    const tokens = new Tokens([SECRET]);
    expect(refusal(token, tokens)).toBe(ErrorReason.UNAUTHENTICATED);
    // A second look finds nothing better in what was remembered.
    expect(refusal(token, tokens)).toBe(ErrorReason.UNAUTHENTICATED);
  });
});

test("a token ends when it says, also one that was good a moment ago", () => {
  const tokens = new Tokens([SECRET]);
  const token = tokens.issue({ role: "host", subject: "h" }, 60);
  vi.setSystemTime(START.getTime() + 64_000);
  expect(refusal(token, tokens)).toMatchObject({ subject: "h" });
  vi.setSystemTime(START.getTime() + 66_000);
  expect(refusal(token, tokens)).toBe(ErrorReason.UNAUTHENTICATED);
});

test("a pod whose clock is 30 s behind takes the tokens of the others", () => {
  const tokens = new Tokens([SECRET]);
  const token = tokens.issue({ role: "service", subject: "quiz-0" }, 600);
  vi.setSystemTime(START.getTime() - 30_000);
  expect(refusal(token)).toMatchObject({ subject: "quiz-0" });
});

describe("when the secret changes", () => {
  const before = new Tokens([OLD_SECRET]);
  const during = new Tokens([SECRET, OLD_SECRET]);
  const after = new Tokens([SECRET]);
  const identity = { role: "host", subject: "h" } as const;

  test("the old one's tokens are good until it is taken away", () => {
    const old = before.issue(identity, 60);
    expect(during.verify(old)).toEqual(identity);
    expect(refusal(old, after)).toBe(ErrorReason.UNAUTHENTICATED);
  });

  test("the new one signs", () => {
    const fresh = during.issue(identity, 60);
    expect(after.verify(fresh)).toEqual(identity);
    expect(refusal(fresh, before)).toBe(ErrorReason.UNAUTHENTICATED);
  });
});

test("more tokens than are remembered are all good", () => {
  const tokens = new Tokens([SECRET]);
  const issued = Array.from({ length: 1_200 }, (_, i) => ({
    subject: `p${i}`,
    token: tokens.issue({ role: "player", subject: `p${i}` }, 60),
  }));
  for (let pass = 0; pass < 2; pass++)
    for (const { subject, token } of issued)
      expect(tokens.verify(token)).toEqual({ role: "player", subject });
});

test("without a secret there are no tokens", () => {
  expect(() => new Tokens([])).toThrow("at least one secret");
  expect(() => new Tokens([""])).toThrow("at least one secret");
});

test("a service's own token is good at any time, and not made for each call", () => {
  const tokens = new Tokens([SECRET]);
  const own = new ServiceToken(tokens, "quiz-0");
  const first = own.get();
  expect(own.get()).toBe(first);
  const seen = new Set<string>();
  for (let minute = 0; minute < 60; minute++) {
    expect(tokens.verify(own.get())).toEqual({ role: "service", subject: "quiz-0" });
    seen.add(own.get());
    vi.advanceTimersByTime(60_000);
  }
  expect(seen.size).toBe(12);
});
