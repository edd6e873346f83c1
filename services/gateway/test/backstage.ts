/**
 * What stands behind a gateway in these tests: a real NATS, and the two services' contract served
 * over real gRPC by a small stage director. Tests write records and boards as the services would.
 */
import { create, type MessageInitShape, toJsonString } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Bus, connectBus, openBucket } from "@fanfare/common/bus";
import { ServiceError } from "@fanfare/common/errors";
import { type CallContext, type Handlers, startGrpcServer } from "@fanfare/common/grpc-server";
import { Health } from "@fanfare/common/health";
import { Lifecycle } from "@fanfare/common/lifecycle";
import { createLogger } from "@fanfare/common/log";
import { type NatsServer, startNats } from "@fanfare/common/servers/nats";
import { type Role, Tokens } from "@fanfare/common/tokens";
import { nicknameKey, subjectForLeaderboard, subjectForRemovals } from "@fanfare/proto/addresses";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { LeaderboardChangedSchema, PlayerRemovedSchema } from "@fanfare/proto/events/v1/events";
import {
  LeaderboardService,
  type Standing,
} from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import {
  type Answer,
  PlayerStatus,
  QuizService,
  type StoredAnswer,
  StoredAnswerSchema,
} from "@fanfare/proto/quiz/v1/quiz_service";
import { Phase, type Session, SessionSchema } from "@fanfare/proto/quiz/v1/session";
import type { KV } from "@nats-io/kv";

export const SECRET = "a-secret-of-the-gateway-tests-0123456789";

type SessionFields = Partial<Omit<MessageInitShape<typeof SessionSchema>, "$typeName">>;
type BoardInit = MessageInitShape<typeof LeaderboardChangedSchema>;

interface StagedPlayer {
  playerId: string;
  nickname: string;
  submissionId: string;
  status: PlayerStatus;
}

/** One session as the stage director knows it. */
export class StagedSession {
  readonly players = new Map<string, StagedPlayer>();
  /** Stored answers by round and player. */
  readonly answers = new Map<string, StoredAnswer & { streak: number; elapsedMs: number }>();
  /** Right choices; they never leave before a test says so. */
  right = ["A"];
  record: SessionFields = {};
  standings: Standing[] = [];
  finalRound = 0;
}

/** What the services were asked, and how they are to behave. */
export class Director {
  readonly sessions = new Map<string, StagedSession>();
  readonly calls: string[] = [];
  /** Answer batches that arrived. */
  readonly batches: Answer[][] = [];
  /** Tokens' subjects of host commands. */
  readonly commandsBy: string[] = [];
  quizIsAway = false;
  leaderboardIsAway = false;
  /** Answers are held back until this resolves. */
  answersGate: Promise<void> = Promise.resolve();
  #playerCount = 0;

  session(sessionId: string): StagedSession {
    const session = this.sessions.get(sessionId);
    if (!session) throw new ServiceError(ErrorReason.SESSION_NOT_FOUND, "no session has this id");
    return session;
  }

  join(session: StagedSession, nickname: string, submissionId: string) {
    const same = [...session.players.values()].find(
      (each) => nicknameKey(each.nickname) === nicknameKey(nickname),
    );
    if (nickname.length > 24) return { refused: ErrorReason.NAME_INVALID };
    if (same && same.submissionId !== submissionId) return { refused: ErrorReason.NAME_TAKEN };
    const playerId = same?.playerId ?? `p${++this.#playerCount}`;
    const player = { playerId, nickname, submissionId, status: PlayerStatus.ACTIVE };
    if (!same) session.players.set(playerId, player);
    return { player };
  }

  submit(session: StagedSession, round: number, answer: Answer) {
    const player = session.players.get(answer.playerId);
    if (!player) return { refused: ErrorReason.PLAYER_NOT_FOUND };
    if (player.status === PlayerStatus.KICKED) return { refused: ErrorReason.KICKED };
    const key = `${round} ${answer.playerId}`;
    const known = session.answers.get(key);
    if (known && known.submissionId !== answer.submissionId)
      return { refused: ErrorReason.ALREADY_ANSWERED };
    const correct = answer.choices.join() === session.right.join();
    const { submissionId, choices, elapsedMs } = answer;
    const points = correct ? 900 : 0;
    const stored = create(StoredAnswerSchema, { round, choices, submissionId, points, correct });
    if (!known) session.answers.set(key, Object.assign(stored, { streak: 1, elapsedMs }));
    return { points, correct, streak: 1 };
  }
}

