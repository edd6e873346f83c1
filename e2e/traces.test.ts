/** One answer is one trace, from the socket to Redis, PostgreSQL and the next board. */
import type { PlayerSocket } from "@fanfare/cli/player/player-socket";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from "./otlp-receiver.js";
import {
  Book,
  closeRound,
  joinPlayers,
  openSession,
  type Stage,
  startStage,
  until,
} from "./stage.js";

const CALL = "quiz.v1.QuizService/SubmitAnswers";
const ENTRY = "QUIZ.{session}.{round}.{token}";
const BOARD = "LEADERBOARD.{session}";

let collector: OtlpReceiver;
let stage: Stage;

beforeAll(async () => {
  collector = await startOtlpReceiver();
  stage = await startStage({
    env: {
      all: { ...collector.env, OTEL_TRACES_SAMPLER: "always_on" },
      // So that what is sent at once travels together, however busy the machine is.
      gateway: { ANSWER_BATCH_MS: "100" },
    },
  });
});

afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await collector?.[Symbol.asyncDispose]();
});

async function play(sessionId: string, count: number): Promise<PlayerSocket[]> {
  await openSession(stage, sessionId, 1, { liveBoard: true });
  const players = await joinPlayers(stage, sessionId, count);
  await collector.find(({ name }) => name === `publish ${ENTRY}`);
  await joinsAreThrough();
  await stage.quiz.startSession({ sessionId });
  const book = new Book();
  await Promise.all(players.map((player) => book.play(player, 1, true)));
  expect(book.accepted.size).toBe(count);
  return players;
}

/** Waits until all joins have been worked on everywhere: no answer shares a batch with them. */
async function joinsAreThrough(): Promise<void> {
  await until(() => {
    const { spans } = collector;
    const published = spans.filter(({ name }) => name === `publish ${ENTRY}`);
    const followed = (span: ReceivedSpan, name: string, service: string) =>
      spans.find(
        (each) =>
          each.name === name && each.service === service && isLinked(each.links, span.spanId),
      );
    return published.every((entry) => {
      const counted = followed(entry, `process ${ENTRY}`, "fanfare-leaderboard");
      const snapshot = counted && followed(counted, `publish ${BOARD}`, "fanfare-leaderboard");
      const kept = followed(entry, `process ${ENTRY}`, "fanfare-history");
      return kept && snapshot && followed(snapshot, `process ${BOARD}`, "fanfare-gateway");
    });
  });
}

function isLinked(links: ReceivedSpan["links"], spanId: string): boolean {
  return links.some((link) => link.spanId === spanId);
}

const answersOf = (sessionId: string) =>
  collector.spans.filter(
    ({ name, attributes }) => name === "answer" && attributes["fanfare.session.id"] === sessionId,
  );

const childOf = (parent: ReceivedSpan, name: string, service: string) =>
  collector.find(
    (span) => span.parentId === parent.spanId && span.name === name && span.service === service,
  );

const linkTo = ({ traceId, spanId }: ReceivedSpan) => ({ traceId, spanId });

