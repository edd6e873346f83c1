/** What a replay asks and sends, and when: made of the record alone. Pure. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { laneOf } from "@fanfare/proto/addresses";
import { QuestionType } from "@fanfare/proto/common/v1/question";
import type { CreateSessionRequestSchema } from "@fanfare/proto/quiz/v1/quiz_service";
import { type FrozenQuestion, Pacing } from "@fanfare/proto/quiz/v1/session";
import { scorerOf } from "../ledgers/compare.js";
import type { RecordedAnswer, RecordedRow, SessionRecord } from "./record.js";

/** Answers of one lane that go in one call, and when after the opening of their round. */
export interface ReplayBatch {
  lane: number;
  atMs: number;
  answers: RecordedAnswer[];
}

/** As gateways gather them. */
const GATHER_MS = 20;
const BATCH_MAX = 1_000;
/** Answers of the last moment are sent so much earlier: on their way they must not meet the close. */
const BEFORE_CLOSE_MS = 500;
const MS_PER_SECOND = 1_000;

/** The session anew: the same questions with their options in the same order, led by the replay. */
export function createRequest(
  record: SessionRecord,
  sessionId: string,
): MessageInitShape<typeof CreateSessionRequestSchema> {
  const { startsAt: _, ...options } = record.options;
  return {
    sessionId,
    replaceEnded: true,
    source: {
      case: "quiz",
      value: { title: record.title, questions: record.quiz.questions.map(questionOf) },
    },
    options: {
      ...options,
      keepOptionOrder: true,
      pacing: Pacing.HOST,
      readingSeconds: 0,
      closeWhenAllAnswered: false,
      playersMax: Math.max(options.playersMax, record.players.length),
    },
  };
}

function questionOf({ question, answer, explanation, timeLimitMs, penalty }: FrozenQuestion) {
  const { type = QuestionType.SINGLE_CHOICE, text = "", media = [], options = [] } = question ?? {};
  const right = options.filter(({ choice }) => answer.includes(choice));
  return {
    type,
    question: text,
    media,
    options: options.map((option) => option.text),
    // Its two options are the words for true and false, in this order.
    answer:
      type === QuestionType.TRUE_FALSE
        ? [right[0] === options[0] ? "true" : "false"]
        : right.map((option) => option.text),
    seconds: timeLimitMs / MS_PER_SECOND,
    points: question?.points ?? 0,
    penalty,
    explanation,
  };
}

/** A round's answers as batches, in the order of their times; `speed` times as fast. */
export function planRound(record: SessionRecord, round: number, speed: number): ReplayBatch[] {
  const limitMs = record.quiz.questions[round - 1]?.timeLimitMs ?? 0;
  const lanes = record.options.lanes || 1;
  const answers = record.answers
    .filter((answer) => answer.round === round)
    .sort((a, b) => a.elapsedMs - b.elapsedMs);
  const open = new Map<number, ReplayBatch>();
  const batches: ReplayBatch[] = [];
  for (const answer of answers) {
    const lane = laneOf(answer.playerId, lanes);
    const atMs = Math.min(answer.elapsedMs / speed, limitMs - BEFORE_CLOSE_MS);
    const last = open.get(lane);
    if (last && atMs - last.atMs < GATHER_MS && last.answers.length < BATCH_MAX)
      last.answers.push(answer);
    else {
      const batch = { lane, atMs, answers: [answer] };
      open.set(lane, batch);
      batches.push(batch);
    }
  }
  return batches;
}

/** Differences between two boards, row by row; none where they are the same. */
export function compareBoards(
  recorded: readonly RecordedRow[],
  replayed: readonly RecordedRow[],
): string[] {
  const textOf = (row: RecordedRow | undefined) =>
    row
      ? `${row.rank}. ${row.nickname} (${scorerOf(row)}) with ${row.points} points in ${row.elapsedMs} ms`
      : "nobody";
  const length = Math.max(recorded.length, replayed.length);
  return Array.from({ length }, (_, place) => [
    textOf(recorded[place]),
    textOf(replayed[place]),
  ]).flatMap(([was, is]) => (was === is ? [] : [`recorded: ${was}; replayed: ${is}`]));
}
