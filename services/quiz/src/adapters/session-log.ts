/**
 * A session's part of the log as one quiz pod writes it: its player lanes, the answer lanes of its
 * rounds, and the single entries around them.
 */
import { create } from "@bufbuild/protobuf";
import { type Bus, isWrongLastSequence } from "@fanfare/common/bus";
import { unavailable } from "@fanfare/common/errors";
import type { Span } from "@fanfare/common/tracing";
import {
  laneOf,
  storedPlayerSubjects,
  subjectForAnswers,
  subjectForPlayers,
  subjectForRemovals,
  subjectForRoundClosed,
  subjectForSessionCreated,
  subjectForSessionEnded,
} from "@fanfare/proto/addresses";
import {
  type PlayerChange,
  PlayerRemovedSchema,
  RoundClosedSchema,
  type ScoredAnswer,
  SessionEndedSchema,
} from "@fanfare/proto/events/v1/events";
import type { PlayerStatus } from "@fanfare/proto/quiz/v1/quiz_service";
import type { Session } from "@fanfare/proto/quiz/v1/session";
import { AnswerFold, type AnswerVerdict } from "../domain/answer-fold.js";
import { type KnownPlayer, PlayerFold, type PlayerVerdict } from "../domain/player-fold.js";
import type { AnswerLane, SessionLog } from "../domain/ports.js";
import { answerCodec, encodeJson, playerCodec } from "./entry-codecs.js";
import { FencedLane, type LaneCounters } from "./fenced-lane.js";
import { lastSequence, lastStored } from "./lane-reader.js";
import type { PastLanes } from "./past-lanes.js";
import { SeatMoves } from "./seat-moves.js";

export class FencedAnswers
  extends FencedLane<ScoredAnswer, ScoredAnswer, AnswerVerdict, AnswerFold>
  implements AnswerLane
{
  find(playerId: string): ScoredAnswer | undefined {
    return this.fold.get(playerId);
  }

  positionOf(playerId: string): number {
    return this.fold.positionOf(playerId);
  }

  get closed(): boolean {
    return this.fold.closed;
  }
}

/** How long a join looks for a seat in the last moments before a session is full. */
const SEAT_WITHIN_MS = 3_000;
const NOT_FOUND: PlayerVerdict = { kind: "notFound" };

type PlayerLane = FencedLane<PlayerChange, PlayerChange, PlayerVerdict, PlayerFold>;

export class JetStreamSessionLog implements SessionLog {
  readonly #players: PlayerLane[] = [];
  readonly #seats: SeatMoves;
  readonly #rounds = new Map<number, FencedAnswers[]>();
  readonly #start: number;
  readonly #lanes: number;

