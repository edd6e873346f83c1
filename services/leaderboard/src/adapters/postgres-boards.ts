/** Boards of ended sessions, from the final standings that the quiz service's history writer made. */
import type { OperationTimes } from "@fanfare/common/operation-times";
import type { Sql } from "@fanfare/common/postgres";
import { finalState } from "../domain/board-state.js";
import type { Boards, FoundBoard, Row, Selection } from "../domain/ports.js";
import { RankTable } from "../domain/rank-table.js";
import { fromPostgres } from "./postgres-reads.js";
import type { FinalBoards } from "./rank-cache.js";

/** Largest of its column: nobody stands behind it. */
const PLACE_MAX = 2 ** 31 - 1;

type PlacedRow = Row & { place: number };

export class PostgresBoards implements Boards, FinalBoards {
  constructor(
    private readonly sql: Sql,
    private readonly times: OperationTimes,
  ) {}

  /** A timed read; `none` where nothing can be there yet. */
  #from<T>(none: T, operation: string, read: () => Promise<T>): Promise<T> {
    return fromPostgres(none, () => this.times.time(operation, read));
  }

  async read(sessionId: string, selection: Selection): Promise<FoundBoard> {
    const ended = await this.ended(sessionId);
    if (!ended) return "no such board";
    const rows = await this.#rows(sessionId, ended.logStart, selection);
    if (!rows) return "no such scorer";
    return {
      state: finalState(ended.created ? sequenceOf(ended.logStart) : 0n, ended.players),
      epoch: 0n,
      version: 0n,
      finalRound: ended.rounds,
      round: ended.rounds,
      answers: 0,
      joined: ended.players,
      ended: true,
      players: ended.players,
      // Places are ranks.
      firstRank: rows[0]?.place ?? 1,
      rows,
    };
  }

  /** The latest session of this id, once its final standings are there. */
  ended(sessionId: string) {
    return this.#from(undefined, "ended session", async () => {
      const [session] = await this.sql<
        { logStart: string; created: boolean; rounds: number; isFinal: boolean; players: number }[]
      >`
        SELECT log_start AS "logStart", created, rounds, finalized_at IS NOT NULL AS "isFinal",
               coalesce((SELECT place FROM quiz.final_standings f
                          WHERE f.session_id = s.session_id AND f.log_start = s.log_start
                          ORDER BY place DESC LIMIT 1), 0) AS players
          FROM quiz.sessions s
         WHERE session_id = ${sessionId}
         ORDER BY log_start DESC
         LIMIT 1`;
      return session?.isFinal ? session : undefined;
    });
  }

  ranks(sessionId: string, logStart: string): Promise<RankTable> {
    return this.#from(new RankTable(), "ranks", async () => {
      const table = new RankTable();
      const rows = this.sql<{ scorer: string; points: number }[]>`
        SELECT player_id AS scorer, points FROM quiz.final_standings
         WHERE session_id = ${sessionId} AND log_start = ${logStart} ORDER BY place`;
      for (const { scorer, points } of await rows) table.add(scorer, points);
      return table;
    });
  }

  /** Undefined where the asked player has no row. */
  async #rows(
    sessionId: string,
    logStart: string,
    selection: Selection,
  ): Promise<PlacedRow[] | undefined> {
    const { sql } = this;
    const from = await this.#firstPlace(sessionId, logStart, selection);
    if (from === undefined) return undefined;
    return this.#from<PlacedRow[]>([], "board rows", async () => {
      const rows = await sql<PlacedRow[]>`
        SELECT place, player_id AS scorer, nickname, points, elapsed_ms::float8 AS "elapsedMs"
          FROM quiz.final_standings
         WHERE session_id = ${sessionId} AND log_start = ${logStart} AND place >= ${from}
         ORDER BY place
         LIMIT ${selection.size}`;
      return [...rows];
    });
  }

  async #firstPlace(
    sessionId: string,
    logStart: string,
    selection: Selection,
  ): Promise<number | undefined> {
    const { sql } = this;
    if (selection.kind === "top") return 1;
    if (selection.kind === "after") return Math.min(selection.rank + 1, PLACE_MAX);
    return this.#from(undefined, "own place", async () => {
      const [own] = await sql<{ place: number }[]>`
        SELECT place FROM quiz.final_standings
         WHERE session_id = ${sessionId} AND log_start = ${logStart}
           AND player_id = ${selection.scorer}`;
      return own && Math.max(1, own.place - selection.before);
    });
  }
}

/** Of a place that the history writer gives a session (quiz/migrations/0001_history.sql). */
function sequenceOf(logStart: string): bigint {
  return BigInt(logStart) % 2n ** 42n;
}
