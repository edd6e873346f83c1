/** A recorded session as a file: who played, what was asked, and every answer with its time. */
import { readFile, writeFile } from "node:fs/promises";
import { fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { z } from "@fanfare/common/config";
import {
  type FrozenQuiz,
  FrozenQuizSchema,
  type SessionOptions,
  SessionOptionsSchema,
} from "@fanfare/proto/quiz/v1/session";

/** The version of the file; a reader refuses others. */
const VERSION = 2;

const whole = z.number().int();
const fileShape = z.object({
  version: z.literal(VERSION, `must be ${VERSION}: the file is of another version of Fanfare`),
  sessionId: z.string(),
  title: z.string(),
  /** Rounds that were played; a session may end before its last question. */
  rounds: whole,
  options: z.json(),
  quiz: z.json(),
  /** In the order of joining. `status` as in quiz.v1.PlayerStatus. */
  players: z.array(z.object({ playerId: z.string(), nickname: z.string(), status: whole })),
  answers: z.array(
    z.object({
      round: whole,
      playerId: z.string(),
      submissionId: z.string(),
      choices: z.array(z.string()),
      elapsedMs: whole,
      points: whole,
    }),
  ),
  /** Scores of outside publishers. */
  outside: z.array(z.object({ round: whole, name: z.string(), points: whole })),
  /** As it was at the end, all of it. */
  board: z.array(
    z.object({
      playerId: z.string(),
      outside: z.boolean(),
      nickname: z.string(),
      points: whole,
      elapsedMs: whole,
      rank: whole,
    }),
  ),
});

type RecordFile = z.infer<typeof fileShape>;
export type RecordedAnswer = RecordFile["answers"][number];
export type RecordedRow = RecordFile["board"][number];

export interface SessionRecord extends Omit<RecordFile, "version" | "options" | "quiz"> {
  options: SessionOptions;
  quiz: FrozenQuiz;
}

export async function writeRecord(file: string, record: SessionRecord): Promise<void> {
  const content: RecordFile = {
    ...record,
    version: VERSION,
    options: toJson(SessionOptionsSchema, record.options),
    quiz: toJson(FrozenQuizSchema, record.quiz),
  };
  await writeFile(file, `${JSON.stringify(content)}\n`);
}

/** Throws an Error that says what is wrong with the file. */
export async function readRecord(file: string): Promise<SessionRecord> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    throw new Error(`${file} can't be read as a record: ${(error as Error).message}`);
  }
  const read = fileShape.safeParse(content);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw new Error(`${file} is no record: ${issue?.path.join(".")} ${issue?.message}`);
  }
  const { version: _, options, quiz, ...rest } = read.data;
  return {
    ...rest,
    options: fromJson(SessionOptionsSchema, options as JsonValue),
    quiz: fromJson(FrozenQuizSchema, quiz as JsonValue),
  };
}
