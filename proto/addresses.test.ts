/** Addresses: what goes in comes out, and no id widens a subject or reaches another key. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as addresses from "./addresses.js";
import {
  fnv1a,
  isOutsider,
  isScorerKey,
  isToken,
  type LogAddress,
  laneOf,
  nicknameKey,
  PARTITIONS,
  partitionOf,
  ROUND_MAX,
  readScorerKey,
  readStoredSubject,
  redisKeys,
  scorerKey,
  storedSubject,
} from "./addresses.js";

const token = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
const outsider = token.filter((id) => !id.startsWith("_"));
const round = fc.integer({ min: 0, max: ROUND_MAX });
const lane = fc.integer({ min: 0, max: addresses.LANES_MAX - 1 });

describe("a stored subject", () => {
  /** Each way to publish, with what must be read from where it is stored. */
  const published: fc.Arbitrary<{ subject: string; address: LogAddress }> = fc.oneof(
    fc.record({ sessionId: token, round, outsider }).map((of) => ({
      subject: addresses.subjectForScore(of),
      address: { kind: "score" as const, ...of },
    })),
    fc.record({ sessionId: token, round, lane }).map((of) => ({
      subject: addresses.subjectForAnswers(of.sessionId, of.round, of.lane),
      address: { kind: "answers" as const, ...of },
    })),
    fc.record({ sessionId: token, lane }).map((of) => ({
      subject: addresses.subjectForPlayers(of.sessionId, of.lane),
      address: { kind: "players" as const, round: 0, ...of },
    })),
    fc.record({ sessionId: token, round }).map((of) => ({
      subject: addresses.subjectForRoundClosed(of.sessionId, of.round),
      address: { kind: "roundClosed" as const, ...of },
    })),
    token.map((sessionId) => ({
      subject: addresses.subjectForSessionCreated(sessionId),
      address: { kind: "sessionCreated" as const, sessionId, round: 0 },
    })),
    token.map((sessionId) => ({
      subject: addresses.subjectForSessionEnded(sessionId),
      address: { kind: "sessionEnded" as const, sessionId, round: 0 },
    })),
  );

  test("says what was published", () => {
    fc.assert(
      fc.property(published, ({ subject, address }) => {
        expect(readStoredSubject(storedSubject(subject))).toEqual(address);
      }),
    );
  });

  test("lies in its session's partition and among its session's subjects", () => {
    fc.assert(
      fc.property(published, ({ subject, address: { sessionId } }) => {
        const stored = storedSubject(subject);
        const partition = partitionOf(sessionId);
        expect(
          stored.startsWith(addresses.storedPartitionSubjects(partition)[0].slice(0, -1)),
        ).toBe(true);
        expect(stored.startsWith(addresses.storedSessionSubjects(sessionId).slice(0, -1))).toBe(
          true,
        );
      }),
    );
  });

  test("is read without a throw, whatever it is", () => {
    const parts = fc.array(fc.oneof(fc.string(), token, round.map(String)), { maxLength: 6 });
    fc.assert(
      fc.property(parts, (list) => {
        const read = readStoredSubject(["LOG", "3", ...list].join("."));
        if (typeof read !== "string") expect(isToken(read.sessionId)).toBe(true);
      }),
    );
  });

  test.each([
    ["LOG.3.s.1.u.more", "4 words behind QUIZ, not 3"],
    ["LOG.3.s.1.jane@example.org", "4 words behind QUIZ, not 3"],
    ["LOG.3.s.1", "2 words behind QUIZ, not 3"],
    ["QUIZ.s", "1 words behind QUIZ, not 3"],
    ["LOG.3.a b.1.u", "no session is called so"],
    ["QUIZ.*.1.u", "no session is called so"],
    ["LOG.3.s.-1.u", "no round is called so"],
    ["LOG.3.s.1e3.u", "no round is called so"],
    ["LOG.3.s.100001.u", "no round is called so"],
    ["LOG.3.s.1.", "no user is called so"],
    ["LOG.3.s.1.ü", "no user is called so"],
    ["QUIZ.s.1.>", "no user is called so"],
    [`LOG.3.s.1.${"u".repeat(65)}`, "no user is called so"],
    [`LOG.3.s.1._${"u".repeat(65)}`, "no user is called so"],
    ["LOG.3.s.1._", "_ is not an entry kind that this version knows"],
    ["LOG.3.s.1._p", "_p is not an entry kind that this version knows"],
    ["LOG.3.s.1._100", "_100 is not an entry kind that this version knows"],
    ["LOG.3.s.1._later", "_later is not an entry kind that this version knows"],
  ])("%s is none: %s", (subject, reason) => {
    expect(readStoredSubject(subject)).toBe(
      `${reason}: scores go to QUIZ.<session>.<round>.<user>: session and user 1 to 64 of A-Z a-z 0-9 _ - (the user not beginning with _), round 0 to 100000`,
    );
  });
});

