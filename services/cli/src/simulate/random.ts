/** Randomness that a seed repeats: one stream for each thing, so that none disturbs another. */
import { fnv1a } from "@fanfare/proto/addresses";

/** Numbers from 0 to below 1 (mulberry32), the same for the same seed and name. */
export function randomStream(seed: number, name: string): () => number {
  let state = fnv1a(`${seed} ${name}`);
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One of a list that is not empty. */
export function pickOne<T>(list: readonly T[], random: () => number): T {
  const picked = list[Math.floor(random() * list.length)];
  if (picked === undefined) throw new Error("nothing to pick from");
  return picked;
}
