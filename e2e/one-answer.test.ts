/** 100 parallel submits of one player through 3 gateways are one answer. */
import { PlayerSocket } from "@fanfare/cli/player/player-socket";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readHistory, readLog } from "./ledgers.js";
import {
  choiceOf,
  joinPlayers,
  opened,
  openSession,
  type Stage,
  startStage,
  until,
} from "./stage.js";

let stage: Stage;

beforeAll(async () => {
  stage = await startStage({ gateways: 3, quiz: 2 });
});

afterAll(() => stage?.[Symbol.asyncDispose]());

test("100 submits, each under its own id, over 5 devices and 3 gateways: exactly 1 is accepted", async () => {
  const sessionId = "one";
  await openSession(stage, sessionId, 1);
  const [player] = (await joinPlayers(stage, sessionId, 1)) as [PlayerSocket];
  await stage.quiz.startSession({ sessionId });
  const question = await opened(player, 1);
  const accepted = new Set<string>();
  const refused: string[] = [];
  // Each device that comes displaces the one before it: all send at once as soon as they are in.
  await Promise.all(
    Array.from({ length: 5 }, async (_, device) => {
      const url = stage.stack.gatewayUrls[device % 3] ?? "";
      const socket = await PlayerSocket.join({
        urls: [url],
        sessionId,
        nickname: player.nickname,
        resumeToken: player.resumeToken,
      }).catch(() => undefined);
      if (!socket) return;
      socket.on("accepted", ({ submissionId }) => accepted.add(submissionId));
      socket.on("refused", ({ requestId }) => refused.push(requestId));
      const texts = ["right 1", "wrong 1", "no 1", "never 1"];
      await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          socket.answer(1, [choiceOf(question, texts[i % 4] ?? "")], {
            submissionId: `${device}-${i}`,
            limitMs: 3_000,
          }),
        ),
      );
      socket.close();
    }),
  );
  player.close();
  expect(accepted.size).toBeLessThanOrEqual(1);
  const log = await readLog(stage, sessionId);
  expect(log.answers.size).toBe(1);
  expect([...log.answers.values()]).toEqual(
    accepted.size === 1 ? [...accepted] : [...log.answers.values()],
  );
  const history = await until(async () => {
    const rows = await readHistory(stage, sessionId);
    return rows.answers.size === 1 && rows;
  });
  expect(history).toEqual(log);
  expect(refused.length).toBeGreaterThan(0);
});
