/**
 * Phones that lose their socket in mid-answer and come back through another gateway: whatever they are told
 * of the answer there is what the log holds in the end.
 */
import { FrameSocket } from "@fanfare/cli/player/frame-socket";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { AnswerState, type OwnResult } from "@fanfare/proto/gateway/v1/frames";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readLog } from "./ledgers.js";
import { closeRound, nextRound, openSession, type Stage, startStage, until } from "./stage.js";

const PLAYERS = 60;

let stage: Stage;

beforeAll(async () => {
  // Answers wait for each other for longer than it takes to come back.
  stage = await startStage({ gateways: 2, quiz: 2, env: { gateway: { ANSWER_BATCH_MS: "100" } } });
});

afterAll(() => stage?.[Symbol.asyncDispose]());

/** A phone that says what it is told to, and nothing by itself. */
class Phone {
  #socket: FrameSocket | undefined;
  #token = "";
  playerId = "";
  /** What this phone was told of its answer, by round; the last word counts. */
  readonly results = new Map<number, OwnResult>();
  readonly accepted = new Set<string>();
  readonly refused = new Map<string, ErrorReason>();

  constructor(private readonly number: number) {}

  /** Joins or comes back; tries the other gateway where one is gone. */
  async connect(sessionId: string, gateway: number) {
    const { gatewayUrls } = stage.stack;
    const { socket, joined } = await until(async () => {
      const opened = await FrameSocket.open(gatewayUrls[gateway++ % gatewayUrls.length] ?? "");
      opened.on("accepted", ({ submissionId }) => this.accepted.add(submissionId));
      opened.on("refused", ({ requestId, reason }) => this.refused.set(requestId, reason));
      opened.on("ownResult", (result) => this.results.set(result.round, result));
      const nickname = `p${this.number}`;
      const wish = { pin: "", sessionId, nickname, submissionId: nickname };
      const identity = this.#token
        ? { case: "resumeToken" as const, value: this.#token }
        : { case: "join" as const, value: wish };
      opened.send({ case: "hello", value: { protocolVersion: 1, identity } });
      return { socket: opened, joined: await opened.until("joined", undefined, 5_000) };
    });
    this.#socket = socket;
    this.#token = joined.resumeToken;
    this.playerId = joined.playerId;
    return joined;
  }

  opened(round: number) {
    const fits = (frame: { round: number }) => frame.round === round;
    return this.#socket?.until("question", fits, 20_000);
  }

  answer(round: number, submissionId: string): void {
    this.#socket?.send({ case: "answer", value: { round, choices: ["A"], submissionId } });
  }

  drop(): void {
    this.#socket?.terminate();
  }
}

const delay = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function crowd(sessionId: string): Promise<Phone[]> {
  const phones = Array.from({ length: PLAYERS }, (_, i) => new Phone(i));
  await Promise.all(phones.map((phone, i) => phone.connect(sessionId, i)));
  return phones;
}

/** Answers, loses the socket some milliseconds later, and is back at once without sending again. */
async function answerAndComeBack(phones: readonly Phone[], sessionId: string, round: number) {
  return Promise.all(
    phones.map(async (phone, i) => {
      await phone.opened(round);
      phone.answer(round, `r${round}-${phone.playerId}`);
      await delay((i % 20) * 4);
      phone.drop();
      return phone.connect(sessionId, i + 1);
    }),
  );
}

test("what is told on return, and after it, is what the log holds, also where a gateway dies", async () => {
  const sessionId = "back";
  await openSession(stage, sessionId, 3);
  const phones = await crowd(sessionId);
  await stage.quiz.startSession({ sessionId });
  const told = new Map<string, AnswerState>();
  for (const round of [1, 2, 3]) {
    const returning = answerAndComeBack(phones, sessionId, round);
    if (round === 3) {
      await delay(30);
      const victim = stage.stack.process("gateway-1");
      await victim.kill("SIGKILL");
      await victim.restart();
    }
    for (const [i, joined] of (await returning).entries())
      told.set(`${round} ${phones[i]?.playerId}`, joined.answerState);
    // The host does not wait for the reveal in the second round.
    if (round === 2) await stage.quiz.skipRound({ sessionId, expectedRound: round });
    else await closeRound(stage, sessionId, round);
    if (round === 1) await nextRound(stage, sessionId, round);
    if (round === 3) await stage.quiz.endSession({ sessionId });
    // Who was at the gateway that died has come back already, or does so now.
    if (round === 3) await Promise.all(phones.map((phone, i) => phone.connect(sessionId, i)));
    const known = ({ results }: Phone) =>
      results.get(round) && results.get(round)?.answerState !== AnswerState.PENDING;
    await until(() => phones.every(known), 20_000);
  }
  const { answers } = await readLog(stage, sessionId);
  for (const phone of phones)
    for (const round of [1, 2, 3]) {
      const key = `${round} ${phone.playerId}`;
      const isStored = answers.has(key);
      const state = isStored ? AnswerState.STORED : AnswerState.NONE;
      expect(phone.results.get(round), key).toMatchObject({
        answered: isStored,
        answerState: state,
      });
      expect(told.get(key), key).not.toBe(isStored ? AnswerState.NONE : AnswerState.STORED);
      if (phone.accepted.has(`r${round}-${phone.playerId}`)) expect(isStored, key).toBe(true);
    }
  // The race that this is about was run at all.
  expect([...told.values()]).toContain(AnswerState.PENDING);
  for (const phone of phones) phone.drop();
});

test("an answer sent again when the next question is open is what it was", async () => {
  const sessionId = "again";
  await openSession(stage, sessionId, 2);
  const phones = await crowd(sessionId);
  await stage.quiz.startSession({ sessionId });
  // Every third phone loses its socket before its answer is out.
  const sent = phones.filter((_, i) => i % 3 > 0);
  await Promise.all(phones.map((phone) => phone.opened(1)));
  for (const phone of sent) phone.answer(1, `r1-${phone.playerId}`);
  await delay(20);
  for (const phone of phones) phone.drop();
  await closeRound(stage, sessionId, 1);
  await nextRound(stage, sessionId, 1);
  await Promise.all(phones.map((phone, i) => phone.connect(sessionId, i + 1)));
  const ids = phones.map((phone) => `r1-${phone.playerId}`);
  for (const phone of phones) phone.accepted.clear();
  await until(() => {
    for (const [i, phone] of phones.entries()) {
      const id = ids[i] ?? "";
      const isDone = phone.accepted.has(id) || phone.refused.get(id) === ErrorReason.ROUND_CLOSED;
      if (!isDone) phone.answer(1, id);
    }
    return phones.every((phone, i) => {
      const id = ids[i] ?? "";
      return phone.accepted.has(id) || phone.refused.get(id) === ErrorReason.ROUND_CLOSED;
    });
  });
  const { answers } = await readLog(stage, sessionId);
  for (const [i, phone] of phones.entries())
    expect(phone.accepted.has(ids[i] ?? ""), ids[i]).toBe(answers.has(`1 ${phone.playerId}`));
  for (const phone of phones)
    if (!sent.includes(phone)) expect(answers.has(`1 ${phone.playerId}`)).toBe(false);
  for (const phone of phones) phone.drop();
});

test("where the log is away over the deadline, nobody is told 'closed' of an answer that counts", async () => {
  const sessionId = "away";
  await openSession(stage, sessionId, 2, { roundSeconds: 5 });
  const phones = await crowd(sessionId);
  await stage.quiz.startSession({ sessionId });
  await Promise.all(phones.map((phone) => phone.opened(1)));
  const { nats } = stage.stack.servers;
  await delay(4_000);
  const ids = phones.map((phone) => `r1-${phone.playerId}`);
  const sending = phones.map(async (phone, i) => {
    await delay(i * 10);
    phone.answer(1, ids[i] ?? "");
  });
  await delay(300);
  await nats.kill("SIGSTOP");
  await Promise.all(sending);
  // Half of them lose their sockets; all send again and again until they know, on whatever they have.
  const lost = phones.filter((_, i) => i % 2 === 0);
  for (const phone of lost) phone.drop();
  const back = Promise.all(lost.map((phone, i) => phone.connect(sessionId, i + 1)));
  await delay(3_000);
  await nats.kill("SIGCONT");
  await back;
  const isClosed = (phone: Phone, i: number) =>
    phone.refused.get(ids[i] ?? "") === ErrorReason.ROUND_CLOSED;
  const isAccepted = (phone: Phone, i: number) => phone.accepted.has(ids[i] ?? "");
  const closedOnce = new Set<Phone>();
  await until(async () => {
    for (const [i, phone] of phones.entries()) {
      if (isClosed(phone, i)) closedOnce.add(phone);
      if (!isClosed(phone, i) && !isAccepted(phone, i)) phone.answer(1, ids[i] ?? "");
    }
    await delay(300);
    return phones.every((phone, i) => isClosed(phone, i) || isAccepted(phone, i));
  }, 30_000);
  const { answers } = await readLog(stage, sessionId);
  for (const [i, phone] of phones.entries()) {
    const isStored = answers.has(`1 ${phone.playerId}`);
    expect(isAccepted(phone, i), ids[i]).toBe(isStored);
    expect(isClosed(phone, i) || closedOnce.has(phone), ids[i]).toBe(!isStored);
  }
  for (const phone of phones) phone.drop();
});
