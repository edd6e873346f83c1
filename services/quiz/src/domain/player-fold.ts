/** The players of one lane of a session: who is in, whose name is whose, who had to go. */
import type {
  PlayerChange,
  PlayerJoined,
  PlayerRemoved,
  SeatsGiven,
  SeatsTaken,
} from "@fanfare/proto/events/v1/events";
import { PlayerStatus } from "@fanfare/proto/quiz/v1/quiz_service";
import type { LaneFold } from "./lane.js";

export interface KnownPlayer {
  playerId: string;
  nickname: string;
  nicknameKey: string;
  submissionId: string;
  status: PlayerStatus;
  /** Rises with every player of the session that joined later, in whichever lane. */
  place: number;
}

/** Changes of one entry, at most, that have a place of their own. */
const PLACES_OF_ENTRY = 1_024;

export type PlayerVerdict =
  /** `again`: by a join that was in the log before. */
  | { kind: "in"; player: KnownPlayer; again: boolean }
  | { kind: "nameTaken" }
  | { kind: "banned" }
  | { kind: "full" }
  | { kind: "removed"; player: KnownPlayer }
  /** The session is over, and its lanes are closed. */
  | { kind: "ended" }
  /** Seats were given to another lane, or taken from one. */
  | { kind: "moved"; seats: number }
  | { kind: "noSeats" }
  | { kind: "notFound" };

export class PlayerFold implements LaneFold<PlayerChange, PlayerChange, PlayerVerdict> {
  readonly #byId = new Map<string, KnownPlayer>();
  readonly #bySubmission = new Map<string, KnownPlayer>();
  /** In the order of joining, so by place. */
  readonly #joined: KnownPlayer[] = [];
  readonly #nameOwners = new Map<string, KnownPlayer>();
  readonly #bannedNames = new Set<string>();
  /** Seats that this lane gave away, by the move's id. */
  readonly given = new Map<string, SeatsGiven>();
  /** Moves whose seats this lane has taken. */
  readonly #taken = new Set<string>();
  #seats: number;
  closed = false;

  /** `seats` is this lane's share of the session's, until some are moved. */
  constructor(seats: number) {
    this.#seats = seats;
  }

  /** Seats that nobody sits on. */
  get free(): number {
    return this.#seats - this.#nameOwners.size;
  }

  hasTaken(moveId: string): boolean {
    return this.#taken.has(moveId);
  }

  decide({ change }: PlayerChange, ahead: readonly PlayerChange[]) {
    // An entry that holds a change of the same name decides first: the next entry takes this one.
    if (change.case === "joined") return this.#decideJoin(change.value, ahead);
    if (change.case === "removed") return this.#decideRemoval(change.value);
    if (change.case === "given") return this.#decideGift(change.value, ahead);
    if (change.case === "taken") return this.#decideTaking(change.value, ahead);
    return { verdict: { kind: "notFound" } as const };
  }

