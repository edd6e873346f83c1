/** One process's share of a load, from its first join to the end of its sessions. */
import { setTimeout as delay } from "node:timers/promises";
import { actAt, nowMs } from "../crowd/clock.js";
import { skillOf } from "../simulate/plan.js";
import { pickOne, randomStream } from "../simulate/random.js";
import type { CastPlan, CastProgress, CastReport } from "./cast-plan.js";
import { LoadPlayer } from "./load-player.js";
import { RIGHT, WRONG } from "./load-quiz.js";
import { type OpenQuestion, Scene } from "./scene.js";
import { dueAt, isSlow, leaveTimes, numbersOf, reactionMs } from "./schedule.js";
import { Tally } from "./tally.js";
import { Watcher } from "./watcher.js";

const SECOND_MS = 1_000;
const POLL_MS = 100;

/** Resolves when every player has seen its session's end and owes nothing, or time is up. */
export async function play(
  plan: CastPlan,
  onProgress: (progress: CastProgress) => void,
  signal: AbortSignal,
): Promise<CastReport> {
  const cast = new Cast(plan, signal);
  const seconds = setInterval(() => {
    onProgress(cast.tally.takeSecond(Math.floor((nowMs() - plan.beginAt) / SECOND_MS)));
  }, SECOND_MS);
  try {
    await cast.untilOver();
    onProgress(cast.tally.takeSecond(Math.floor((nowMs() - plan.beginAt) / SECOND_MS)));
    return cast.tally.report(cast.missing());
  } finally {
    clearInterval(seconds);
    cast.end();
  }
}

class Cast {
  readonly tally = new Tally();
  readonly #scenes: Scene[];
  readonly #players: LoadPlayer[] = [];
  readonly #numbers: number[];
  readonly #watchers: Watcher[] = [];
  readonly #over = new AbortController();
  readonly #signal: AbortSignal;

  constructor(
    private readonly plan: CastPlan,
    signal: AbortSignal,
  ) {
    this.#signal = AbortSignal.any([signal, this.#over.signal]);
    this.#numbers = numbersOf(plan.players, plan);
    this.#scenes = plan.sessions.map(
      (sessionId) =>
        new Scene(sessionId, this.tally, (question, scene) => this.#asked(question, scene)),
    );
    const urls = plan.urls.map((url) => new URL("/v1/socket", url));
    for (const number of this.#numbers) this.#players.push(this.#player(number, urls));
    this.#makeWatchers();
  }

  async untilOver(): Promise<void> {
    const { beginAt, limitMs, joinsPerSecond } = this.plan;
    const joins = this.#numbers.map((number) => dueAt(number, joinsPerSecond, beginAt));
    void this.#watch();
    await actAt(
      joins,
      (i, due) => {
        this.tally.late(nowMs() - due);
        this.#players[i]?.join(due);
      },
      this.#signal,
    );
    void this.#leaveAndReturn();
    const until = beginAt + limitMs;
    while (!this.#signal.aborted && nowMs() < until && !this.#players.every((p) => p.isDone))
      await delay(POLL_MS);
  }

  missing(): Record<string, number> {
    const missing: Record<string, number> = {};
    for (const { hasJoined, why } of this.#players)
      if (!hasJoined) missing[why] = (missing[why] ?? 0) + 1;
    return missing;
  }

  end(): void {
    this.#over.abort();
    for (const each of [...this.#players, ...this.#watchers]) each.end();
  }

  #player(number: number, urls: readonly URL[]): LoadPlayer {
    const { plan, tally } = this;
    const { seed, run, slowShare, slowMs, awayMs } = plan;
    const scene = this.#scenes[number % this.#scenes.length];
    if (!scene) throw new Error("a load needs a session");
    const name = `${run}-${number}`;
    const skill = skillOf(seed, number);
    return new LoadPlayer({
      number,
      name,
      urls,
      scene,
      tally,
      slowMs: isSlow(seed, name, slowShare) ? slowMs : 0,
      awayMs,
      choose: (round) => {
        const random = randomStream(seed, `choice ${round} ${number}`);
        return random() < skill ? RIGHT : pickOne(WRONG, random);
      },
    });
  }

  #makeWatchers(): void {
    const { plan, tally } = this;
    const { urls, sessions, seed, slowShare, slowMs } = plan;
    const slow = (name: string) => (isSlow(seed, name, slowShare) ? slowMs : 0);
    const at = <T>(list: readonly T[], n: number) => list[n % list.length] as T;
    for (const n of numbersOf(plan.spectators, plan)) {
      const hello = JSON.stringify({ hello: { protocolVersion: 1, watch: at(sessions, n) } });
      const url = new URL("/v1/socket", at(urls, n));
      this.#watchers.push(new Watcher({ url, hello, tally, slowMs: slow(`s${n}`) }));
    }
    for (const n of numbersOf(plan.watchers, plan)) {
      const url = new URL(`/livescore/${at(sessions, n)}`, at(urls, n));
      this.#watchers.push(new Watcher({ url, tally, slowMs: slow(`w${n}`) }));
    }
  }

  /** Those who look on come at the rate of the players, beside them. */
  async #watch(): Promise<void> {
    const { beginAt, joinsPerSecond, part, parts } = this.plan;
    const times = this.#watchers.map((_, i) => dueAt(part + i * parts, joinsPerSecond, beginAt));
    await actAt(times, (i) => this.#watchers[i]?.watch(), this.#signal);
  }

  async #leaveAndReturn(): Promise<void> {
    const random = randomStream(this.plan.seed, `leaves of part ${this.plan.part}`);
    if (this.#players.length === 0) return;
    const leaveOne = () => pickOne(this.#players, random).leave();
    await actAt(leaveTimes(this.plan, nowMs()), leaveOne, this.#signal);
  }

  /** A question is there: when each of its players answers is fixed now. */
  #asked({ round, openedAt, timeLimitMs }: OpenQuestion, scene: Scene): void {
    const { reaction, seed } = this.plan;
    const answers: { due: number; player: LoadPlayer }[] = [];
    for (const [i, number] of this.#numbers.entries()) {
      const player = this.#players[i];
      if (!player || this.#scenes[number % this.#scenes.length] !== scene) continue;
      const ms = reactionMs(reaction, { seed, round, player: number }, timeLimitMs);
      if (ms !== undefined) answers.push({ due: openedAt + ms, player });
    }
    answers.sort((a, b) => a.due - b.due);
    const act = (i: number, due: number) => {
      this.tally.late(nowMs() - due);
      answers[i]?.player.answer(round, due);
    };
    void actAt(
      answers.map(({ due }) => due),
      act,
      this.#signal,
    );
  }
}
