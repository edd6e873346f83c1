/**
 * One session as this gateway follows it, while somebody here is in it: its record, its board, who
 * is here, and what all of them are told. It knows no rule of the game.
 */
import type { Span } from "@fanfare/common/tracing";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import type { LeaderboardChanged, PlayerRemoved } from "@fanfare/proto/events/v1/events";
import { PlayerStatus } from "@fanfare/proto/quiz/v1/quiz_service";
import { Phase, type Session } from "@fanfare/proto/quiz/v1/session";
import { CLOSE } from "../close-codes.js";
import { Announcer } from "./announcer.js";
import { AnswerClock } from "./answer-clock.js";
import { AwayPlayers } from "./attendance.js";
import type { Client } from "./client.js";
import type { Frame } from "./frame-codec.js";
import { LiveScores } from "./live-scores.js";
import { Milestones } from "./milestones.js";
import type { RoomListener, RoomParts, RoomSource } from "./ports.js";
import { RoomBoard } from "./room-board.js";
import { endedFrame } from "./room-frames.js";
import { isAnotherSession, isOverdue, RoomReader } from "./room-reader.js";
import { Roster } from "./roster.js";
import { Scene } from "./scene.js";

/** Counts: lobby at most twice a second, progress four times, boards ten times. */
const LOBBY_EVERY_MS = 500;
const PROGRESS_EVERY_MS = 250;
const BOARD_EVERY_MS = 100;
/**
 * In a large room they come less often, so that acknowledgements keep their share of the core: at
 * most 5,000 writes a second go into the count of a lobby, 33,000 into a board.
 */
const LOBBY_MS_PER_PLAYER = 0.2;
const BOARD_MS_PER_PLAYER = 0.03;

export class Room implements RoomListener {
  readonly players = new Map<string, Client>();
  readonly away = new AwayPlayers();
  readonly hosts = new Set<Client>();
  readonly spectators = new Set<Client>();
  readonly answerClock = new AnswerClock();
  readonly roster = new Roster();
  readonly liveScores: LiveScores;
  /** All who are in by the frame socket; those of them who see counts. */
  readonly topics: { all: string; watchers: string };
  session: Session | undefined;
  /** Hellos on their way in: the room must not close before them. */
  guests = 0;
  emptySince = performance.now();
  #revision = 0;
  #ended: Frame | undefined;
  readonly #reader = new RoomReader();
  readonly #board: RoomBoard;
  readonly #scene: Scene;
  readonly #milestones = new Milestones();
  readonly #announcer: Announcer<"lobby" | "progress" | "board">;

  constructor(
    readonly sessionId: string,
    private readonly parts: RoomParts,
  ) {
    this.topics = { all: `${sessionId}/all`, watchers: `${sessionId}/watch` };
    this.liveScores = new LiveScores(sessionId, parts);
    this.#board = new RoomBoard(parts.encoder);
    this.#scene = new Scene(parts.encoder);
    const pace = (everyMs: number, msPerPlayer: number) => () =>
      Math.max(everyMs, this.players.size * msPerPlayer);
    this.#announcer = new Announcer(parts.out, parts.tickMs, {
      lobby: { everyMs: pace(LOBBY_EVERY_MS, LOBBY_MS_PER_PLAYER), say: () => this.#sayLobby() },
      progress: { everyMs: () => PROGRESS_EVERY_MS, say: () => this.#sayProgress() },
      board: { everyMs: pace(BOARD_EVERY_MS, BOARD_MS_PER_PLAYER), say: () => this.#sayBoard() },
    });
  }

  follow(source: RoomSource): void {
    this.#reader.follow(source);
  }

  /** Resolves once record and board have been read. Fails with UNAVAILABLE; the next call tries again. */
  ready(): Promise<void> {
    return this.#reader.ready();
  }

  /** Reads record and board again: something may have been missed. Fails with UNAVAILABLE. */
  read(): Promise<void> {
    return this.#reader.read();
  }

  close(): void {
    this.#announcer.close();
    this.liveScores.close();
    this.#reader.close();
  }

  get size(): number {
    return this.players.size + this.#watchers + this.liveScores.sockets;
  }

  get #watchers(): number {
    return this.hosts.size + this.spectators.size;
  }

