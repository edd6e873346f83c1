/** The question bank behind gRPC: the only call that quiz makes, once a session. */

import { ServiceError } from "@fanfare/common/errors";
import type { ServicePool } from "@fanfare/common/service-pool";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import type { Quiz, QuizMasterService } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import type { QuizBank } from "../domain/ports.js";

export class QuizMasterBank implements QuizBank {
  constructor(private readonly pool: ServicePool<typeof QuizMasterService>) {}

  async getQuiz(quizId: string): Promise<Quiz> {
    const { quiz } = await this.pool.request(undefined, (client) => client.getQuiz({ quizId }));
    if (!quiz) throw new ServiceError(ErrorReason.QUIZ_NOT_FOUND, "no quiz has this id");
    return quiz;
  }
}
