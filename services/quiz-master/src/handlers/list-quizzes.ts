/** ListQuizzes: one page of quiz heads, newest first, of a search the titles before the questions. */
import { invalidField } from "@fanfare/common/errors";
import { textFault, tidy } from "@fanfare/proto/questions/text";
import type { ListQuizzesRequest } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { LIMITS, PAGE_SIZE_DEFAULT } from "../domain/limits.js";
import { readPageToken, writePageToken } from "../domain/page-token.js";
import type { QuizCatalogue } from "../domain/ports.js";
import { parseSearch } from "../domain/search-query.js";
import { countOf, tagsOf } from "./requests.js";

export async function listQuizzes(catalogue: QuizCatalogue, request: ListQuizzesRequest) {
  const text = tidy(request.text);
  if (textFault(text, { max: LIMITS.SEARCH_TEXT_MAX, optional: true }))
    throw invalidField("text", `at most ${LIMITS.SEARCH_TEXT_MAX} characters on one line`);
  const { heads, next } = await catalogue.list({
    tags: tagsOf(request.tags),
    search: text === "" ? undefined : parseSearch(text),
    pageSize: countOf(request.pageSize, "page_size", LIMITS.PAGE_SIZE_MAX, PAGE_SIZE_DEFAULT),
    after: positionOf(request.pageToken),
  });
  return { quizzes: heads, nextPageToken: next ? writePageToken(next) : "" };
}

function positionOf(pageToken: string) {
  if (pageToken === "") return undefined;
  const position = readPageToken(pageToken);
  if (position) return position;
  throw invalidField("page_token", "empty, or the next_page_token of the previous response");
}
