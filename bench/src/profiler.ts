/** Where the time of a burst goes: V8 profiles of the stack's own processes, by package and function. */
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Stack } from "@fanfare/cli/stack/start-stack";
import { textTable } from "@fanfare/cli/text-table";
import { holdsWithin, sleep } from "./numbers.js";

const DIRECTORY = fileURLToPath(new URL("../../.fanfare/profiles", import.meta.url));
const NAMES = ["gateway-1", "quiz-1", "history-1", "leaderboard-1"];
const WRITE_LIMIT_MS = 10_000;
const START_MS = 300;
const ROWS_MAX = 14;
/** Not the product's: waiting, and the profiler's own start and stop. */
const IGNORED = new Set(["(idle)", "(root)", "dispatch"]);

/** Environment of a process that can be profiled. */
export const PROFILED = {
  NODE_OPTIONS: `--import ${new URL("./profiled.js", import.meta.url)}`,
  PROFILE_DIR: DIRECTORY,
};

interface ProfileNode {
  id: number;
  callFrame: { functionName: string; url: string; lineNumber: number };
}
interface CpuProfile {
  nodes: ProfileNode[];
  samples: number[];
  timeDeltas: number[];
}

const fileOf = (name: string) => join(DIRECTORY, `${name}.cpuprofile`);

export class Profiler {
  async start(stack: Stack): Promise<void> {
    mkdirSync(DIRECTORY, { recursive: true });
    for (const name of NAMES) {
      rmSync(fileOf(name), { force: true });
      await stack.process(name).kill("SIGUSR2");
    }
    await sleep(START_MS);
  }

  async stop(stack: Stack, answers: number): Promise<void> {
    for (const name of NAMES) await stack.process(name).kill("SIGUSR2");
    for (const name of NAMES) {
      if (!(await holdsWithin(WRITE_LIMIT_MS, () => existsSync(fileOf(name)))))
        throw new Error(`${name} wrote no profile`);
      const profile = JSON.parse(readFileSync(fileOf(name), "utf8")) as CpuProfile;
      console.log(`\nprofile of ${name}, self time in µs an answer (${fileOf(name)})`);
      console.log(topOf(profile, answers, packageOf, "package"));
      console.log(topOf(profile, answers, functionOf, "function"));
    }
  }
}

function topOf(
  { nodes, samples, timeDeltas }: CpuProfile,
  answers: number,
  nameOf: (node: ProfileNode) => string,
  head: string,
): string {
  const counted = nodes.filter(
    ({ callFrame: { functionName, url } }) => url !== "" || !IGNORED.has(functionName),
  );
  const names = new Map(counted.map((node) => [node.id, nameOf(node)]));
  const times = new Map<string, number>();
  for (const [i, id] of samples.entries()) {
    const name = names.get(id);
    if (name !== undefined) times.set(name, (times.get(name) ?? 0) + (timeDeltas[i] ?? 0));
  }
  const rows = [...times].sort(([, a], [, b]) => b - a).slice(0, ROWS_MAX);
  return textTable(
    [head, "µs"],
    rows.map(([name, us]) => [name, us / answers]),
  );
}

/** Native code has no address: kernel calls of uWebSockets.js, the collector, V8 itself. */
function packageOf({ callFrame: { functionName, url } }: ProfileNode): string {
  if (url === "") return functionName.startsWith("(") ? functionName : "native";
  const packages = url.split("/node_modules/");
  const inside = packages.at(-1) ?? "";
  if (packages.length > 1)
    return inside
      .split("/")
      .slice(0, inside.startsWith("@") ? 2 : 1)
      .join("/");
  return url.startsWith("node:") ? "node" : (/(?:services|proto)\/?([\w-]*)/.exec(url)?.[0] ?? url);
}

function functionOf({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string {
  const name = functionName || "(anonymous)";
  return url === "" ? name : `${name} ${basename(url)}:${lineNumber + 1}`;
}