  constructor(
    private readonly bus: Bus,
    private readonly session: Session,
    private readonly counters: LaneCounters,
    private readonly past: PastLanes<FencedAnswers>,
  ) {
    this.#start = Number(session.logStart);
    this.#lanes = session.options?.lanes ?? 1;
    const { playersMax = 0 } = session.options ?? {};
    for (let lane = 0; lane < this.#lanes; lane++)
      this.#players.push(
        new FencedLane(
          bus,
          subjectForPlayers(session.sessionId, lane),
          this.#start,
          this.#isNewest,
          new PlayerFold(shareOf(playersMax, lane, this.#lanes)),
          playerCodec,
          counters,
        ),
      );
    this.#seats = new SeatMoves(this.#players);
  }

  get logStart(): bigint {
    return this.session.logStart;
  }

  async changePlayer(
    nicknameKey: string,
    change: PlayerChange,
    span?: Span,
  ): Promise<PlayerVerdict> {
    const number = laneOf(nicknameKey, this.#lanes);
    const deadline = performance.now() + SEAT_WITHIN_MS;
    for (;;) {
      const [verdict = NOT_FOUND] = await this.#playerLane(nicknameKey).submit([change], span);
      if (verdict.kind !== "full" || this.#lanes === 1) return verdict;
      // The lane is full, the session may not be. Others may be quicker to take what is brought.
      if (!(await this.#seats.bring(number))) return verdict;
      if (performance.now() > deadline) throw unavailable("a seat");
    }
  }

  /** Finds players; asks the log once for those that this pod has not heard of. */
  async findPlayers(playerIds: readonly string[]): Promise<(KnownPlayer | undefined)[]> {
    const find = (id: string) => this.#players.map(({ fold }) => fold.get(id)).find(Boolean);
    if (!playerIds.every(find)) await this.refreshPlayers();
    return playerIds.map(find);
  }

  async refreshPlayers(): Promise<void> {
    await Promise.all(this.#players.map((lane) => lane.refresh()));
  }

  /**
   * Players in the order of joining, from a place on, as the log has them now. Lanes are read one after
   * the other, so what came after the end that was asked for first is left to the next page.
   */
  async listPlayers(place: number, count: number) {
    const end = await lastStored(this.bus, storedPlayerSubjects(this.session.sessionId));
    await this.refreshPlayers();
    const folds = this.#players.map(({ fold }) => fold);
    const total = folds.reduce((sum, fold) => sum + fold.sizeAt(end), 0);
    const players = folds.flatMap((fold) => fold.after(place, count + 1, end));
    players.sort((a, b) => a.place - b.place);
    return { players: players.slice(0, count), more: players.length > count, total };
  }

  /** Who has this name now. */
  async playerByName(nicknameKey: string): Promise<KnownPlayer | undefined> {
    const lane = this.#playerLane(nicknameKey);
    await lane.refresh();
    return lane.fold.byName(nicknameKey);
  }

  /** Takes note of a removal that another pod has stored. */
  noteRemoval(playerId: string, status: PlayerStatus): void {
    for (const { fold } of this.#players) {
      const player = fold.get(playerId);
      if (player && player.status < status) player.status = status;
    }
  }

  /** Tells the gateways at once; the log has it already. */
  announceRemoval(player: KnownPlayer): void {
    const { playerId, nicknameKey, status } = player;
    const removed = create(PlayerRemovedSchema, { playerId, nicknameKey, status });
    this.bus.nc.publish(
      subjectForRemovals(this.session.sessionId),
      encodeJson(PlayerRemovedSchema, removed),
    );
  }

  answerLane(round: number, lane: number): FencedAnswers {
    const made = this.#round(round)[lane];
    if (!made) throw new RangeError(`the session has ${this.#lanes} lanes, not ${lane}`);
    return made;
  }

  async pastLane(round: number, lane: number): Promise<FencedAnswers | undefined> {
    const known = this.#rounds.get(round)?.[lane];
    if (known?.closed) return known;
    const key = `${this.session.sessionId} ${this.#start} ${round} ${lane}`;
    return this.past.get(key, () => this.#makeLane(round, lane));
  }

  laneOf(playerId: string): number {
    return laneOf(playerId, this.#lanes);
  }

  get lanes(): number {
    return this.#lanes;
  }

  /** Right answers in a row of a player up to a round that is closed. */
  async streaksAfter(round: number, lane: number): Promise<(playerId: string) => number> {
    if (round === 0) return () => 0;
    const before = this.answerLane(round, lane);
    if (!before.fold.closed) await before.refresh();
    return (playerId) => before.fold.get(playerId)?.streak ?? 0;
  }

  /** Closes all lanes of a round and stores the event behind them. Safe to repeat, from any pod. */
  async closeRound(round: number, choices: readonly string[]) {
    const lanes = this.#round(round);
    await Promise.all(lanes.map((lane) => lane.close()));
    let answers = 0;
    let points = 0;
    const counts = new Map<string, number>();
    for (const { fold } of lanes)
      for (const answer of fold.values()) {
        answers++;
        points += answer.points;
        for (const choice of answer.choices) counts.set(choice, (counts.get(choice) ?? 0) + 1);
      }
    const distribution = choices.map((choice) => ({
      $typeName: "quiz.v1.ChoiceCount" as const,
      choice,
      count: counts.get(choice) ?? 0,
    }));
    const event = create(RoundClosedSchema, { answers, points: BigInt(points), distribution });
    await this.#publishOnce(
      subjectForRoundClosed(this.session.sessionId, round),
      encodeJson(RoundClosedSchema, event),
    );
    return { answers, distribution };
  }

  /** Closes the player lanes and stores the session's last entry. Safe to repeat, from any pod. */
  async end(rounds: number): Promise<void> {
    const subject = subjectForSessionEnded(this.session.sessionId);
    if ((await this.#lastBefore(subject)) === undefined) return;
    // Without that a join that is held up on its way could land in the next session of this id.
    await Promise.all(this.#players.map((lane) => lane.close()));
    const ended = create(SessionEndedSchema, { rounds });
    await this.#publishOnce(subject, encodeJson(SessionEndedSchema, ended));
  }

  /** Keeps the lanes of this round and the one before; others are read again when asked for. */
  forgetRoundsBefore(round: number): void {
    for (const known of this.#rounds.keys()) if (known < round) this.#rounds.delete(known);
  }

  #playerLane(nicknameKey: string): PlayerLane {
    return this.#players[laneOf(nicknameKey, this.#lanes)] as PlayerLane;
  }

  #round(round: number): FencedAnswers[] {
    let lanes = this.#rounds.get(round);
    if (!lanes) {
      lanes = Array.from({ length: this.#lanes }, (_, lane) => this.#makeLane(round, lane));
      this.#rounds.set(round, lanes);
    }
    return lanes;
  }

  #makeLane(round: number, lane: number): FencedAnswers {
    return new FencedAnswers(
      this.bus,
      subjectForAnswers(this.session.sessionId, round, lane),
      this.#start,
      this.#isNewest,
      new AnswerFold(),
      answerCodec,
      this.counters,
    );
  }

  readonly #isNewest = async (): Promise<boolean> =>
    (await lastSequence(this.bus, subjectForSessionCreated(this.session.sessionId))) <= this.#start;

  /**
   * Last sequence of a single entry's subject; undefined where this session has the entry, or is no
   * longer the newest of its id.
   */
  async #lastBefore(subject: string): Promise<number | undefined> {
    const last = await lastSequence(this.bus, subject);
    if (last >= this.#start && last > 0) return undefined;
    return (await this.#isNewest()) ? last : undefined;
  }

  async #publishOnce(subject: string, data: Uint8Array): Promise<void> {
    for (;;) {
      const last = await this.#lastBefore(subject);
      if (last === undefined) return;
      try {
        await this.bus.js.publish(subject, data, { expect: { lastSubjectSequence: last } });
        return;
      } catch (error) {
        if (!isWrongLastSequence(error)) throw error;
      }
    }
  }
}

/** A lane's share of the seats: all shares together are exactly as many. */
function shareOf(seats: number, lane: number, lanes: number): number {
  return Math.floor(seats / lanes) + (lane < seats % lanes ? 1 : 0);
}
