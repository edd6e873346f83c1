/** The PIN of the demo: every game has a new one, and the terminal should show one that works. */
import { pause } from "@fanfare/common/lifecycle";
import type { QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import type { Door } from "../door.js";

const POLL_MS = 2_000;
const FIRST_POLL_MS = 100;
const FIRST_LIMIT_MS = 15_000;

/** The PIN of the first game; empty where none has begun within 15 s. */
export async function waitForPin(
  quizzes: Door<typeof QuizService>,
  sessionId: string,
  signal: AbortSignal,
): Promise<string> {
  const deadline = performance.now() + FIRST_LIMIT_MS;
  let pin = "";
  while (!pin && !signal.aborted && performance.now() < deadline) {
    pin = await readPin(quizzes, sessionId);
    if (!pin) await pause(FIRST_POLL_MS, signal);
  }
  return pin;
}

/** Tells each new PIN until `signal` aborts. */
export async function followPin(
  quizzes: Door<typeof QuizService>,
  { sessionId, pin, signal }: { sessionId: string; pin: string; signal: AbortSignal },
  tell: (line: string) => void,
): Promise<void> {
  let known = pin;
  while (!signal.aborted) {
    await pause(POLL_MS, signal);
    const now = await readPin(quizzes, sessionId);
    if (!now || now === known || signal.aborted) continue;
    known = now;
    tell(`${sessionId}: a new game begins, PIN ${now}`);
  }
}

/** Empty while there is none to be had. */
async function readPin(quizzes: Door<typeof QuizService>, sessionId: string): Promise<string> {
  try {
    const { session } = await quizzes.getSession({ sessionId });
    return session?.pin ?? "";
  } catch {
    return "";
  }
}
