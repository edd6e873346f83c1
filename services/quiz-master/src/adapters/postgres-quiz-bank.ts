/** The question bank in PostgreSQL: documents in JSONB, found by tags and words, changed by version. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { JsonObject } from "@bufbuild/protobuf";
import type { QuizContent } from "@fanfare/proto/questions/check-quiz";
import type { Question, Quiz, QuizHead } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import type { ISql } from "postgres";
import type { PagePosition } from "../domain/page-token.js";
import type {
  Changed,
  ImportShelf,
  ListQuery,
  QuestionPool,
  QuizCatalogue,
  QuizShelf,
} from "../domain/ports.js";
import { newQuizId } from "../domain/quiz-id.js";
import { type PostgresLink, QUERY_LIMIT_MS } from "./postgres-link.js";
import { listPage } from "./quiz-list.js";
import {
  fromDocument,
  type HeadRow,
  type StoredRow,
  sqlFile,
  toContentRow,
  toHead,
  toQuestion,
  toQuiz,
} from "./quiz-rows.js";

const INSERT = sqlFile("insert-quizzes");
const UPDATE = sqlFile("update-quiz");
const DRAW = sqlFile("draw-questions");
/** Quizzes that a draw looks at: twice as many as it may want questions. */
const DRAWN_FROM = 1_000;
/** How much further it looks where they repeat each other. */
const WIDER = 10;
/** Pieces of text that the slowest server indexes in a millisecond. */
const PIECES_A_MS = 10;
/** Rows of an import that are made in one turn of the event loop. */
const ROWS_A_TURN = 50;
/** Longest that one import may take to store. */
const IMPORT_LIMIT_MS = 20_000;

type ImportedRow = HeadRow & { content_hash: string };

export class PostgresQuizBank implements QuizShelf, QuizCatalogue, ImportShelf, QuestionPool {
  constructor(private readonly link: PostgresLink) {}

  async create(quizId: string, content: QuizContent, author: string): Promise<Quiz | undefined> {
    const given = { quiz_id: quizId, author, ...toContentRow(content) };
    const [row] = await this.link.run(
      "create",
      (sql) => insert<StoredRow>(sql, [given], false),
      writeLimitMs(given),
    );
    return row && toQuiz(row, content);
  }

  async get(quizId: string): Promise<Quiz | undefined> {
    const [row] = await this.link.run(
      "get",
      (sql) => sql<(StoredRow & { document: JsonObject })[]>`
        SELECT quiz_id, version, author, created_at, updated_at, document
        FROM quiz_master.quizzes WHERE quiz_id = ${quizId}`,
    );
    return row && toQuiz(row, fromDocument(row.document));
  }

  async authorOf(quizId: string): Promise<string | undefined> {
    const [row] = await this.link.run(
      "author of",
      (sql) => sql<{ author: string }[]>`
        SELECT author FROM quiz_master.quizzes WHERE quiz_id = ${quizId}`,
    );
    return row?.author;
  }

  async update(quizId: string, version: bigint, content: QuizContent): Promise<Changed<Quiz>> {
    const given = toContentRow(content);
    const [row] = await this.link.run(
      "update",
      (sql) =>
        sql.unsafe<(StoredRow & { held_version: string; version: string | null })[]>(
          UPDATE,
          [quizId, version.toString(), sql.json(given as never)],
          { prepare: true },
        ),
      writeLimitMs(given),
    );
    if (!row) return { kind: "missing" };
    if (row.version === null) return { kind: "mismatch", version: BigInt(row.held_version) };
    return { kind: "changed", value: toQuiz({ ...row, quiz_id: quizId }, content) };
  }

  async remove(quizId: string, version: bigint): Promise<Changed<void>> {
    const [row] = await this.link.run(
      "remove",
      (sql) => sql<{ held_version: string; removed: boolean }[]>`
        WITH held AS (
          SELECT quiz_id, version FROM quiz_master.quizzes WHERE quiz_id = ${quizId} FOR UPDATE
        ), removed AS (
          DELETE FROM quiz_master.quizzes AS q USING held
          WHERE q.quiz_id = held.quiz_id
            AND ${version.toString()}::numeric IN (0, held.version) RETURNING 1
        )
        SELECT held.version AS held_version, EXISTS (SELECT FROM removed) AS removed FROM held`,
    );
    if (!row) return { kind: "missing" };
    if (!row.removed) return { kind: "mismatch", version: BigInt(row.held_version) };
    return { kind: "changed", value: undefined };
  }

