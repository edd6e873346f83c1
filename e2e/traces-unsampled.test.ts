/** What is traced of that which nobody sampled: faults, always. And what a client's own span counts for. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { type OtlpReceiver, startOtlpReceiver } from "./otlp-receiver.js";
import {
  closeRound,
  joinPlayers,
  nextRound,
  opened,
  openSession,
  type Stage,
  startStage,
  until,
} from "./stage.js";

const CLIENT = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };
const TRACEPARENT = `00-${CLIENT.traceId}-${CLIENT.spanId}-01`;

let collector: OtlpReceiver;
let stage: Stage;

beforeAll(async () => {
  collector = await startOtlpReceiver();
  const { env } = collector;
  stage = await startStage({
    gateways: 2,
    env: {
      all: { ...env, OTEL_TRACES_SAMPLER_ARG: "0" },
      "gateway-2": { OTEL_TRACES_SAMPLER_ARG: "1" },
    },
  });
});

afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await collector?.[Symbol.asyncDispose]();
});

test("at ratio 0 an answer without a verdict is recorded as an error and named in the log, a good one is not", async () => {
  const sessionId = "faults";
  await openSession(stage, sessionId, 2);
  const [player] = await joinPlayers(stage, sessionId, 1);
  if (!player) throw new Error("nobody joined");
  await stage.quiz.startSession({ sessionId });
  await opened(player, 1);
  await player.answer(1, ["A"], { submissionId: "good" });
  await closeRound(stage, sessionId, 1);
  await nextRound(stage, sessionId, 1);
  await opened(player, 2);
  const { nats } = stage.stack.servers;
  await nats.kill("SIGSTOP");
  try {
    void player.answer(2, ["A"], { limitMs: 4_000 });
    const answer = await collector.find(({ name }) => name === "answer");
    expect(answer).toMatchObject({ service: "fanfare-gateway", kind: "server", isError: true });
    expect(answer.attributes["error.type"]).toBe("UNAVAILABLE");
    expect(answer.attributes["fanfare.round"]).toBe(2);
    const publish = await collector.find(({ name }) => name.startsWith("publish QUIZ"));
    expect(publish).toMatchObject({ service: "fanfare-quiz", kind: "producer", isError: true });
    const call = await collector.find(({ kind, isError }) => kind === "client" && isError);
    const { traceId: trace_id, spanId: span_id } = call;
    await until(async () => {
      const lines = (await readFile(stage.stack.process("gateway-1").logFile, "utf8")).split("\n");
      return lines.some((line) => line.includes(`"trace_id":"${trace_id}","span_id":"${span_id}"`));
    });
  } finally {
    await nats.kill("SIGCONT");
  }
  expect(collector.spans.filter(({ isError }) => !isError)).toEqual([]);
});

test("a client's traceparent is a link of the answer's span, neither its parent nor a decision", async () => {
  const sessionId = "linked";
  await openSession(stage, sessionId, 1);
  const players = await Promise.all(
    stage.stack.gatewayUrls.map((url) => rawPlayer(url, sessionId)),
  );
  await stage.quiz.startSession({ sessionId });
  for (const [index, player] of players.entries()) {
    await player.heard("question");
    player.say({
      answer: { round: 1, choices: ["A"], submissionId: `s${index}` },
      traceparent: TRACEPARENT,
    });
    await player.heard("accepted");
  }
  const answer = await collector.find(
    ({ name, attributes }) => name === "answer" && attributes["fanfare.session.id"] === sessionId,
  );
  expect(answer.links).toEqual([CLIENT]);
  expect(answer.parentId).toBe("");
  expect(answer.traceId).not.toBe(CLIENT.traceId);
  // Asked later, so that the span of the first gateway's answer, if there were one, had been here too.
  await collector.find(({ name }) => name === "process LEADERBOARD.{session}");
  expect(answersOf(sessionId)).toHaveLength(1);
});

test("a traceparent that is nonsense is passed over", async () => {
  const sessionId = "nonsense";
  await openSession(stage, sessionId, 1);
  const player = await rawPlayer(stage.stack.gatewayUrls[1] ?? "", sessionId);
  await stage.quiz.startSession({ sessionId });
  await player.heard("question");
  const answer = { round: 1, choices: ["A"], submissionId: "s" };
  player.say({ answer, traceparent: `00-${"0".repeat(32)}-nobody-01` });
  await player.heard("accepted");
  await collector.find(() => answersOf(sessionId).length === 1);
  expect(answersOf(sessionId)[0]?.links).toEqual([]);
});

const answersOf = (sessionId: string) =>
  collector.spans.filter(
    ({ name, attributes }) => name === "answer" && attributes["fanfare.session.id"] === sessionId,
  );

/** A player that says what it is told to, as wscat would. */
async function rawPlayer(url: string, sessionId: string) {
  const socket = new WebSocket(`${url.replace("http", "ws")}/v1/socket`);
  const frames: Record<string, unknown>[] = [];
  socket.on("message", (text) => frames.push(JSON.parse(String(text))));
  await once(socket, "open");
  const say = (frame: object) => socket.send(JSON.stringify(frame));
  const heard = (frame: string) => until(() => frames.some((each) => frame in each));
  const join = { sessionId, nickname: `n${Math.random()}`.slice(0, 12), submissionId: "join" };
  say({ hello: { protocolVersion: 1, join } });
  await heard("joined");
  return { say, heard };
}
