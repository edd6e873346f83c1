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
import { PlayerFold } from "./player-fold.js";

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