  /** Whether there is anything to follow: a record, or scores that outsiders published. */
  get isKnown(): boolean {
    return this.session !== undefined || this.board !== undefined;
  }

  /** The board of this session, as far as it is known. */
  get board(): LeaderboardChanged | undefined {
    return this.#board.of(this.session);
  }

  get isStale(): boolean {
    return this.#board.isStale;
  }

  /** To be called every half second; says whether the record has to be read again. */
  check(now: number): "overdue" | "fine" {
    if (this.#milestones.isLate(this.board?.finalRound ?? 0, now)) this.markStale();
    this.#sayEndedIfDue(now);
    const isLate = isOverdue(this.session, this.parts.clock.now());
    return this.#reader.isDue(now, isLate) ? "overdue" : "fine";
  }

  /** Lets a player in; an older connection of the same player has to go. */
  enterPlayer(client: Client): void {
    const older = this.players.get(client.playerId);
    this.players.set(client.playerId, client);
    this.away.back(client.playerId);
    if (older && older !== client) older.end(CLOSE.replaced, "a newer connection took over");
    this.#enter(client, this.topics.all);
  }

  enterHost(client: Client): void {
    this.hosts.add(client);
    this.#enter(client, this.topics.all, this.topics.watchers);
    this.parts.duties.namesDue(this);
  }

  enterSpectator(client: Client): void {
    this.spectators.add(client);
    this.#enter(client, this.topics.all, this.topics.watchers);
  }

  /** Returns the first frames. */
  enterLiveScore(client: Client, limit: number): Frame[] {
    client.room = this;
    return this.liveScores.firstFrames(client, limit);
  }

  #enter(client: Client, ...topics: string[]): void {
    client.room = this;
    for (const topic of topics) client.subscribe(topic);
  }

  leave(client: Client): void {
    if (client.role === "liveScore") this.liveScores.leave(client);
    if (this.players.get(client.playerId) === client) {
      this.players.delete(client.playerId);
      this.away.left(client, performance.now());
    }
    if (this.hosts.delete(client)) this.roster.forget(client);
    this.spectators.delete(client);
    if (this.size === 0) this.emptySince = performance.now();
  }