  async list(query: ListQuery): Promise<{ heads: QuizHead[]; next: PagePosition | undefined }> {
    // Planned for these very words each time: how many quizzes have them decides the way.
    const { rows, next } = await listPage(query, ({ text, parameters }) =>
      this.link.run("list", (sql) => sql.unsafe<HeadRow[]>(text, parameters as never[])),
    );
    return { heads: rows.map(toHead), next };
  }

  async addMissing(contents: readonly QuizContent[], author: string): Promise<QuizHead[]> {
    const rows: (ReturnType<typeof toContentRow> & { quiz_id: string; author: string })[] = [];
    for (const [index, content] of contents.entries()) {
      // A large import takes a second or two of CPU: others are served meanwhile.
      if (index % ROWS_A_TURN === 0) await nextTurn();
      rows.push({ quiz_id: newQuizId(), author, ...toContentRow(content) });
    }
    const byHash = new Map(rows.map((row) => [row.content_hash, row]));
    // Asked first, and briefly: most repeats end here, and a silent server is met here.
    const present = await this.link.run("find present", (sql) =>
      selectByHash(sql, author, [...byHash.keys()]),
    );
    const heads = new Map(present.map((row) => [row.content_hash, toHead(row)]));
    const missing = [...byHash.values()].filter((row) => !heads.has(row.content_hash));
    if (missing.length > 0) {
      const added = await this.link.run(
        "import",
        (sql) => sql.begin((tx) => insertMissing(tx, author, missing)) as Promise<ImportedRow[]>,
        IMPORT_LIMIT_MS,
      );
      for (const row of added) heads.set(row.content_hash, toHead(row));
    }
    return [...byHash.keys()].map((hash) => heads.get(hash)).filter((head) => head !== undefined);
  }

  async draw(tags: readonly string[], count: number, seed: number): Promise<Question[]> {
    for (let quizzes = DRAWN_FROM; ; quizzes *= WIDER) {
      const parameters = [[...tags], count, String(seed), quizzes];
      // Planned for these very tags each time: how many quizzes have them decides the way.
      const rows = await this.link.run("draw", (sql) =>
        sql.unsafe<{ question: JsonObject; looked_at: number }[]>(DRAW, parameters),
      );
      // Too few different questions where more quizzes have the tags: they repeat each other.
      const isAll = (rows[0]?.looked_at ?? 0) < quizzes;
      if (rows.length === count || isAll) return rows.map(({ question }) => toQuestion(question));
    }
  }
}

/** A quiz of usual size takes milliseconds, the largest of Han characters has a quarter of a million pieces. */
function writeLimitMs({ text_grams }: { text_grams: readonly number[] }): number {
  return QUERY_LIMIT_MS + text_grams.length / PIECES_A_MS;
}

/** One insert of all rows; gives back those that were stored. */
function insert<Row extends StoredRow>(sql: ISql, rows: readonly object[], onlyMissing: boolean) {
  return sql.unsafe<Row[]>(INSERT, [sql.json(rows as never), onlyMissing], { prepare: true });
}

/** Stores what is not there yet, and gives back all, in any order. */
async function insertMissing(
  tx: ISql,
  author: string,
  rows: readonly { content_hash: string }[],
): Promise<ImportedRow[]> {
  await tx`SELECT set_config('statement_timeout', ${String(IMPORT_LIMIT_MS)}, true)`;
  // Imports go one at a time, so that two of the same file do not both find it missing.
  await tx`SELECT pg_advisory_xact_lock(hashtext('fanfare quiz_master import'))`;
  await insert<ImportedRow>(tx, rows, true);
  const hashes = rows.map((row) => row.content_hash);
  return selectByHash(tx, author, hashes);
}

/** An author's oldest quiz of each content: another's may change, or go, without this one's leave. */
function selectByHash(sql: ISql, author: string, hashes: readonly string[]) {
  return sql<ImportedRow[]>`
    SELECT DISTINCT ON (content_hash) quiz_id, version, author, created_at, updated_at, title, tags,
      question_count, content_hash
    FROM quiz_master.quizzes
    WHERE content_hash = ANY(${[...hashes]}) AND author = ${author}
    ORDER BY content_hash, created_at, quiz_id`;
}
