/**
 * Loaded into a process of the stack by `--import`: SIGUSR2 begins a CPU profile, the next one ends it
 * and writes it. Node 20 takes no --cpu-prof from the environment, and it would profile idling too.
 */
import { renameSync, writeFileSync } from "node:fs";
import { Session } from "node:inspector";
import { join } from "node:path";

const SAMPLE_EVERY_US = 200;

const session = new Session();
let isProfiling = false;

process.on("SIGUSR2", () => {
  isProfiling = !isProfiling;
  if (isProfiling) {
    session.connect();
    session.post("Profiler.enable");
    session.post("Profiler.setSamplingInterval", { interval: SAMPLE_EVERY_US });
    session.post("Profiler.start");
    return;
  }
  session.post("Profiler.stop", (error, { profile }) => {
    session.disconnect();
    const { PROFILE_DIR = "", POD_NAME = "process" } = process.env;
    const file = join(PROFILE_DIR, `${POD_NAME}.cpuprofile`);
    // Whoever waits for the file finds all of it.
    writeFileSync(`${file}.part`, error ? String(error) : JSON.stringify(profile));
    renameSync(`${file}.part`, file);
  });
});
