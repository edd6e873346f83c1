/** The quiz-master process. */
import { runService } from "@fanfare/common/run-service";
import { readConfig } from "./config.js";
import { startServer } from "./server.js";

await runService("quiz-master", (lifecycle) => startServer(readConfig(process.env), lifecycle));
