/**
 * What stands behind a gateway in these tests: a real NATS, and the two services' contract served
 * over real gRPC by a small stage director. Tests write records and boards as the services would.
 */
import { create, type MessageInitShape, toJsonString } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Bus, connectBus, openBucket } from "@fanfare/common/bus";
import { startGrpcServer } from "@fanfare/common/grpc-server";
import { Health } from "@fanfare/common/health";
import { Lifecycle } from "@fanfare/common/lifecycle";
import { createLogger } from "@fanfare/common/log";
import { type NatsServer, startNats } from "@fanfare/common/servers/nats";
import { type Role, Tokens } from "@fanfare/common/tokens";
import { LEADERBOARD_ACCESS, QUIZ_ACCESS } from "@fanfare/proto/access";
import { subjectForLeaderboard, subjectForRemovals } from "@fanfare/proto/addresses";
import { LeaderboardChangedSchema, PlayerRemovedSchema } from "@fanfare/proto/events/v1/events";
import {
  LeaderboardService,
  type Standing,
} from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import { PlayerStatus, QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import { Phase, SessionSchema } from "@fanfare/proto/quiz/v1/session";
import type { KV } from "@nats-io/kv";
import { Director, type SessionFields, StagedSession, toSession } from "./director.js";
import { leaderboardHandlers, quizHandlers } from "./staged-services.js";

export const SECRET = "a-secret-of-the-gateway-tests-0123456789";

type BoardInit = MessageInitShape<typeof LeaderboardChangedSchema>;

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
      access: QUIZ_ACCESS,
      owners: { owner: async () => true, historyOwner: async () => true },
    });
    const leaderboardPort = await server({
      service: LeaderboardService,
      handlers: leaderboardHandlers(director),
      access: LEADERBOARD_ACCESS,
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
      outside: false,
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

/** Rows for a board, best first. */
export function rows(count: number, name = "player"): Standing[] {
  return Array.from({ length: count }, (_, index) => ({
    $typeName: "leaderboard.v1.Standing" as const,
    playerId: `id${index}`,
    outside: false,
    nickname: `${name}${index}`,
    points: 10_000 - index,
    elapsedMs: index,
    rank: index + 1,
  }));
}
