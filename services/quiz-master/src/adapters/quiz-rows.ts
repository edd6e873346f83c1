/** Between quizzes and the rows of quiz_master.quizzes. */
import { readFileSync } from "node:fs";
import { create, fromJson, type JsonObject } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { QuizContent } from "@fanfare/proto/questions/check-quiz";
import {
  type Question,
  QuestionSchema,
  type Quiz,
  type QuizHead,
  QuizHeadSchema,
  QuizSchema,
} from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { hashOfDocument, questionKey, toDocument } from "../domain/content-hash.js";
import { gramsOf } from "../domain/grams.js";
import { searchable } from "../domain/search-query.js";

/** What is the server's of a quiz, as the store gives it back. bigint columns come as text. */
export interface StoredRow {
  quiz_id: string;
  version: string;
  author: string;
  created_at: Date;
  updated_at: Date;
}

export interface HeadRow extends StoredRow {
  title: string;
  tags: string[];
  question_count: number;
}

/** A query of more than a few lines, from services/quiz-master/sql. */
export function sqlFile(name: string): string {
  return readFileSync(new URL(`../../sql/${name}.sql`, import.meta.url), "utf8");
}

/** The columns that are taken from the content, by name; the rest is the database's. */
export function toContentRow(content: QuizContent) {
  const document = toDocument(content);
  const { title, questions } = content;
  const searchTitle = searchable(title);
  const searchText = searchable(title, ...questions.map((each) => each.question));
  return {
    document,
    title: content.title,
    tags: content.tags,
    question_count: content.questions.length,
    question_keys: content.questions.map(questionKey),
    content_hash: hashOfDocument(document),
    search_title: searchTitle,
    search_text: searchText,
    title_grams: gramsOf(searchTitle),
    text_grams: gramsOf(searchText),
  };
}

export function toQuiz(row: StoredRow, content: QuizContent): Quiz {
  return create(QuizSchema, {
    ...content,
    quizId: row.quiz_id,
    version: BigInt(row.version),
    author: row.author,
    createdAt: timestampFromDate(row.created_at),
    updatedAt: timestampFromDate(row.updated_at),
  });
}

export function fromDocument(document: JsonObject): QuizContent {
  return fromJson(QuizSchema, document, { ignoreUnknownFields: true });
}

export function toQuestion(json: JsonObject): Question {
  return fromJson(QuestionSchema, json, { ignoreUnknownFields: true });
}

export function toHead(row: HeadRow): QuizHead {
  return create(QuizHeadSchema, {
    quizId: row.quiz_id,
    title: row.title,
    tags: row.tags,
    questions: row.question_count,
    version: BigInt(row.version),
    updatedAt: timestampFromDate(row.updated_at),
  });
}
