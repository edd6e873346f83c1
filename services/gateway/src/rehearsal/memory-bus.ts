/** As much of NATS as a gateway's feed sees, in memory, for one rehearsal. */
import { type DescMessage, type MessageShape, toJsonString } from "@bufbuild/protobuf";
import { BUCKETS, subjectForLeaderboard, subjectForSession } from "@fanfare/proto/addresses";
import { type LeaderboardChanged, LeaderboardChangedSchema } from "@fanfare/proto/events/v1/events";
import { type Session, SessionSchema } from "@fanfare/proto/quiz/v1/session";
import type { JetStreamManager } from "@nats-io/jetstream";
import { headers, type Msg, type MsgHdrs, type NatsConnection } from "@nats-io/transport-node";

type Listener = (error: Error | null, message: Msg) => void;

/** The last message of a subject, as a direct get returns it and as a subscription hears it. */
interface Stored {
  subject: string;
  seq: number;
  header: MsgHdrs;
  headers: MsgHdrs;
  string(): string;
}

export class MemoryBus {
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #last = new Map<string, Stored>();
  #sequence = 0;

  readonly nc = {
    isClosed: () => false,
    subscribe: (subject: string, { callback }: { callback: Listener }) => {
      const all = this.#listeners.get(subject) ?? new Set();
      this.#listeners.set(subject, all.add(callback));
      return { unsubscribe: () => all.delete(callback) };
    },
    publish: (subject: string, text: string) => this.#tell(subject, subject, text),
  } as unknown as NatsConnection;

  readonly jsm = {
    direct: {
      getMessage: async (_: string, { last_by_subj }: { last_by_subj: string }) =>
        this.#last.get(last_by_subj) ?? null,
    },
  } as unknown as JetStreamManager;

  putSession(session: Session): void {
    const { sessionId } = session;
    const subject = subjectForSession(sessionId);
    this.#put(`$KV.${BUCKETS.sessions}.${sessionId}`, subject, SessionSchema, session);
  }

  putBoard(board: LeaderboardChanged): void {
    const subject = subjectForLeaderboard(board.sessionId);
    this.#put(subject, subject, LeaderboardChangedSchema, board);
  }

  #put<D extends DescMessage>(at: string, to: string, schema: D, message: MessageShape<D>): void {
    this.#tell(at, to, toJsonString(schema, message));
  }

  #tell(at: string, subject: string, text: string): void {
    const seq = ++this.#sequence;
    const header = headers();
    header.set("Nats-Sequence", String(seq));
    const message = { subject, seq, header, headers: header, string: () => text };
    this.#last.set(at, message);
    for (const listener of this.#listeners.get(subject) ?? [])
      listener(null, message as unknown as Msg);
  }
}