export class Backstage {
  readonly tokens = new Tokens([SECRET]);
  readonly director = new Director();
  #epoch = 1;
  #version = 0;

  private constructor(
    readonly nats: NatsServer,
    readonly bus: Bus,
    private readonly records: KV,
    readonly quizPort: number,
    readonly leaderboardPort: number,
    private readonly lifecycle: Lifecycle,
  ) {}

  static async open(): Promise<Backstage> {
    const nats = await startNats({ syncInterval: "2m" });
    const lifecycle = new Lifecycle(createLogger("backstage", "silent"));
    const bus = await connectBus({ url: nats.url, name: "backstage", replicas: 1 }, lifecycle);
    const records = await openBucket(bus, "sessions");
    // The director is made with the object, so the servers look it up when they are called.
    const stage: { director?: Director } = {};
    const director = () => {
      if (!stage.director) throw new Error("not open yet");
      return stage.director;
    };
    const server = (served: Parameters<typeof startGrpcServer>[0][number]) =>
      startGrpcServer(
        [served],
        {
          host: "127.0.0.1",
          port: 0,
          tokens: new Tokens([SECRET]),
          health: new Health(),
          drainMs: 0,
        },
        lifecycle,
      );
    const quizPort = await server({
      service: QuizService,
      handlers: quizHandlers(director),
      roles: new Proxy({}, { get: (_, name) => quizRoles(String(name)) }),
    });
    const leaderboardPort = await server({
      service: LeaderboardService,
      handlers: leaderboardHandlers(director),
      roles: new Proxy({}, { get: () => "any" }),
    });
    const backstage = new Backstage(nats, bus, records, quizPort, leaderboardPort, lifecycle);
    stage.director = backstage.director;
    return backstage;
  }

  async close(): Promise<void> {
    await this.lifecycle.close();
    await this.nats[Symbol.asyncDispose]();
  }

  token(role: Role, subject: string, sessionId?: string): string {
    return this.tokens.issue({ role, subject, ...(sessionId ? { sessionId } : {}) }, 60);
  }

  /** Makes a session in its lobby, or changes the record of one. */
  async putSession(sessionId: string, change: SessionFields = {}): Promise<void> {
    const session = this.director.sessions.get(sessionId) ?? new StagedSession();
    this.director.sessions.set(sessionId, session);
    session.record = {
      sessionId,
      pin: "123456",
      title: "Capitals",
      phase: Phase.LOBBY,
      rounds: 3,
      host: "anna",
      logStart: 7n,
      options: { lanes: 1, boardSize: 10 },
      ...session.record,
      ...change,
    };
    const record = toSession(session.record);
    await this.records.put(sessionId, toJsonString(SessionSchema, record));
  }

  /** Changes a record while no gateway can hear of it. */
  async putUnheard(sessionId: string, change: SessionFields): Promise<void> {
    const stream = "KV_sessions";
    const { republish } = (await this.bus.jsm.streams.info(stream)).config;
    // The client merges: what is to go has to be named.
    await this.bus.jsm.streams.update(stream, { republish: undefined } as never);
    await this.putSession(sessionId, change);
    await this.bus.jsm.streams.update(stream, { republish } as never);
  }

  /** The question of a round is open for `seconds`. */
  openRound(
    sessionId: string,
    round: number,
    seconds = 20,
    change: SessionFields = {},
  ): Promise<void> {
    const now = Date.now();
    return this.putSession(sessionId, {
      phase: Phase.OPEN,
      round,
      phaseStartedAt: timestampFromMs(now),
      phaseEndsAt: timestampFromMs(now + seconds * 1_000),
      timeLimitMs: seconds * 1_000,
      elapsedBeforeMs: 0,
      question: {
        type: 1,
        text: `Capital ${round}?`,
        options: [
          { choice: "A", text: "Oslo" },
          { choice: "B", text: "Rome" },
        ],
        points: 1_000,
      },
      ...change,
    });
  }

