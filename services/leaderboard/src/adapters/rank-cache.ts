/**
 * Ranks of everybody: made by one scan of a board, kept until its scores change, and shared by all
 * who ask meanwhile. The table of the round before stays, to say who won places.
 */
import type { Metrics } from "@fanfare/common/metrics";
import type { Ranks, RankTables } from "../domain/ports.js";
import type { RankTable } from "../domain/rank-table.js";
import { orElse } from "./layered-boards.js";
import type { BoardState } from "./redis-boards.js";

/** Players in all tables that are kept, some 100 bytes each. */
const PLAYERS_KEPT_MAX = 500_000;
/** What a table costs beside its players, in players: one without any is something to keep, too. */
const TABLE_COST = 20;
/** Scans of a board whose scores move under them, before the last one has to do. */
const SCANS_MAX = 3;

/** The boards of live sessions. */
export interface LiveBoards {
  /** Undefined where there is no board. */
  state(sessionId: string): Promise<BoardState | undefined>;
  scan(sessionId: string): Promise<RankTable>;
}

/** The boards of ended sessions. */
export interface FinalBoards {
  /** Position in the log where the session began, and its rounds; undefined if it has not ended. */
  ended(sessionId: string): Promise<{ logStart: string; rounds: number } | undefined>;
  ranks(sessionId: string, logStart: string): Promise<RankTable>;
}

interface Kept extends Ranks {
  /** Same key, same scores. */
  key: string;
}

export class RankCache implements RankTables {
  /** In the order of last use. */
  readonly #kept = new Map<string, Kept>();
  readonly #scans = new Map<string, Promise<Kept>>();
  /** Of all that is kept, in players. */
  #cost = 0;

  constructor(
    private readonly live: LiveBoards,
    private readonly final: FinalBoards,
    private readonly metrics: Pick<Metrics, "limitHits">,
  ) {}

  async ranksOf(sessionId: string): Promise<Ranks | undefined> {
    return orElse(
      async () => {
        const state = await this.live.state(sessionId);
        return state && this.#cached(sessionId, liveKey(state), () => this.#scan(sessionId, state));
      },
      () => this.#finalRanks(sessionId),
    );
  }

  async #finalRanks(sessionId: string): Promise<Ranks | undefined> {
    const ended = await this.final.ended(sessionId);
    if (!ended) return undefined;
    const key = `final ${ended.logStart}`;
    return this.#cached(sessionId, key, async () => ({
      key,
      finalRound: ended.rounds,
      table: await this.final.ranks(sessionId, ended.logStart),
    }));
  }

  async #cached(sessionId: string, key: string, make: () => Promise<Kept>): Promise<Ranks> {
    const kept = this.#kept.get(sessionId);
    if (kept?.key === key) {
      this.#keep(sessionId, kept);
      return kept;
    }
    const flight = `${sessionId} ${key}`;
    let scan = this.#scans.get(flight);
    if (!scan) {
      scan = make().then((made) => this.#follow(sessionId, made));
      this.#scans.set(flight, scan);
      scan.finally(() => this.#scans.delete(flight)).catch(() => {});
    }
    return scan;
  }

  /** Scans until the scores stood still; a live board that never does gives its last scan. */
  async #scan(sessionId: string, first: BoardState): Promise<Kept> {
    let state = first;
    for (let scans = 1; ; scans++) {
      const table = await this.live.scan(sessionId);
      const after = (await this.live.state(sessionId)) ?? state;
      const stoodStill = liveKey(after) === liveKey(state) && !after.closing && !state.closing;
      const { finalRound } = state;
      const scores = { from: BigInt(state.scored), to: BigInt(after.scored) };
      if (stoodStill) return { key: liveKey(state), finalRound, table, scores };
      if (scans === SCANS_MAX) return { key: "moving", finalRound, table, scores };
      state = after;
    }
  }

  /** Keeps a new table, and the one of the round before. */
  #follow(sessionId: string, made: Kept): Kept {
    const previous = previousTable(this.#kept.get(sessionId), made);
    const ranks = previous ? { ...made, previous } : made;
    this.#keep(sessionId, ranks);
    return ranks;
  }

  #keep(sessionId: string, kept: Kept): void {
    this.#drop(sessionId);
    this.#kept.set(sessionId, kept);
    this.#cost += costOf(kept);
    for (const oldest of this.#kept.keys()) {
      if (this.#cost <= PLAYERS_KEPT_MAX || oldest === sessionId) return;
      this.#drop(oldest);
      this.metrics.limitHits.inc({ limit: "PLAYERS_KEPT_MAX" });
    }
  }

  #drop(sessionId: string): void {
    const kept = this.#kept.get(sessionId);
    if (!kept) return;
    this.#kept.delete(sessionId);
    this.#cost -= costOf(kept);
  }
}

function costOf({ table, previous }: Kept): number {
  return table.players + (previous?.players ?? 0) + TABLE_COST;
}

function liveKey({ epoch, scored }: BoardState): string {
  return `live ${epoch} ${scored}`;
}

/** The table of the round before `made`; undefined where it is not known. */
function previousTable(kept: Kept | undefined, made: Kept): RankTable | undefined {
  if (!kept || made.finalRound < kept.finalRound) return undefined;
  return made.finalRound > kept.finalRound ? kept.table : kept.previous;
}
