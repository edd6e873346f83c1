/**
 * CPU and memory of the services while a load runs: of the processes of this machine where the stack
 * is local, and of whatever serves /metrics.
 */
import { readFileSync } from "node:fs";
import { isRunning } from "@fanfare/common/servers/process-table";
import { cpuSeconds, residentBytes } from "../crowd/process-usage.js";
import { readPidFiles, serverFolders, servicesFolder } from "../stack/pid-files.js";

export interface Usage {
  cpuSeconds: number;
  residentBytes: number;
}

/** By name: `gateway-1`, `nats`. */
export type Usages = ReadonlyMap<string, Usage>;

const SCRAPE_LIMIT_MS = 2_000;

/** Pids of the stack of this folder, by name, without the demo, which plays beside the load. */
export async function localProcesses(directory: string): Promise<Map<string, number>> {
  const pids = new Map<string, number>();
  for (const folder of [servicesFolder(directory), ...(await serverFolders(directory))])
    for (const { name, pid } of await readPidFiles(folder))
      if (pid !== undefined && name !== "demo" && (await isRunning(pid))) pids.set(name, pid);
  return pids;
}

export async function readUsages(
  pids: ReadonlyMap<string, number>,
  metricsUrls: readonly string[],
): Promise<Usages> {
  const usages = new Map<string, Usage>();
  for (const [name, pid] of pids)
    usages.set(name, { cpuSeconds: cpuSeconds(pid), residentBytes: residentBytes(pid) });
  await Promise.all(
    metricsUrls.map(async (url) => {
      const usage = await scrape(url);
      if (usage) usages.set(usage.name, usage);
    }),
  );
  return usages;
}

/** What prom-client says of its own process; undefined where nobody answers. */
async function scrape(url: string): Promise<(Usage & { name: string }) | undefined> {
  const at = new URL(url);
  if (at.pathname === "/") at.pathname = "/metrics";
  try {
    const response = await fetch(at, { signal: AbortSignal.timeout(SCRAPE_LIMIT_MS) });
    const text = await response.text();
    const metric = (name: string) =>
      Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)`, "m").exec(text)?.[1] ?? Number.NaN);
    const component = /^process_cpu_seconds_total\{[^}]*component="([^"]+)"/m.exec(text)?.[1];
    const usage = {
      name: `${component ?? "process"} ${at.host}`,
      cpuSeconds: metric("process_cpu_seconds_total"),
      residentBytes: metric("process_resident_memory_bytes"),
    };
    return Number.isNaN(usage.cpuSeconds) ? undefined : usage;
  } catch {
    return undefined;
  }
}

/** CPU time of this machine since it started, in ticks. */
export interface MachineClock {
  idle: number;
  all: number;
}

export function machineClock(): MachineClock | undefined {
  try {
    const [line = ""] = readFileSync("/proc/stat", "utf8").split("\n");
    const ticks = line.trim().split(/\s+/).slice(1, 9).map(Number);
    return { idle: (ticks[3] ?? 0) + (ticks[4] ?? 0), all: ticks.reduce((a, b) => a + b, 0) };
  } catch {
    return undefined;
  }
}

/** Part of this machine's CPU time that was idle since `before`; undefined where nobody tells. */
export function idlePart(before?: MachineClock, after?: MachineClock): number | undefined {
  if (!before || !after || after.all <= before.all) return undefined;
  return (after.idle - before.idle) / (after.all - before.all);
}