/** Every function that takes an id, with an id in each of its places. */
const TAKES_ID: Readonly<Record<string, (id: string) => unknown>> = {
  "subjectForScore, session": (id) =>
    addresses.subjectForScore({ sessionId: id, round: 1, outsider: "u" }),
  "subjectForScore, outsider": (id) =>
    addresses.subjectForScore({ sessionId: "s", round: 1, outsider: id }),
  subjectForAnswers: (id) => addresses.subjectForAnswers(id, 1, 0),
  subjectForPlayers: (id) => addresses.subjectForPlayers(id, 0),
  subjectForRoundClosed: (id) => addresses.subjectForRoundClosed(id, 1),
  subjectForSessionCreated: addresses.subjectForSessionCreated,
  subjectForSessionEnded: addresses.subjectForSessionEnded,
  storedSessionSubjects: addresses.storedSessionSubjects,
  subjectForLeaderboard: addresses.subjectForLeaderboard,
  subjectForSession: addresses.subjectForSession,
  subjectForRemovals: addresses.subjectForRemovals,
  subjectForTakeovers: addresses.subjectForTakeovers,
  subjectForDeadLetter: addresses.subjectForDeadLetter,
  subjectForPresence: addresses.subjectForPresence,
  frozenQuizKey: (id) => addresses.frozenQuizKey(id, 1n),
  partitionOf,
  "redisKeys.board": redisKeys.board,
  "redisKeys.scores": redisKeys.scores,
  "redisKeys.names": redisKeys.names,
  "redisKeys.namesakes": redisKeys.namesakes,
  "redisKeys.banned": redisKeys.banned,
  "redisKeys.answered": (id) => redisKeys.answered(id, 1),
  "redisKeys.hidden": (id) => redisKeys.hidden(id, 1),
};

const NO_IDS = [
  "",
  " ",
  "a b",
  "a.b",
  ".",
  "*",
  ">",
  "a*",
  "s\n",
  "s\u0000",
  "ü",
  "🎉",
  "{p1}",
  "a:b",
  "../a",
  "a/b",
  "a".repeat(65),
  "\u0430", // a Cyrillic letter that looks like an "a"
];

describe.each(Object.entries(TAKES_ID))("%s", (_name, take) => {
  test.each(NO_IDS)("refuses %j", (id) => {
    expect(() => take(id)).toThrow(addresses.TokenError);
  });

  test("takes a token of 64 characters", () => {
    expect(take(`A-z_${"0".repeat(60)}`)).toBeDefined();
  });
});

test("each address function that takes an id is among those that were asked", () => {
  const asked = new Set(Object.keys(TAKES_ID).map((name) => name.split(",")[0]));
  const subjects = Object.keys(addresses).filter((name) => name.startsWith("subjectFor"));
  for (const name of subjects) expect(asked).toContain(name);
  const perPartition = ["position", "sessions"];
  for (const name of Object.keys(redisKeys).filter((key) => !perPartition.includes(key)))
    expect(asked).toContain(`redisKeys.${name}`);
});

test.each([-1, 1.5, Number.NaN, ROUND_MAX + 1, Number.POSITIVE_INFINITY])(
  "a round of %d has no subject and no key",
  (number) => {
    for (const take of [
      () => addresses.subjectForAnswers("s", number, 0),
      () => addresses.subjectForRoundClosed("s", number),
      () => addresses.subjectForScore({ sessionId: "s", round: number, outsider: "u" }),
      () => redisKeys.answered("s", number),
      () => redisKeys.hidden("s", number),
    ])
      expect(take).toThrow("round must be a whole number from 0 to 100000");
  },
);

test.each([-1, 0.5, Number.NaN, 100])("a lane %d has no subject", (number) => {
  expect(() => addresses.subjectForAnswers("s", 1, number)).toThrow("lane must be");
  expect(() => addresses.subjectForPlayers("s", number)).toThrow("lane must be");
});

test.each(["_closed", "_0", "_session", "_x"])("an outsider can't be called %s", (id) => {
  expect(isOutsider(id)).toBe(false);
  const of = { sessionId: "s", round: 1, outsider: id };
  expect(() => addresses.subjectForScore(of)).toThrow("outsider");
});

describe("a scorer key", () => {
  test("is read back, whatever a user is called", () => {
    const user = fc.record({ id: fc.string(), outside: fc.constant(false) });
    const stranger = fc.record({ id: outsider, outside: fc.constant(true) });
    fc.assert(
      fc.property(fc.oneof(user, stranger), (each) => {
        expect(readScorerKey(scorerKey(each))).toEqual(each);
      }),
    );
  });

  test("of an outsider is never a player's or a user's", () => {
    const name = fc.oneof(
      outsider,
      outsider.map((id) => `@${id}`),
      fc.string(),
    );
    fc.assert(
      fc.property(outsider, name, (id, other) => {
        expect(scorerKey({ id, outside: true })).not.toBe(scorerKey({ id: other, outside: false }));
      }),
    );
  });

  test.each(["", "@", "@@a", "a b", "@a b", `@${"u".repeat(65)}`])(
    "%j is nobody's in a session",
    (key) => {
      expect(isScorerKey(key)).toBe(false);
    },
  );
});