  /** What brings somebody up to date who comes now, in order. Watchers see counts in every phase. */
  catchUp(who: "player" | "watcher"): Frame[] {
    const { session } = this;
    const watches = who === "watcher";
    const seesLobby = watches || session?.phase === Phase.LOBBY;
    const lobby = session && seesLobby ? this.#board.lobbyFrame(session) : undefined;
    const progress = watches ? this.#board.progressFrame(session) : undefined;
    const scene = [...this.#scene.frames(), progress, this.#board.frame(session), this.#ended];
    return [lobby, ...scene].filter((frame) => frame !== undefined);
  }

  onSession(session: Session | undefined, revision: number): void {
    if (revision <= this.#revision) return;
    this.#revision = revision;
    const before = this.session;
    if (before && isAnotherSession(before, session)) this.#beginAnew(session);
    this.session = session;
    const now = performance.now();
    this.answerClock.show(session, now, this.#reader.hasRead ? undefined : this.parts.clock.now());
    const shown = this.#scene.show(session);
    for (const frame of shown) this.#announcer.say(this.topics.all, frame);
    if (shown.length > 0) this.#announcer.saySoon("progress");
    if (before?.locked !== session?.locked || before?.phase !== session?.phase)
      this.#announcer.saySoon("lobby");
    const round = this.#milestones.note(session, now, this.parts.clock.now());
    if (round > 0 && this.players.size > 0) {
      this.#milestones.resultsTold(round);
      this.parts.duties.resultsDue(this, round);
    }
    if (session?.phase !== before?.phase) {
      this.#ended = undefined;
      // The board of an ended session may have been here before its record was.
      this.#showLiveScores();
    }
    this.#sayEndedIfDue(now);
  }

  onBoard(board: LeaderboardChanged, span?: Span): void {
    const news = this.#board.take(board, this.session, this.#milestones.closedRound);
    if (!news) return;
    if (news.rows) this.#board.traced(span);
    if (news.rows || news.healed) this.#announcer.saySoon("board");
    if (news.answers) this.#announcer.saySoon("progress");
    if (news.joined) {
      this.#announcer.saySoon("lobby");
      if (this.hosts.size > 0) this.parts.duties.namesDue(this);
    }
    this.#showLiveScores();
    this.#sayEndedIfDue(performance.now(), true);
    if (news.healed && this.session?.phase === Phase.REVEAL)
      this.parts.duties.resultsDue(this, this.session.round);
  }

  onRemoved(removed: PlayerRemoved): void {
    if (this.roster.remove(removed.playerId)) this.parts.duties.namesDue(this);
    const banned = removed.status === PlayerStatus.BANNED;
    const client = this.players.get(removed.playerId);
    if (client) this.remove(client, banned ? ErrorReason.BANNED : ErrorReason.KICKED);
  }

  onTakeover(playerId: string, connection: string): void {
    const client = this.players.get(playerId);
    if (client && client.connection < connection)
      client.end(CLOSE.replaced, "a newer connection took over");
    // Whoever is behind has missed that the player came here.
    else if (client && client.connection > connection) this.parts.duties.seatHeld(this, client);
    this.away.back(playerId, connection);
  }

  /** Tells a player that a host removed it. */
  remove(client: Client, reason: ErrorReason): void {
    client.send(this.parts.encoder.encode({ case: "removed", value: { reason } }));
    client.end(CLOSE.removed, "removed by a host");
    this.away.back(client.playerId);
  }

  /** The leaderboard can't be reached: its last rows are marked, once. */
  markStale(): void {
    if (this.#board.markStale()) this.#announcer.saySoon("board");
  }

  /** The record belongs to another session of this id, or to none: nobody's place here holds. */
  #beginAnew(session: Session | undefined): void {
    const [code, why] = session
      ? ([CLOSE.beganAnew, "a new session began"] as const)
      : ([CLOSE.sessionGone, "the session was deleted"] as const);
    for (const client of this.players.values()) client.end(CLOSE.sessionGone, why);
    for (const client of [...this.hosts, ...this.spectators]) client.end(code, why);
    this.#milestones.forget();
    this.#board.forget();
    this.roster.clear();
    this.liveScores.show(undefined, session);
    this.away.clear();
  }

  #sayLobby(): void {
    this.#board.countsChanged();
    const { session } = this;
    const inLobby = session?.phase === Phase.LOBBY;
    if (!session || (!inLobby && this.#watchers === 0)) return;
    const topic = inLobby ? this.topics.all : this.topics.watchers;
    this.parts.out.publish(topic, this.#board.lobbyFrame(session));
  }

  #sayProgress(): void {
    const frame = this.#watchers > 0 ? this.#board.progressFrame(this.session) : undefined;
    if (frame) this.parts.out.publish(this.topics.watchers, frame);
  }

  #sayBoard(): void {
    this.#board.rowsChanged();
    const here = this.players.size + this.#watchers > 0;
    const frame = here ? this.#board.frame(this.session) : undefined;
    const { sinceMs, span } = this.#board.shown();
    if (!frame) return;
    this.parts.out.publish(this.topics.all, frame);
    if (sinceMs !== undefined) this.parts.duties.boardShown(sinceMs, span);
  }

  #showLiveScores(): void {
    this.liveScores.show(this.board, this.session);
    if (this.liveScores.wideRowsWanted() > 0) this.parts.duties.wideRowsDue(this);
  }

  #sayEndedIfDue(now: number, isNewBoard = false): void {
    const last = this.board?.ended ?? false;
    if (!this.#milestones.isPodiumDue(last, now, isNewBoard)) return;
    this.#milestones.podiumShown(last);
    const frame = this.parts.encoder.encode(endedFrame(this.sessionId, this.board));
    if (frame.text !== this.#ended?.text) this.#announcer.say(this.topics.all, frame);
    this.#ended = frame;
  }
}
