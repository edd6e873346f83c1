/** CPU time of a stack's processes, and what of it is not idling. */
import { nowMs } from "@fanfare/cli/crowd/clock";
import { cpuSeconds } from "@fanfare/cli/crowd/process-usage";
import type { Stack } from "@fanfare/cli/stack/start-stack";
import { sleep } from "./numbers.js";

const IDLE_MS = 2_000;

/** CPU seconds by process. */
export type Usage = ReadonlyMap<string, number>;

/** Of all services and servers since they started, without that of `ours`: a process of the bench. */
export function usageOf(stack: Stack, ours?: number): Usage {
  const processes = [...stack.processes, ...Object.entries(stack.servers)];
  return new Map(processes.map(([name, { pid }]) => [name, pid ? cpuSeconds(pid, ours) : 0]));
}

/** What each process has used since now, without idling; `idle` is per ms. */
export function usageSince(read: () => Usage, idle: Usage): () => Usage {
  const [before, from] = [read(), nowMs()];
  return () => {
    const after = read();
    const passed = nowMs() - from;
    return new Map(
      [...after].map(([name, all]) => [
        name,
        all - (before.get(name) ?? 0) - (idle.get(name) ?? 0) * passed,
      ]),
    );
  };
}

/** What each process uses per ms while nothing happens: for two seconds, once `settleMs` are over. */
export async function idleUsage(read: () => Usage, settleMs: number): Promise<Usage> {
  await sleep(settleMs);
  const [since, from] = [usageSince(read, new Map()), nowMs()];
  await sleep(IDLE_MS);
  const used = since();
  const passed = nowMs() - from;
  return new Map([...used].map(([name, seconds]) => [name, seconds / passed]));
}
