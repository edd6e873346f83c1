/** What PostgreSQL holds of a session's answers, as ExportHistory streams it. */
import type { ServiceClient } from "@fanfare/common/grpc-client";
import type { HistoryRow, QuizService } from "@fanfare/proto/quiz/v1/quiz_service";

/** By round and player. Rejects with a ServiceError; rows come seconds after they were accepted. */
export async function readHistory(
  quiz: ServiceClient<typeof QuizService>,
  sessionId: string,
): Promise<HistoryRow[]> {
  const rows: HistoryRow[] = [];
  for await (const part of quiz.exportHistory({ sessionId })) rows.push(...part.rows);
  return rows;
}
