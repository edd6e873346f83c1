/**
 * Logs as they can really be: each lane's history is linear and a player has one answer per round in
 * it, a round is closed after its lanes; entries of lanes, sessions and outsiders are mixed at random.
 */
import { laneOf } from "@fanfare/proto/addresses";
import fc from "fast-check";
import {
  type Answer,
  answered,
  created,
  ended,
  joined,
  joinedUnder,
  laneClosed,
  nickname,
  outside,
  type Published,
  removed,
  roundClosed,
} from "./events.js";

/** Both are in one partition. Their case and signs tell bytes from alphabets. */
export const SESSIONS = ["quiz_1", "q17"] as const;
const PLAYERS = ["a", "B", "b", "b-", "b_", "Zoe", "z", "10", "9", "_x"];
const LANES = 2;

const LATE = { points: 20, elapsedMs: 0 };

/** Small numbers, so that there are ties. */
const answer = fc.record({
  points: fc.constantFrom(-5, 0, 10, 20),
  elapsedMs: fc.constantFrom(0, 5, 7),
});

/** Answers of a round: some players, each at most once, in some order. */
const answers: fc.Arbitrary<Answer[]> = fc
  .shuffledSubarray(PLAYERS)
  .chain((players) =>
    fc.tuple(...players.map((playerId) => answer.map((each) => ({ playerId, ...each })))),
  );

/** The lanes of one round, mixed, then its close. */
function round(sessionId: string, number: number): fc.Arbitrary<Published[]> {
  return answers.chain((all) => {
    const lanes = Array.from({ length: LANES }, (_, lane) =>
      chunks(all.filter(({ playerId }) => laneOf(playerId, LANES) === lane)).map((each) => [
        ...each.map((batch) => answered(sessionId, number, batch, lane)),
        laneClosed(sessionId, number, lane),
      ]),
    );
    return fc
      .tuple(...lanes)
      .chain(mix)
      .map((entries) => [...entries, roundClosed(sessionId, number, all)]);
  });
}

function session(sessionId: string): fc.Arbitrary<Published[]> {
  const options = fc.record({
    isCreated: fc.boolean(),
    liveBoard: fc.boolean(),
    isEnded: fc.boolean(),
    /** The last round is still being answered. */
    isOpen: fc.boolean(),
  });
  const rounds = fc.tuple(round(sessionId, 1), round(sessionId, 2), round(sessionId, 3));
  return fc.tuple(options, rounds, removals(sessionId)).chain(([given, played, gone]) => {
    const entries = played.flat();
    if (given.isOpen && !given.isEnded) entries.splice(-2);
    const end = given.isEnded ? [ended(sessionId)] : [];
    // Who has to go goes at any time: before an answer, after it, behind the end.
    return mix([gone, [...entries, ...end]]).map((mixed) => [
      ...(given.isCreated ? [created(sessionId, { liveBoard: given.liveBoard })] : []),
      joined(sessionId, PLAYERS),
      ...mixed,
      // What nobody sends: behind the end it counts all the same for nobody.
      ...(given.isEnded ? [answered(sessionId, 4, [{ playerId: "a", ...LATE }])] : []),
    ]);
  });
}

/**
 * Kicks and bans. A name is somebody else's after a kick, who may have to go as well; outsiders come by
 * the same names.
 */
function removals(sessionId: string): fc.Arbitrary<Published[]> {
  const removal = fc.record({
    playerId: fc.constantFrom(...PLAYERS),
    banned: fc.boolean(),
    heir: fc.option(fc.record({ banned: fc.option(fc.boolean()) })),
  });
  const differ = { selector: ({ playerId }: { playerId: string }) => playerId };
  return fc.uniqueArray(removal, { maxLength: 4, ...differ }).map((list) =>
    list.flatMap(({ playerId, banned, heir }) => {
      const gone = removed(sessionId, playerId, { banned });
      if (banned || !heir) return [gone];
      const heirId = `${playerId}-heir`;
      const name = nickname(playerId);
      return [
        gone,
        joinedUnder(sessionId, heirId, name),
        ...(heir.banned === null
          ? []
          : [removed(sessionId, heirId, { name, banned: heir.banned })]),
      ];
    }),
  );
}

/** Outside scores, also for players of ours, twice, and for rounds that never come; and garbage. */
const outsiders: fc.Arbitrary<Published[]> = fc.array(
  fc
    .record({
      sessionId: fc.constantFrom(...SESSIONS),
      round: fc.integer({ min: 0, max: 5 }),
      playerId: fc.constantFrom("a", "b", "someusername", "NICK_a", "nick_b_CAPITAL"),
      payload: fc.constantFrom("20", "-5", "0", "garbage"),
    })
    .map((each) => outside(each.sessionId, each.round, each.playerId, each.payload)),
  { maxLength: 8 },
);

/** A whole log. Each session may be played twice under its id. */
export const log: fc.Arbitrary<Published[]> = fc
  .tuple(
    ...SESSIONS.map((id) =>
      fc
        .tuple(session(id), fc.option(session(id)))
        .map(([first, second]) => [
          ...first,
          ...(second
            ? [created(id), ...second.filter(({ subject }) => !/_session$/.test(subject))]
            : []),
        ]),
    ),
    outsiders,
  )
  .chain(mix);

/** One round of answers to a session, once as it is and once in another order. */
export const sameRoundTwice: fc.Arbitrary<{ one: Published[]; other: Published[] }> = fc
  .tuple(round("quiz_1", 1), round("quiz_1", 2))
  .chain((rounds) =>
    fc.tuple(...rounds.map((entries) => reorder(entries))).map((others) => ({
      one: [created("quiz_1"), ...rounds.flat()],
      other: [created("quiz_1"), ...others.flat()],
    })),
  );

/** Any order, but the close stays last. */
function reorder(entries: Published[]): fc.Arbitrary<Published[]> {
  const scores = entries.slice(0, -1);
  return fc
    .shuffledSubarray(scores, { minLength: scores.length })
    .map((shuffled) => [...shuffled, ...entries.slice(-1)]);
}

/** Interleaves the lists; each keeps its own order. */
function mix(lists: Published[][]): fc.Arbitrary<Published[]> {
  const turns = lists.flatMap((list, i) => list.map(() => i));
  return fc.shuffledSubarray(turns, { minLength: turns.length }).map((order) => {
    const left = lists.map((list) => [...list]);
    return order.flatMap((i) => left[i]?.shift() ?? []);
  });
}

/** Cuts a list into batches. */
export function chunks<T>(list: readonly T[]): fc.Arbitrary<T[][]> {
  return fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 30 }).map((sizes) => {
    const batches: T[][] = [];
    for (let from = 0, i = 0; from < list.length; i++) {
      const size = sizes[i % sizes.length] ?? 1;
      batches.push(list.slice(from, from + size));
      from += size;
    }
    return batches;
  });
}
