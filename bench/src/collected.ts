/** Loaded into a process of the stack by `--import`: SIGUSR2 collects its garbage, then writes what is left. */
import { renameSync, writeFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose_gc");
const collect = runInNewContext("gc") as () => void;

process.on("SIGUSR2", () => {
  const { rss } = process.memoryUsage();
  // Twice, as finalizers of the first round let go of more.
  collect();
  collect();
  const { COLLECTED_FILE: file = "" } = process.env;
  writeFileSync(`${file}.part`, JSON.stringify({ before: rss, ...process.memoryUsage() }));
  renameSync(`${file}.part`, file);
});
