/** Reads boards from Redis: some rows at one moment, or everybody in slices. */
import { pause } from "@fanfare/common/lifecycle";
import { partitionOf, redisKeys } from "@fanfare/proto/addresses";
import { finalState, liveState } from "../domain/board-state.js";
import type { Board, Boards, FoundBoard, Row, Selection } from "../domain/ports.js";
import { RankTable } from "../domain/rank-table.js";
import { unpack } from "../domain/score-key.js";
import { prefixOf } from "./partition-keys.js";
import { fromRedis, type RedisCommands } from "./redis-connection.js";
import { loadScript, runScript } from "./redis-scripts.js";

const READ = loadScript("read-board");
const RAISE = loadScript("raise-epoch");
const PRUNE = loadScript("prune-sessions");
/** Rows that one command of a scan reads: some 2 ms of Redis' time. */
const SCAN_ROWS = 2_500;
/** Sessions that one call looks at for expired boards: some 0.1 ms of Redis' time. */
const PRUNED_AT_ONCE = 100;
/** While a large round is being revealed its board is half old, half new: a read waits for the end. */
const CLOSING_WAIT_MS = 20;
const CLOSING_WAITS_MAX = 25;

/** What says whether two reads of a board saw the same scores. */
export interface BoardState {
  epoch: string;
  /** Position in the log of the last change of visible scores. */
  scored: string;
  finalRound: number;
  /** A round is half revealed. */
  closing: boolean;
}

export class RedisBoards implements Boards {
  constructor(private readonly redis: RedisCommands) {}

  async read(sessionId: string, selection: Selection): Promise<FoundBoard> {
    for (let waits = 0; ; waits++) {
      const reply = await fromRedis(() => this.#readOnce(sessionId, selection));
      if (reply === null) return "no such board";
      if (reply[7] !== "1" || waits === CLOSING_WAITS_MAX) return toBoard(reply);
      await pause(CLOSING_WAIT_MS);
    }
  }

  /** Undefined where there is no board. */
  async state(sessionId: string): Promise<BoardState | undefined> {
    const key = redisKeys.board(sessionId);
    const [epoch, scored, finalRound, closing] = await fromRedis(() =>
      this.redis.hmget(key, "epoch", "scored", "finalRound", "closing"),
    );
    if (!epoch) return undefined;
    return {
      epoch,
      scored: scored ?? "0",
      finalRound: Number(finalRound ?? 0),
      closing: closing === "1",
    };
  }

  /** Everybody's rank, from one pass in slices. Scores that move meanwhile may be half in it. */
  async scan(sessionId: string): Promise<RankTable> {
    const table = new RankTable();
    let next = this.#slice(sessionId, 0);
    for (let from = 0; ; from += SCAN_ROWS) {
      const rows = await next;
      const isLast = rows.length < 2 * SCAN_ROWS;
      // Redis reads it while this one is put into the table.
      if (!isLast) next = this.#slice(sessionId, from + SCAN_ROWS);
      for (let i = 0; i < rows.length; i += 2)
        table.add(rows[i] ?? "", unpack(Number(rows[i + 1])).points);
      if (isLast) return table;
    }
  }

  /** Session ids that have a board in this partition; some may have expired. */
  async sessionsOf(partition: number): Promise<string[]> {
    return fromRedis(() => this.redis.smembers(redisKeys.sessions(partition)));
  }

  /** Forgets sessions of a partition whose boards have expired, as long as many of those drawn have. */
  async prune(partition: number): Promise<void> {
    const [keys, args] = [[redisKeys.sessions(partition)], [prefixOf(partition), PRUNED_AT_ONCE]];
    const prune = () => fromRedis(() => runScript(this.redis, PRUNE, keys, args));
    while (Number(await prune()) * 4 > PRUNED_AT_ONCE);
  }

  /** Gives the board an epoch greater than one that was shown, unless it has one. Safe to repeat. */
  async raiseEpoch(sessionId: string, shown: bigint): Promise<void> {
    const partition = partitionOf(sessionId);
    const keys = [redisKeys.position(partition), redisKeys.board(sessionId)];
    const args = [prefixOf(partition), String(shown)];
    await fromRedis(() => runScript(this.redis, RAISE, keys, args));
  }

  #slice(sessionId: string, from: number): Promise<string[]> {
    const to = `${from + SCAN_ROWS - 1}`;
    return fromRedis(() => this.redis.zrange(redisKeys.scores(sessionId), from, to, "WITHSCORES"));
  }

  #readOnce(sessionId: string, selection: Selection): Promise<ReadReply | null> {
    const keys = [
      redisKeys.board(sessionId),
      redisKeys.scores(sessionId),
      redisKeys.names(sessionId),
    ];
    return runScript(this.redis, READ, keys, [
      prefixOf(partitionOf(sessionId)),
      sessionId,
      selection.size,
      ...whereFrom(selection),
    ]) as Promise<ReadReply | null>;
  }
}

/** What read-board.lua replies. */
type ReadReply = [
  epoch: string,
  version: string,
  scored: string,
  finalRound: string,
  round: string,
  joined: string,
  ended: string,
  closing: string,
  answers: number,
  players: number,
  start: number,
  rows: string[],
  nicknames: (string | null)[],
  created: string,
];

function whereFrom(selection: Selection): (string | number)[] {
  switch (selection.kind) {
    case "top":
      return ["top"];
    case "after":
      return ["after", selection.rank];
    case "around":
      return ["around", selection.scorer, selection.before];
  }
}

function toBoard(reply: ReadReply): Board | "no such scorer" {
  const [epoch, version, , finalRound, round, joined, ended, , answers, players, start] = reply;
  if (start < 0) return "no such scorer";
  const [rows, nicknames] = [reply[11], reply[12]];
  return {
    state: stateOf(reply),
    epoch: BigInt(epoch),
    version: BigInt(version),
    finalRound: Number(finalRound),
    round: Number(round),
    answers,
    joined: Number(joined),
    ended: ended === "1",
    players,
    firstRank: start + 1,
    rows: nicknames.map(
      (nickname, i): Row => ({
        scorer: rows[2 * i] ?? "",
        nickname: nickname ?? "",
        ...unpack(Number(rows[2 * i + 1])),
      }),
    ),
  };
}

function stateOf(reply: ReadReply): string | undefined {
  const [, , scored, , , , ended, closing, , players] = reply;
  if (closing === "1") return undefined;
  return ended === "1" ? finalState(reply[13], players) : liveState(reply[13], scored);
}
