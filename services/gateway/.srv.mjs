import { startGrpcServer } from "@fanfare/common/grpc-server";
import { Tokens } from "@fanfare/common/tokens"; import { Health } from "@fanfare/common/health"; import { Lifecycle } from "@fanfare/common/lifecycle"; import { createLogger } from "@fanfare/common/log";
import { QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
const h = new Proxy({}, { get: (_, n) => async (r) => ({ results: r.answers.map(() => ({ points: 900, correct: true, streak: 1 })) }) });
const port = await startGrpcServer([{ service: QuizService, handlers: h, roles: new Proxy({}, { get: () => "any" }) }], { host: "127.0.0.1", port: 0, tokens: new Tokens(["x".repeat(40)]), health: new Health(), drainMs: 0 }, new Lifecycle(createLogger("x", "silent")));
console.log(port);
