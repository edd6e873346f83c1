/** Two writers on one lane, whatever the order: one answer a player, one owner a name. */
import { create } from "@bufbuild/protobuf";
import {
  type PlayerChange,
  PlayerChangeSchema,
  type ScoredAnswer,
  ScoredAnswerSchema,
} from "@fanfare/proto/events/v1/events";
import fc from "fast-check";
import { expect, test } from "vitest";
import { AnswerFold } from "./answer-fold.js";
import type { LaneFold } from "./lane.js";
import { PlayerFold, type PlayerVerdict } from "./player-fold.js";

/**
 * Plays commands of two writers against one log with a fence: a writer that is behind is refused,
 * reads on and decides again, as adapters/fenced-lane.ts does.
 */
function race<C, V>(
  steps: { writer: 0 | 1; commands: C[] }[],
  make: () => LaneFold<C, C, V>,
): { log: C[][]; verdicts: V[] } {
  const writers = [make(), make()].map((fold) => ({ fold, read: 0 }));
  const log: C[][] = [];
  const verdicts: V[] = [];
  for (const { writer, commands } of steps) {
    const me = writers[writer];
    if (!me) continue;
    for (; me.read < log.length; me.read++)
      me.fold.apply(log[me.read] ?? [], { closed: false, sequence: me.read + 1 });
    const changes: C[] = [];
    for (const command of commands) {
      const decided = me.fold.decide(command, changes);
      if (decided.change !== undefined) changes.push(decided.change);
      verdicts.push(decided.verdict);
    }
    if (changes.length === 0) continue;
    log.push(changes);
    me.fold.apply(changes, { closed: false, sequence: log.length });
    me.read = log.length;
  }
  return { log, verdicts };
}

test("a player has one answer, and every verdict says which", () => {
  const command = fc.record({ player: fc.nat(5), submission: fc.nat(3) });
  const steps = fc.array(
    fc.record({ writer: fc.constantFrom(0 as const, 1 as const), commands: fc.array(command) }),
  );
  fc.assert(
    fc.property(steps, (given) => {
      const { log, verdicts } = race(
        given.map(({ writer, commands }) => ({
          writer,
          commands: commands.map(({ player, submission }) =>
            create(ScoredAnswerSchema, {
              playerId: `p${player}`,
              submissionId: `p${player}-${submission}`,
              points: submission,
            }),
          ),
        })),
        () => new AnswerFold() as LaneFold<ScoredAnswer, ScoredAnswer, unknown>,
      );
      const players = log.flat().map(({ playerId }) => playerId);
      expect(new Set(players).size).toBe(players.length);
      const stored = new Map(log.flat().map((answer) => [answer.playerId, answer]));
      for (const verdict of verdicts as { kind: string; answer?: ScoredAnswer }[])
        if (verdict.answer)
          expect(stored.get(verdict.answer.playerId)?.submissionId).toBe(
            verdict.answer.submissionId,
          );
    }),
  );
});

test("a name has one owner at a time", () => {
  const join = (name: number, submission: number): PlayerChange =>
    create(PlayerChangeSchema, {
      change: {
        case: "joined",
        value: {
          playerId: `${name}-${submission}`,
          nicknameKey: `n${name}`,
          submissionId: `${name}-${submission}`,
        },
      },
    });
  const command = fc.tuple(fc.nat(3), fc.nat(3));
  const steps = fc.array(
    fc.record({ writer: fc.constantFrom(0 as const, 1 as const), commands: fc.array(command) }),
  );
  fc.assert(
    fc.property(steps, (given) => {
      const { log } = race(
        given.map(({ writer, commands }) => ({
          writer,
          commands: commands.map(([name, submission]) => join(name, submission)),
        })),
        () => new PlayerFold(100) as LaneFold<PlayerChange, PlayerChange, unknown>,
      );
      const names = log
        .flat()
        .map(({ change }) => (change.case === "joined" ? change.value.nicknameKey : ""));
      expect(new Set(names).size).toBe(names.length);
    }),
  );
});

test("whatever lanes give each other and take twice, seats neither come from nowhere nor get lost", () => {
  const LANES = 3;
  const SEATS = 4;
  const step = fc.oneof(
    fc.record({ kind: fc.constant("join" as const), lane: fc.nat(LANES - 1) }),
    fc.record({
      kind: fc.constant("give" as const),
      lane: fc.nat(LANES - 1),
      to: fc.nat(LANES - 1),
      seats: fc.integer({ min: 1, max: 9 }),
    }),
    fc.record({ kind: fc.constant("take" as const), move: fc.nat(20) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const lanes = Array.from({ length: LANES }, () => new PlayerFold(SEATS));
      const moves: { moveId: string; seats: number; to: number }[] = [];
      let sequence = 0;
      let joined = 0;
      const submit = (lane: number, change: PlayerChange["change"]) => {
        const fold = lanes[lane] as PlayerFold as LaneFold<
          PlayerChange,
          PlayerChange,
          PlayerVerdict
        >;
        const decided = fold.decide(create(PlayerChangeSchema, { change }), []);
        const entry = { closed: false, sequence: ++sequence };
        if (decided.change) fold.apply([decided.change], entry);
        return decided.verdict;
      };
      for (const [i, each] of steps.entries()) {
        if (each.kind === "join") {
          const value = { playerId: `p${i}`, nicknameKey: `n${i}`, submissionId: `s${i}` };
          const verdict = submit(each.lane, { case: "joined", value } as PlayerChange["change"]);
          if (verdict.kind === "in") joined++;
        } else if (each.kind === "give") {
          const value = { moveId: `m${i}`, toLane: each.to, seats: each.seats };
          const verdict = submit(each.lane, { case: "given", value } as PlayerChange["change"]);
          if (verdict.kind === "moved")
            moves.push({ moveId: value.moveId, seats: verdict.seats, to: each.to });
        } else {
          const move = moves[each.move];
          if (!move) continue;
          const { moveId, seats, to } = move;
          submit(to, { case: "taken", value: { moveId, seats } } as PlayerChange["change"]);
        }
      }
      const underway = moves.filter(({ moveId, to }) => !lanes[to]?.hasTaken(moveId));
      const free = lanes.reduce((sum, lane) => sum + lane.free, 0);
      const moving = underway.reduce((sum, { seats }) => sum + seats, 0);
      expect(joined + free + moving).toBe(LANES * SEATS);
      for (const lane of lanes) expect(lane.free).toBeGreaterThanOrEqual(0);
    }),
  );
});
