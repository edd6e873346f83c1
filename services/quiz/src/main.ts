/** A quiz pod: sessions, players, answers, the round clock. */
import { runService } from "@fanfare/common/run-service";
import { readQuizConfig } from "./config.js";
import { startServer } from "./server.js";

await runService("quiz", (lifecycle) => startServer(readQuizConfig(process.env), lifecycle));
