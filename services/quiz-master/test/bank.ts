/** A whole quiz-master on a real PostgreSQL, with a client for each role. Disposable. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { ServiceError } from "@fanfare/common/errors";
import { createClient, type ServiceClient } from "@fanfare/common/grpc-client";
import { Lifecycle } from "@fanfare/common/lifecycle";
import { createLogger } from "@fanfare/common/log";
import { startPostgres } from "@fanfare/common/servers/postgres";
import { type Role, Tokens } from "@fanfare/common/tokens";
import { QuestionType } from "@fanfare/proto/common/v1/question";
import {
  type Quiz,
  QuizMasterService,
  QuizSchema,
} from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import postgres from "postgres";
import { readConfig } from "../src/config.js";
import { startServer } from "../src/server.js";

const SECRET = "a secret of at least thirty-two characters";

export type BankClient = ServiceClient<typeof QuizMasterService>;

/** Starts the service against `postgresUrl`; the result knows its ports and ends with `stop`. */
export async function startService(postgresUrl: string) {
  const lifecycle = new Lifecycle(createLogger("quiz-master", "silent"));
  const config = readConfig({
    POSTGRES_URL: postgresUrl,
    TOKEN_SECRET: SECRET,
    LISTEN_HOST: "127.0.0.1",
    DRAIN_MS: "0",
  });
  const { grpcPort, adminPort } = await startServer(config, lifecycle);
  const tokens = new Tokens([SECRET]);
  const clients: BankClient[] = [];
  const as = (role: Role): BankClient => {
    const token = tokens.issue({ role, subject: `the-${role}` }, 600);
    const client = createClient(QuizMasterService, `127.0.0.1:${grpcPort}`, () => token);
    clients.push(client);
    return client;
  };
  return {
    adminPort,
    grpcPort,
    as,
    author: as("author"),
    ready: async () => (await fetch(`http://127.0.0.1:${adminPort}/readyz`)).status === 200,
    metrics: async () => (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text(),
    stop: async () => {
      for (const client of clients) client.close();
      await lifecycle.close();
    },
  };
}

/** PostgreSQL and the service; `emptied` begins each test with an empty bank. */
export async function startBank() {
  const directory = await mkdtemp(join(tmpdir(), "fanfare-quiz-master-"));
  const server = await startPostgres({ directory, fsync: false });
  const service = await startService(server.url);
  const sql = postgres(server.url, { max: 1, onnotice: () => {} });
  return {
    ...service,
    postgres: server,
    sql,
    emptied: async () => void (await sql`TRUNCATE quiz_master.quizzes`),
    stop: async () => {
      await service.stop();
      await sql.end({ timeout: 1 });
      await server[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Resolves once `condition` holds; rejects when it does not within the limit. */
export async function until(condition: () => Promise<boolean>, limitMs = 15_000): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not true within ${limitMs} ms`);
    await delay(20);
  }
}

/** A good quiz of one question, with what the test changes. */
export function aQuiz(changes: MessageInitShape<typeof QuizSchema> = {}): Quiz {
  return create(QuizSchema, {
    title: "Capitals",
    tags: ["geography"],
    questions: [
      {
        type: QuestionType.SINGLE_CHOICE,
        question: "What is the capital of Norway?",
        options: ["Oslo", "Bergen", "Trondheim"],
        answer: ["Oslo"],
      },
    ],
    ...changes,
  });
}

/** The ServiceError that a call was refused with; a call that succeeds fails the test. */
export async function refusalOf(call: Promise<unknown>) {
  const thrown = await call.then(
    () => new Error("the call was not refused"),
    (error: unknown) => error,
  );
  if (thrown instanceof ServiceError) return thrown;
  throw thrown;
}