  #decideJoin(join: PlayerJoined, ahead: readonly PlayerChange[]) {
    const before = this.#bySubmission.get(join.submissionId);
    if (before?.nicknameKey === join.nicknameKey)
      return { verdict: { kind: "in", player: before, again: true } as const };
    if (this.closed) return { verdict: { kind: "ended" } as const };
    if (this.#bannedNames.has(join.nicknameKey)) return { verdict: { kind: "banned" } as const };
    for (const { change } of ahead) {
      if (change.case !== "joined" || change.value.nicknameKey !== join.nicknameKey) continue;
      const same = change.value.submissionId === join.submissionId;
      return {
        verdict: same
          ? ({ kind: "in", player: known(change.value), again: true } as const)
          : ({ kind: "nameTaken" } as const),
      };
    }
    // A removal that this pod has not read yet may have freed the name, or a place.
    if (this.#nameOwners.has(join.nicknameKey))
      return { verdict: { kind: "nameTaken" } as const, unsure: true };
    if (this.#freeAfter(ahead) <= 0) return { verdict: { kind: "full" } as const, unsure: true };
    return {
      change: {
        $typeName: "events.v1.PlayerChange",
        change: { case: "joined", value: join },
      } as const,
      verdict: { kind: "in", player: known(join), again: false } as const,
    };
  }

  #freeAfter(ahead: readonly PlayerChange[]): number {
    let free = this.free;
    for (const { change } of ahead) {
      if (change.case === "joined") free--;
      if (change.case === "given") free -= change.value.seats;
      if (change.case === "taken") free += change.value.seats;
    }
    return free;
  }

  /** Half of what is free, so that two lanes in need don't take it all from each other in turns. */
  #decideGift(wish: SeatsGiven, ahead: readonly PlayerChange[]) {
    if (this.closed) return { verdict: { kind: "ended" } as const };
    const seats = Math.min(wish.seats, Math.ceil(this.#freeAfter(ahead) / 2));
    if (seats < 1) return { verdict: { kind: "noSeats" } as const };
    const value = { ...wish, seats };
    return {
      change: { $typeName: "events.v1.PlayerChange", change: { case: "given", value } } as const,
      verdict: { kind: "moved", seats } as const,
    };
  }

  #decideTaking(value: SeatsTaken, ahead: readonly PlayerChange[]) {
    const { moveId, seats } = value;
    const verdict = { kind: "moved", seats } as const;
    const isAhead = ahead.some(
      ({ change }) => change.case === "taken" && change.value.moveId === moveId,
    );
    if (isAhead || this.#taken.has(moveId)) return { verdict };
    if (this.closed) return { verdict: { kind: "ended" } as const };
    return {
      change: { $typeName: "events.v1.PlayerChange", change: { case: "taken", value } } as const,
      verdict,
    };
  }

  #decideRemoval(removed: PlayerRemoved) {
    const player = this.#byId.get(removed.playerId);
    if (!player) return { verdict: { kind: "notFound" } as const, unsure: true };
    if (player.status >= removed.status) return { verdict: { kind: "removed", player } as const };
    // A name that has to go has to go from what stays, too.
    if (this.closed && removed.status !== PlayerStatus.BANNED)
      return { verdict: { kind: "ended" } as const };
    return {
      change: {
        $typeName: "events.v1.PlayerChange",
        change: { case: "removed", value: removed },
      } as const,
      verdict: { kind: "removed", player: { ...player, status: removed.status } } as const,
    };
  }

  apply(
    changes: readonly PlayerChange[],
    { closed, sequence }: { closed: boolean; sequence: number },
  ): void {
    if (closed) this.closed = true;
    for (const [index, { change }] of changes.entries()) {
      if (change.case === "joined") this.#join(change.value, placeOf(sequence, index));
      if (change.case === "removed") this.#remove(change.value.playerId, change.value.status);
      if (change.case === "given") this.#give(change.value);
      if (change.case === "taken") this.#take(change.value);
    }
  }

  get(playerId: string): KnownPlayer | undefined {
    return this.#byId.get(playerId);
  }

  byName(nicknameKey: string): KnownPlayer | undefined {
    return this.#nameOwners.get(nicknameKey);
  }

  /** The first `count` that joined after a place, up to the entry at `end`, in that order. */
  after(place: number, count: number, end: number): KnownPlayer[] {
    const from = firstAbove(this.#joined, place);
    const some = this.#joined.slice(from, from + count);
    return some.slice(0, firstAbove(some, placeOf(end, PLACES_OF_ENTRY - 1)));
  }

  /** How many joined up to the entry at `end`. */
  sizeAt(end: number): number {
    return firstAbove(this.#joined, placeOf(end, PLACES_OF_ENTRY - 1));
  }

  #join(joined: PlayerJoined, place: number): void {
    if (this.#byId.has(joined.playerId)) return;
    const player = known(joined, place);
    this.#byId.set(player.playerId, player);
    this.#joined.push(player);
    this.#bySubmission.set(player.submissionId, player);
    if (!this.#nameOwners.has(player.nicknameKey)) this.#nameOwners.set(player.nicknameKey, player);
  }

  #give(gift: SeatsGiven): void {
    if (this.given.has(gift.moveId)) return;
    this.given.set(gift.moveId, gift);
    this.#seats -= gift.seats;
  }

  #take({ moveId, seats }: SeatsTaken): void {
    if (this.#taken.has(moveId)) return;
    this.#taken.add(moveId);
    this.#seats += seats;
  }

  #remove(playerId: string, status: PlayerStatus): void {
    const player = this.#byId.get(playerId);
    if (!player) return;
    player.status = status;
    if (this.#nameOwners.get(player.nicknameKey) === player)
      this.#nameOwners.delete(player.nicknameKey);
    if (status === PlayerStatus.BANNED) this.#bannedNames.add(player.nicknameKey);
  }
}

/** `place` is not known before the entry is stored. */
function known(joined: PlayerJoined, place = 0): KnownPlayer {
  const { playerId, nickname, nicknameKey, submissionId } = joined;
  return { playerId, nickname, nicknameKey, submissionId, status: PlayerStatus.ACTIVE, place };
}

function placeOf(sequence: number, index: number): number {
  return sequence * PLACES_OF_ENTRY + Math.min(index, PLACES_OF_ENTRY - 1);
}

/** Where in a list by place the first one stands that is above `place`. */
function firstAbove(players: readonly KnownPlayer[], place: number): number {
  let [low, high] = [0, players.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((players[middle]?.place ?? 0) <= place) low = middle + 1;
    else high = middle;
  }
  return low;
}
