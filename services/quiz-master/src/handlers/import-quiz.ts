/** ImportQuiz: read a file, store its good rows as quizzes, report the others. */
import { invalidField, ServiceError } from "@fanfare/common/errors";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import {
  ImportFormat,
  type ImportQuizRequest,
} from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { readDesignJson } from "../domain/formats/design-json.js";
import type { ImportedFile, Importer } from "../domain/formats/imported-file.js";
import { readOpenTriviaQa } from "../domain/formats/open-trivia-qa.js";
import { LIMITS } from "../domain/limits.js";
import type { ImportObserver, ImportShelf } from "../domain/ports.js";
import { textFault, tidy } from "../domain/text.js";
import { quizInvalid } from "./refusals.js";
import { countOf, tagsOf } from "./requests.js";

/** Faults that the message of a refusal spells out. */
const FAULTS_IN_MESSAGE_MAX = 5;

const IMPORTERS: Partial<Record<ImportFormat, Importer>> = {
  [ImportFormat.JSON]: readDesignJson,
  [ImportFormat.OPEN_TRIVIA_QA]: readOpenTriviaQa,
};

export async function importQuiz(
  parts: { shelf: ImportShelf; observer: ImportObserver },
  request: ImportQuizRequest,
  author: string,
) {
  const read = importerOf(request.format);
  if (request.content.length > LIMITS.IMPORT_BYTES_MAX)
    throw tooLarge("IMPORT_BYTES_MAX", `a file may have ${LIMITS.IMPORT_BYTES_MAX} bytes; cut it`);
  const file = read(request.content, {
    title: titleOf(request),
    tags: tagsOf(request.tags),
    questionsPerQuiz: countOf(
      request.questionsPerQuiz,
      "questions_per_quiz",
      LIMITS.QUESTIONS_MAX,
      LIMITS.QUESTIONS_MAX,
    ),
  });
  refuseUnusable(file);
  const quizzes = await parts.shelf.addMissing(file.quizzes, author);
  const questions = quizzes.reduce((sum, quiz) => sum + quiz.questions, 0);
  const { mended, leftOut } = file.faults;
  const format = ImportFormat[request.format];
  parts.observer.imported({ format, questions, mended, leftOut });
  return { quizzes, questions, faults: file.faults.list() };
}

function importerOf(format: ImportFormat): Importer {
  const importer = IMPORTERS[format];
  if (importer) return importer;
  throw invalidField("format", "IMPORT_FORMAT_JSON or IMPORT_FORMAT_OPEN_TRIVIA_QA");
}

function titleOf({ title, format }: ImportQuizRequest): string {
  const tidied = tidy(title);
  const optional = format === ImportFormat.JSON;
  if (!textFault(tidied, { max: LIMITS.TITLE_MAX, optional })) return tidied;
  throw invalidField("title", `1 to ${LIMITS.TITLE_MAX} characters for this format`);
}

function refuseUnusable({ quizzes, faults, unreadable }: ImportedFile): void {
  if (unreadable !== undefined) throw new ServiceError(ErrorReason.MALFORMED, unreadable);
  if (quizzes.length > LIMITS.IMPORT_QUIZZES_MAX)
    throw tooLarge(
      "IMPORT_QUIZZES_MAX",
      `the file makes ${quizzes.length} quizzes; put more questions into each, or cut the file`,
    );
  if (quizzes.length > 0) return;
  const [first, ...others] = faults.list();
  if (!first)
    throw quizInvalid("the file holds no quiz; put at least one into it", { field: "content" });
  const told = [first, ...others]
    .slice(0, FAULTS_IN_MESSAGE_MAX)
    .map((fault) => `line ${fault.line}: ${fault.reason}`);
  const more = others.length + 1 - told.length;
  throw quizInvalid(
    `nothing of the file can be used: ${told.join("; ")}${more > 0 ? `; and ${more} more` : ""}`,
    { field: "content", line: String(first.line) },
  );
}

function tooLarge(limit: keyof typeof LIMITS, message: string): ServiceError {
  return new ServiceError(ErrorReason.TOO_LARGE, message, {
    metadata: { limit, max: String(LIMITS[limit]) },
  });
}
