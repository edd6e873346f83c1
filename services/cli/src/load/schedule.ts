/**
 * Who does what when: fixed ahead and the same for the same seed, so that a server that is slow
 * delays no load (open loop). Pure.
 */
import { randomStream } from "../simulate/random.js";
import type { CastPlan, Reaction } from "./cast-plan.js";

type Share = Pick<CastPlan, "part" | "parts">;

/** Nobody answers in the last part of a round: that answer is one that does not come. */
const LAST_PART = 0.02;
const MS_PER_SECOND = 1_000;

/** The numbers below `total` that this process is. */
export function numbersOf(total: number, { part, parts }: Share): number[] {
  const count = Math.max(0, Math.ceil((total - part) / parts));
  return Array.from({ length: count }, (_, i) => part + i * parts);
}

/** When the n-th of all is due, at this rate over all processes. */
export function dueAt(n: number, perSecond: number, beginAt: number): number {
  return beginAt + (n * MS_PER_SECOND) / perSecond;
}

/** Times at which some player of this process drops its connection: without end, rising. */
export function* leaveTimes(
  { part, parts, resumesPerSecond }: Share & Pick<CastPlan, "resumesPerSecond">,
  from: number,
): Generator<number> {
  if (resumesPerSecond <= 0) return;
  for (let n = part; ; n += parts) yield dueAt(n + 1, resumesPerSecond, from);
}

/**
 * How long a player takes to answer a round, in ms; undefined for one who is not done in time.
 * Response times are log-normal (van der Linden, "A lognormal model for response times on test items",
 * Journal of Educational and Behavioral Statistics 31, 2006).
 */
export function reactionMs(
  reaction: Reaction,
  of: { seed: number; round: number; player: number },
  timeLimitMs: number,
): number | undefined {
  const random = randomStream(of.seed, `reaction ${of.round} ${of.player}`);
  const ms =
    reaction.kind === "even"
      ? random() * reaction.overMs
      : reaction.medianMs * Math.exp(reaction.sigma * normal(random));
  return ms <= timeLimitMs * (1 - LAST_PART) ? ms : undefined;
}

/** Whether a client is one of those that stop reading. */
export function isSlow(seed: number, name: string, share: number): boolean {
  return randomStream(seed, `slow ${name}`)() < share;
}

/** Box and Muller: normal with mean 0 and deviation 1. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
