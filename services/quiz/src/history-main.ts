/** A history writer: the log as rows in PostgreSQL. */
import { runService } from "@fanfare/common/run-service";
import { readHistoryConfig } from "./config.js";
import { startHistory } from "./history.js";

await runService("history", (lifecycle) => startHistory(readHistoryConfig(process.env), lifecycle));