  /** The round is closed: scores join the standings, the record tells the answer. */
  async reveal(sessionId: string, round: number): Promise<void> {
    const session = this.director.session(sessionId);
    session.finalRound = round;
    this.#rank(session, round);
    delete session.record.phaseEndsAt;
    await this.putSession(sessionId, {
      phase: Phase.REVEAL,
      reveal: { answer: session.right, answers: session.answers.size, explanation: "It is so." },
    });
    await this.publishBoard(sessionId, { finalRound: round, round, standings: session.standings });
  }

  #rank(session: StagedSession, round: number): void {
    const totals = new Map<string, number>();
    for (const [key, { points }] of session.answers) {
      const [answered = "0", playerId = ""] = key.split(" ");
      if (Number(answered) <= round) totals.set(playerId, (totals.get(playerId) ?? 0) + points);
    }
    const ranked = [...totals].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    session.standings = ranked.map(([playerId, points], index) => ({
      $typeName: "leaderboard.v1.Standing",
      playerId,
      nickname: session.players.get(playerId)?.nickname ?? playerId,
      points,
      elapsedMs: 0,
      rank: index + 1,
    }));
  }

  /** A snapshot as the leaderboard publishes it; the version rises by itself. */
  async publishBoard(sessionId: string, board: BoardInit): Promise<void> {
    const full = create(LeaderboardChangedSchema, {
      sessionId,
      epoch: BigInt(this.#epoch),
      version: BigInt(++this.#version),
      players: board.standings?.length ?? 0,
      takenAt: timestampFromMs(Date.now()),
      ...board,
    });
    await this.bus.js.publish(
      subjectForLeaderboard(sessionId),
      toJsonString(LeaderboardChangedSchema, full),
    );
  }

  kick(sessionId: string, playerId: string): void {
    const player = this.director.session(sessionId).players.get(playerId);
    if (player) player.status = PlayerStatus.KICKED;
    const removed = create(PlayerRemovedSchema, { playerId, status: PlayerStatus.KICKED });
    this.bus.nc.publish(subjectForRemovals(sessionId), toJsonString(PlayerRemovedSchema, removed));
  }

  async deleteSession(sessionId: string): Promise<void> {
    this.director.sessions.delete(sessionId);
    await this.records.delete(sessionId);
  }
}

function toSession(fields: SessionFields): Session {
  return create(SessionSchema, fields as MessageInitShape<typeof SessionSchema>);
}

/** Rows for a board, best first. */
export function rows(count: number, name = "player"): Standing[] {
  return Array.from({ length: count }, (_, index) => ({
    $typeName: "leaderboard.v1.Standing" as const,
    playerId: `id${index}`,
    nickname: `${name}${index}`,
    points: 10_000 - index,
    elapsedMs: index,
    rank: index + 1,
  }));
}

function quizRoles(method: string): readonly Role[] | "any" {
  if (method === "submitAnswers") return ["service"];
  if (method === "joinSession" || method === "resumeSession") return ["service", "admin"];
  if (method === "getSession" || method === "resolvePin" || method === "watchSession") return "any";
  return ["host", "author", "admin", "service"];
}

function quizHandlers(director: () => Director): Handlers<typeof QuizService> {
  const command = (name: string) => async (request: { sessionId: string }, call: CallContext) => {
    director().calls.push(name);
    director().commandsBy.push(call.identity.subject);
    return { session: toSession(director().session(request.sessionId).record) };
  };
  const away = () => {
    if (director().quizIsAway) throw new ServiceError(ErrorReason.UNAVAILABLE, "the log is away");
  };
  const none = async () => {
    throw new ServiceError(ErrorReason.INTERNAL, "not on this stage");
  };
  return {
    createSession: none,
    listSessions: none,
    exportHistory: none,
    watchSession: none,
    banPlayer: none,
    async getSession({ sessionId }: { sessionId: string }) {
      director().calls.push("getSession");
      return { session: toSession(director().session(sessionId).record), revision: 1n };
    },
    async resolvePin({ pin }: { pin: string }) {
      director().calls.push("resolvePin");
      for (const [sessionId, { record }] of director().sessions)
        if (record.pin === pin) return { sessionId };
      throw new ServiceError(ErrorReason.SESSION_NOT_FOUND, "no session has this PIN");
    },
    startSession: command("startSession"),
    nextRound: command("nextRound"),
    pauseSession: command("pauseSession"),
    continueSession: command("continueSession"),
    extendRound: command("extendRound"),
    skipRound: command("skipRound"),
    endSession: command("endSession"),
    lockSession: command("lockSession"),
    async kickPlayer() {
      throw new ServiceError(ErrorReason.PLAYER_NOT_FOUND, "no player of the session is called so");
    },
    async listPlayers({ sessionId, pageSize, pageToken }: ListRequest) {
      away();
      const players = [...director().session(sessionId).players.values()];
      const at = Number(pageToken || 0);
      const end = at + pageSize;
      return {
        players: players.slice(at, end),
        nextPageToken: end < players.length ? String(end) : "",
        total: players.length,
      };
    },
    async joinSession({ sessionId, joins }: JoinRequest) {
      away();
      director().calls.push(`joinSession ${joins.length}`);
      const session = director().session(sessionId);
      return {
        results: joins.map(({ nickname, submissionId }) =>
          director().join(session, nickname, submissionId),
        ),
      };
    },
    async resumeSession({ sessionId, playerIds }: { sessionId: string; playerIds: string[] }) {
      away();
      director().calls.push(`resumeSession ${playerIds.length}`);
      const { players, answers, record } = director().session(sessionId);
      return {
        results: playerIds.map((playerId) => {
          const player = players.get(playerId);
          if (!player) return { refused: ErrorReason.PLAYER_NOT_FOUND };
          if (player.status === PlayerStatus.KICKED) return { player, refused: ErrorReason.KICKED };
          const answer = answers.get(`${record.round} ${playerId}`);
          return answer ? { player, answer } : { player };
        }),
      };
    },
    async submitAnswers(request: { sessionId: string; round: number; answers: Answer[] }) {
      away();
      director().batches.push(request.answers);
      await director().answersGate;
      away();
      const session = director().session(request.sessionId);
      return {
        results: request.answers.map((each) => director().submit(session, request.round, each)),
      };
    },
  } as unknown as Handlers<typeof QuizService>;
}

interface ListRequest {
  sessionId: string;
  pageSize: number;
  pageToken: string;
}

interface JoinRequest {
  sessionId: string;
  joins: { nickname: string; submissionId: string }[];
}

function leaderboardHandlers(director: () => Director): Handlers<typeof LeaderboardService> {
  const away = () => {
    if (director().leaderboardIsAway)
      throw new ServiceError(ErrorReason.UNAVAILABLE, "Redis can't be reached");
  };
  const standingsOf = (sessionId: string) => director().sessions.get(sessionId)?.standings ?? [];
  return {
    async getLeaderboard(request) {
      away();
      director().calls.push(`getLeaderboard ${request.pageSize}`);
      const all = standingsOf(request.sessionId);
      const around = all.findIndex(({ playerId }) => playerId === request.aroundPlayerId);
      const at = around >= 0 ? Math.max(0, around - 1) : Number(request.pageToken || 0);
      const standings = all.slice(at, at + request.pageSize);
      const end = at + request.pageSize;
      return {
        standings,
        nextPageToken: end < all.length ? String(end) : "",
        players: all.length,
      };
    },
    async getStandings({ sessionId, playerIds }) {
      away();
      director().calls.push(`getStandings ${playerIds.length}`);
      const all = new Map(standingsOf(sessionId).map((each) => [each.playerId, each]));
      const standings = playerIds.flatMap((playerId) => {
        const found = all.get(playerId);
        if (!found) return [];
        return [{ playerId, points: found.points, rank: found.rank, change: 1, gap: 5 }];
      });
      const finalRound = director().sessions.get(sessionId)?.finalRound ?? 0;
      return { standings, players: all.size, finalRound };
    },
    async getGlobalLeaderboard() {
      return { standings: [], nextPageToken: "" };
    },
    async rebuildLeaderboard() {
      return { partition: 0 };
    },
  };
}