test.each(["QUIZ", "QUIZ.", "QUIZ.s.1.", "QUIZ.s..u", "QUIZ..1.u", "LOG.s.1.u"])(
  "%s is not stored in the log",
  (subject) => {
    expect(() => storedSubject(subject)).toThrow("published subject");
  },
);

describe("hashing", () => {
  test.each([
    // Test vectors of the FNV authors.
    ["", 0x811c9dc5],
    ["a", 0xe40c292c],
    ["foobar", 0xbf9cf968],
  ])("FNV-1a of %j", (text, hash) => {
    expect(fnv1a(text)).toBe(hash);
  });

  test("sessions spread over the partitions", () => {
    const load = Array.from({ length: PARTITIONS }, () => 0);
    for (let i = 0; i < 16_000; i++) {
      const at = partitionOf(`quiz_${i}`);
      load[at] = (load[at] ?? 0) + 1;
    }
    for (const each of load) expect(each).toBeGreaterThan(800);
    for (const each of load) expect(each).toBeLessThan(1_200);
  });

  test.each([2, 3, 8, 64])("players spread over %d lanes", (lanes) => {
    const load = Array.from({ length: lanes }, () => 0);
    const players = 1_000 * lanes;
    for (let i = 0; i < players; i++) {
      const at = laneOf(`player${i}`, lanes);
      load[at] = (load[at] ?? 0) + 1;
    }
    expect(load.reduce((sum, each) => sum + each)).toBe(players);
    for (const each of load) expect(each).toBeGreaterThan(800);
    for (const each of load) expect(each).toBeLessThan(1_200);
  });

  test("a lane is one of those there are, for whatever key", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 0, max: 64 }), (key, lanes) => {
        const at = laneOf(key, lanes);
        expect(Number.isInteger(at) && at >= 0 && at < Math.max(1, lanes)).toBe(true);
      }),
    );
  });
});

describe("a nickname is the same as another", () => {
  test.each([
    ["in another letter case", "Émile", "éMILE"],
    ["in composed and decomposed form", "\u00e9", "e\u0301"],
    ["in full-width letters", "Ａｎｎａ", "anna"],
    ["with a ligature", "ﬁn", "FIN"],
    ["with another kind of space", "a\u00a0b", "a b"],
    ["with more spaces, inside and around", "  a   b ", "a b"],
    ["with a tab", "a\tb", "a b"],
    ["with a superscript", "x²", "x2"],
    ["with the Kelvin sign", "\u212a", "k"],
  ])("%s", (_how, one, other) => {
    expect(nicknameKey(one)).toBe(nicknameKey(other));
  });

  test.each([
    ["anna", "ana"],
    ["anna", "ann a"],
    ["é", "e"],
    ["a1", "al"],
  ])("but %s is not %s", (one, other) => {
    expect(nicknameKey(one)).not.toBe(nicknameKey(other));
  });

  test("and never longer for its spaces, nor with any around", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (name) => {
        const key = nicknameKey(name);
        expect(key).toBe(key.trim());
        expect(key).not.toMatch(/\s{2}/);
        expect(nicknameKey(` ${name}  `)).toBe(key);
      }),
    );
  });
});

test("all Redis keys of a session and its partition share one hash tag, and no two are the same", () => {
  fc.assert(
    fc.property(token, round, (sessionId, number) => {
      const partition = partitionOf(sessionId);
      const keys = [
        redisKeys.position(partition),
        redisKeys.sessions(partition),
        redisKeys.board(sessionId),
        redisKeys.scores(sessionId),
        redisKeys.names(sessionId),
        redisKeys.answered(sessionId, number),
        redisKeys.hidden(sessionId, number),
      ];
      // What Redis Cluster hashes: between the first { and the first } behind it.
      const tags = keys.map((key) => /\{(.*?)\}/.exec(key)?.[1]);
      expect(new Set(tags)).toEqual(new Set([`p${partition}`]));
      expect(new Set(keys).size).toBe(keys.length);
    }),
  );
});

test("keys of two sessions are never the same", () => {
  fc.assert(
    fc.property(token, token, round, (one, other, number) => {
      fc.pre(one !== other);
      const keysOf = (id: string) => [
        redisKeys.board(id),
        redisKeys.scores(id),
        redisKeys.names(id),
        redisKeys.answered(id, number),
        redisKeys.hidden(id, number),
      ];
      expect(keysOf(one).filter((key) => keysOf(other).includes(key))).toEqual([]);
    }),
  );
});
