/** The players of the demo: each with a name and a skill of its own. */
import { setTimeout as delay } from "node:timers/promises";
import type { Question as QuestionFrame } from "@fanfare/proto/gateway/v1/frames";
import { PlayerSocket } from "../player/player-socket.js";
import { choicesFor, planAnswer } from "../simulate/plan.js";
import type { NewQuestion } from "../up/new-quiz.js";

export interface Bot {
  name: string;
  /** How likely it is right, 0 to 1. */
  skill: number;
}

export const BOTS: readonly Bot[] = [
  { name: "Clara Clarion", skill: 0.9 },
  { name: "Bo Bugle", skill: 0.8 },
  { name: "Tessa Trumpet", skill: 0.7 },
  { name: "Corny Cornet", skill: 0.6 },
  { name: "Saxton", skill: 0.55 },
  { name: "Trombonnie", skill: 0.45 },
  { name: "Tuba Tom", skill: 0.35 },
  { name: "Kazoo", skill: 0.2 },
];

/**
 * Lets a bot join and answer until the game ends. `game` names this play: a demo that is started
 * again in the middle of it finds the same players.
 */
export async function joinBot(
  bot: Bot,
  at: { urls: readonly string[]; sessionId: string; game: string },
  questions: readonly NewQuestion[],
): Promise<PlayerSocket> {
  const player = await PlayerSocket.join({
    urls: at.urls,
    sessionId: at.sessionId,
    nickname: bot.name,
    submissionId: `${at.game}-${bot.name.replaceAll(" ", "-")}`,
  });
  const answered = new Set<number>();
  player.on("question", (frame) => {
    if (!frame.question?.options.length || answered.has(frame.round)) return;
    answered.add(frame.round);
    void answer(player, bot, frame, questions);
  });
  return player;
}

async function answer(
  player: PlayerSocket,
  { skill }: Bot,
  { round, question, timeLimitMs }: QuestionFrame,
  questions: readonly NewQuestion[],
): Promise<void> {
  const source = questions.find((each) => each.question === question?.text);
  if (!question || !source) return;
  const { texts, after } = planAnswer(source, skill, Math.random);
  await delay(after * timeLimitMs);
  await player.answer(round, choicesFor(texts, question), { limitMs: timeLimitMs });
}
