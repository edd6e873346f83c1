/** `fanfare down`: ends a running `make up` and waits for its end; may remove its data too. */
import { z } from "@fanfare/common/config";
import { isRunning } from "@fanfare/common/servers/process-table";
import { holdsWithin } from "@fanfare/common/servers/wait";
import { readFlags } from "../flags.js";
import { type Env, homeOf } from "../home.js";
import { endOrphans } from "../stack/orphans.js";
import { removeData } from "../up/data-folder.js";
import { findRunning } from "../up/running.js";

export const usage = `fanfare down [-clean]

Stops what make up has started here, and waits for its end. With -clean it removes data and logs too.`;

const STOP_LIMIT_MS = 60_000;

export async function run(args: readonly string[], env: Env): Promise<number> {
  const { clean } = readFlags(args, { clean: z.boolean().optional() });
  const home = homeOf(env);
  const running = await findRunning(home);
  if (!running) {
    // Its owner may have been killed a moment ago, and its processes on their way out.
    const ended = await endOrphans(home.folder, { servers: true });
    console.log(ended > 0 ? `ended ${ended} processes` : "Fanfare does not run here");
  } else {
    process.kill(running.pid, "SIGTERM");
    const ended = await holdsWithin(STOP_LIMIT_MS, async () => !(await isRunning(running.pid)));
    if (!ended) throw new Error(`process ${running.pid} does not end: kill -9 ${running.pid}`);
    console.log("Fanfare has stopped");
  }
  if (clean) {
    await removeData(home);
    console.log(`removed ${home.data} and ${home.logs}`);
  }
  return 0;
}