describe("a single answer", () => {
  test("is one trace: gateway, quiz, log, then board and history", async () => {
    await play("single", 1);
    const answer = await collector.find((span) => answersOf("single").includes(span));
    expect(answer).toMatchObject({ service: "fanfare-gateway", kind: "server", parentId: "" });
    expect(answer.attributes).toEqual({
      "fanfare.session.id": "single",
      "fanfare.round": 1,
      "fanfare.answer.result": "accepted",
    });
    const call = await childOf(answer, CALL, "fanfare-gateway");
    const served = await childOf(call, CALL, "fanfare-quiz");
    const published = await childOf(served, `publish ${ENTRY}`, "fanfare-quiz");
    const counted = await childOf(published, `process ${ENTRY}`, "fanfare-leaderboard");
    const applied = await childOf(counted, "EVALSHA apply-entries", "fanfare-leaderboard");
    const kept = await childOf(published, `process ${ENTRY}`, "fanfare-history");
    const inserted = await childOf(kept, "INSERT quiz.quiz_history", "fanfare-history");
    const snapshot = await childOf(counted, `publish ${BOARD}`, "fanfare-leaderboard");
    const shown = await childOf(snapshot, `process ${BOARD}`, "fanfare-gateway");
    const tree = [call, served, published, counted, applied, kept, inserted, snapshot, shown];
    expect(new Set(tree.map(({ traceId }) => traceId))).toEqual(new Set([answer.traceId]));
    expect(tree.map(({ kind }) => kind)).toEqual([
      "client",
      "server",
      "producer",
      "consumer",
      "client",
      "consumer",
      "client",
      "producer",
      "consumer",
    ]);
    for (const [span, origin] of [
      [call, answer],
      [published, served],
      [counted, published],
      [kept, published],
      [snapshot, counted],
      [shown, snapshot],
    ] as const)
      expect(span.links).toEqual([linkTo(origin)]);
  });

  test("is the exemplar of how long its acknowledgement and its board took", async () => {
    const answer = await collector.find((span) => answersOf("single").includes(span));
    const { adminUrl } = stage.stack.process("gateway-1");
    await until(async () => {
      const accept = "application/openmetrics-text; version=1.0.0";
      const response = await fetch(`${adminUrl}/metrics`, { headers: { accept } });
      const lines = (await response.text()).split("\n");
      return ["quiz_answer_ack_duration_seconds", "quiz_leaderboard_freshness_seconds"].every(
        (name) =>
          lines.some((line) => line.startsWith(`${name}_bucket`) && line.includes(answer.traceId)),
      );
    });
  });

  test("is described by the conventions for rpc, messaging and databases", async () => {
    const of = (name: string, service: string) =>
      collector.find((span) => span.name === name && span.service === service);
    const call = await of(CALL, "fanfare-gateway");
    expect(call.attributes).toMatchObject({ "rpc.system.name": "grpc", "rpc.method": CALL });
    const kept = await of(`process ${ENTRY}`, "fanfare-history");
    expect(kept.attributes).toMatchObject({
      "messaging.system": "nats",
      "messaging.destination.template": ENTRY,
      "messaging.consumer.group.name": "history",
    });
    const inserted = await of("INSERT quiz.quiz_history", "fanfare-history");
    expect(inserted.attributes).toEqual({
      "db.system.name": "postgresql",
      "db.operation.name": "INSERT",
      "db.collection.name": "quiz.quiz_history",
    });
  });
});

test("a join, a question's broadcast and the results after a reveal have traces too", async () => {
  const [player] = await play("others", 1);
  await closeRound(stage, "others", 1);
  await player?.until("ownResult", ({ round }) => round === 1);
  const join = await collector.find(
    ({ name, attributes }) => name === "join" && attributes["fanfare.session.id"] === "others",
  );
  const joining = await childOf(join, "quiz.v1.QuizService/JoinSession", "fanfare-gateway");
  await childOf(joining, joining.name, "fanfare-quiz");
  const results = await collector.find(({ name }) => name === "tell results");
  const GET = "leaderboard.v1.LeaderboardService/GetStandings";
  const asking = await childOf(results, GET, "fanfare-gateway");
  await childOf(asking, GET, "fanfare-leaderboard");
  const broadcast = await collector.find(({ name }) => name === "broadcast question");
  expect(broadcast.attributes).toEqual({ "fanfare.sockets": 1 });
});

describe("answers that travel together", () => {
  let players: PlayerSocket[];
  let answers: ReceivedSpan[];

  beforeAll(async () => {
    players = await play("crowd", 5);
    await collector.find(() => answersOf("crowd").length === 5);
    answers = answersOf("crowd");
  });

  test("share one call, which links to each and is part of none; each links to it", async () => {
    const call = await collector.find(({ name, links }) => name === CALL && links.length === 5);
    expect(call.parentId).toBe("");
    expect(new Set(call.links.map(({ spanId }) => spanId))).toEqual(
      new Set(answers.map(({ spanId }) => spanId)),
    );
    for (const answer of answers) expect(answer.links).toEqual([linkTo(call)]);
    const served = await childOf(call, CALL, "fanfare-quiz");
    const published = await childOf(served, `publish ${ENTRY}`, "fanfare-quiz");
    const kept = await childOf(published, `process ${ENTRY}`, "fanfare-history");
    await childOf(kept, "INSERT quiz.quiz_history", "fanfare-history");
  });

  test("nothing that is sent to the collector tells who a player is", async () => {
    await collector.find(({ name }) => name === "join");
    for (const { playerId, nickname } of players) {
      expect(collector.text).not.toContain(playerId);
      expect(collector.text).not.toContain(`"${nickname}"`);
    }
    expect(collector.text).not.toContain("right 1");
  });
});
