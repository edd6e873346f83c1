/** Entries published by hand, as any client with access to NATS could, and the letters about them. */
import {
  create,
  type DescMessage,
  fromJsonString,
  type MessageInitShape,
  toJsonString,
} from "@bufbuild/protobuf";
import { type Bus, connectBus } from "@fanfare/common/bus";
import { Lifecycle } from "@fanfare/common/lifecycle";
import { createLogger } from "@fanfare/common/log";
import { STREAMS, subjectForDeadLetter } from "@fanfare/proto/addresses";
import {
  AnswerBatchSchema,
  DeadLetterSchema,
  PlayerBatchSchema,
  RoundClosedSchema,
  SessionCreatedSchema,
  SessionEndedSchema,
} from "@fanfare/proto/events/v1/events";

type Published = [subject: string, payload: string];

const entry =
  <D extends DescMessage>(schema: D, last: string) =>
  (sessionId: string, init: MessageInitShape<D>, round = 0): Published => [
    `QUIZ.${sessionId}.${round}.${last}`,
    toJsonString(schema, create(schema, init)),
  ];

export const created = entry(SessionCreatedSchema, "_session");
export const players = entry(PlayerBatchSchema, "_p0");
export const answers = entry(AnswerBatchSchema, "_0");
export const roundClosed = entry(RoundClosedSchema, "_closed");
export const ended = (sessionId: string) => entry(SessionEndedSchema, "_ended")(sessionId, {});
export const outside = (sessionId: string, playerId: string, points: number): Published => [
  `QUIZ.${sessionId}.1.${playerId}`,
  String(points),
];
export const joined = (playerId: string, nickname: string, user = "") => ({
  change: { case: "joined" as const, value: { playerId, nickname, user } },
});

export interface RawLog {
  bus: Bus;
  /** In order; resolves to the sequence of the last once all are stored. */
  publish(...entries: Published[]): Promise<number>;
  /** Subjects and reasons of what the history writer passed over, in the order of the log. */
  letters(): Promise<{ subject: string; reason: string }[]>;
  close(): Promise<void>;
}

/** Makes the streams if they are missing. */
export async function openLog(natsUrl: string): Promise<RawLog> {
  const lifecycle = new Lifecycle(createLogger("test", "silent"));
  const bus = await connectBus({ url: natsUrl, name: "raw-log", replicas: 1 }, lifecycle);
  return {
    bus,
    async publish(...entries) {
      let sequence = 0;
      for (const [subject, payload] of entries)
        sequence = (await bus.js.publish(subject, payload)).seq;
      return sequence;
    },
    async letters() {
      const { state } = await bus.jsm.streams.info(STREAMS.deadLetters);
      const found = [];
      for (let seq = Math.max(1, state.first_seq); seq <= state.last_seq; seq++) {
        const stored = await bus.jsm.streams.getMessage(STREAMS.deadLetters, { seq });
        if (stored?.subject !== subjectForDeadLetter("history")) continue;
        found.push(fromJsonString(DeadLetterSchema, stored.string()));
      }
      return found
        .sort((a, b) => Number(a.sequence - b.sequence))
        .map(({ subject, reason }) => ({ subject, reason }));
    },
    close: () => lifecycle.close(),
  };
}
