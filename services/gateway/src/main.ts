/** The gateway process: every socket and every public HTTP path. */
import { runService } from "@fanfare/common/run-service";
import { readConfig } from "./config.js";
import { startServer } from "./server.js";

await runService("gateway", (lifecycle) => startServer(readConfig(process.env), lifecycle));
