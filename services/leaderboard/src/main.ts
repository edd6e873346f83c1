/** The leaderboard process: the log becomes boards, snapshots and ranks. */
import { runService } from "@fanfare/common/run-service";
import { readConfig } from "./config.js";
import { startServer } from "./server.js";

await runService("leaderboard", (lifecycle) => startServer(readConfig(process.env), lifecycle));
