/** How much a stack has done, by its own metrics: counts that no other work on the machine changes. */
import type { Stack } from "@fanfare/cli/stack/start-stack";

/** What is counted, of which kind of process, by which metric. */
const COUNTED = {
  calls: [
    "quiz",
    /^rpc_server_call_duration_seconds_count\{.*rpc_method="SubmitAnswers".*\} (\S+)$/,
  ],
  entries: ["quiz", /^quiz_events_published_total\{.*result="stored".*\} (\S+)$/],
  snapshots: ["leaderboard", /^quiz_leaderboard_snapshots_total\{.*\} (\S+)$/],
  "Redis calls": [
    "leaderboard",
    /^db_client_operation_duration_seconds_count\{.*"redis".*\} (\S+)$/,
  ],
  transactions: [
    "history",
    /^db_client_operation_duration_seconds_count\{.*"write batch".*\} (\S+)$/,
  ],
} as const;

export type Counts = Readonly<Record<keyof typeof COUNTED, number>>;

/** Since the processes were started. */
export async function countsOf(stack: Stack): Promise<Counts> {
  const lines = new Map<string, string[]>();
  for (const [name, { adminUrl }] of stack.processes) {
    const text = await (await fetch(`${adminUrl}/metrics`)).text();
    const kind = name.replace(/-\d+$/, "");
    lines.set(kind, [...(lines.get(kind) ?? []), ...text.split("\n")]);
  }
  const counted = Object.entries(COUNTED).map(([name, [kind, pattern]]) => {
    const values = (lines.get(kind) ?? []).map((line) => Number(pattern.exec(line)?.[1] ?? 0));
    return [name, values.reduce((all, each) => all + each, 0)];
  });
  return Object.fromEntries(counted) as Counts;
}

/** What came between two looks, for each of so many answers. */
export function perAnswer(before: Counts, after: Counts, answers: number): Record<string, number> {
  return Object.fromEntries(
    Object.entries(after).map(([name, count]) => [
      name,
      (count - before[name as keyof Counts]) / answers,
    ]),
  );
}
