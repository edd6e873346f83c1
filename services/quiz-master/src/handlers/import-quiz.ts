/** ImportQuiz: read a file, store its good rows as quizzes, report the others. */
import { invalidField, ServiceError } from "@fanfare/common/errors";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { textFault, tidy } from "@fanfare/proto/questions/text";
import {
  HtmlEntities,
  ImportFormat,
  type ImportQuizRequest,
} from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { readDesignJson } from "../domain/formats/design-json.js";
import type { ImportedFile, Importer } from "../domain/formats/imported-file.js";
import { readOpenTriviaQa } from "../domain/formats/open-trivia-qa.js";
import { LIMITS } from "../domain/limits.js";
import type { ImportObserver, ImportShelf } from "../domain/ports.js";
import { quizInvalid, tooLarge } from "./refusals.js";
import { countOf, tagsOf } from "./requests.js";

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
    decodesEntities: decodesEntities(request.htmlEntities),
  });
  refuseUnusable(file);
  const quizzes = await parts.shelf.addMissing(file.quizzes, author);
  const questions = quizzes.reduce((sum, quiz) => sum + quiz.questions, 0);
  const format = ImportFormat[request.format];
  parts.observer.imported({ format, questions, ...file.faults.counts() });
  const faults = file.faults.list().map((fault) => ({
    ...fault,
    count: fault.count ?? 1,
    lines: fault.lines ?? [fault.line],
  }));
  return { quizzes, questions, faults };
}

/** Undefined for the format's own habit. */
function decodesEntities(choice: HtmlEntities): boolean | undefined {
  if (choice === HtmlEntities.UNSPECIFIED) return undefined;
  if (choice in HtmlEntities) return choice === HtmlEntities.DECODE;
  throw invalidField("html_entities", "HTML_ENTITIES_DECODE, HTML_ENTITIES_KEEP, or not set");
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
  const [first] = faults.list();
  if (!first || first.mended)
    throw quizInvalid("the file holds no quiz; put at least one into it", { field: "content" });
  const message = `nothing of the file can be used: ${faults.summary()}`;
  if (first.limit) throw tooLarge(first.limit, message);
  throw quizInvalid(message, { field: "content", line: String(first.line) });
}
