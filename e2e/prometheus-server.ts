/** A Prometheus that reads the processes of a stack every second, with Fanfare's rules. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Stack } from "@fanfare/cli/stack/start-stack";
import { freePort } from "@fanfare/common/servers/free-port";
import { ServerProcess } from "@fanfare/common/servers/server-process";
import { holdsWithin } from "@fanfare/common/servers/wait";
import { stringify } from "yaml";
import { type Prometheus, RULES } from "../charts/test/prometheus.js";

const READY_LIMIT_MS = 30_000;
const QUERY_LIMIT_MS = 10_000;

export interface PrometheusServer extends AsyncDisposable {
  readonly url: string;
  /** How many series an instant query gives whose value is a number. Rejects what is no query. */
  samples(expr: string): Promise<number>;
}

/** Resolves once every process has been read. */
export async function startPrometheus(
  { prometheus }: Prometheus,
  stack: Pick<Stack, "processes">,
): Promise<PrometheusServer> {
  const folder = await mkdtemp(join(tmpdir(), "fanfare-prometheus-"));
  const at = (name: string) => join(folder, name);
  const targets = [...stack.processes.values()].map(({ name, adminUrl }) => ({
    targets: [new URL(adminUrl).host],
    labels: { namespace: "local", instance: name },
  }));
  // Every 30 s is too seldom for a run of a minute.
  for (const [index, file] of RULES.entries())
    await writeFile(
      at(`rules-${index}.yaml`),
      (await readFile(file, "utf8")).replaceAll("interval: 30s", "interval: 2s"),
    );
  await writeFile(
    at("prometheus.yaml"),
    stringify({
      global: { scrape_interval: "1s", evaluation_interval: "2s" },
      rule_files: ["rules-*.yaml"],
      scrape_configs: [{ job_name: "fanfare", static_configs: targets }],
    }),
  );
  const address = `127.0.0.1:${await freePort()}`;
  const files = [`--config.file=${at("prometheus.yaml")}`, `--storage.tsdb.path=${at("data")}`];
  const server = await ServerProcess.spawn(
    { path: prometheus, args: [...files, `--web.listen-address=${address}`], cwd: folder },
    { stopSignal: "SIGTERM", logFile: at("log"), pidFile: at("pid") },
  );
  const stop = async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  const url = `http://${address}`;
  const samples = (expr: string) => countSamples(url, expr);
  // What was counted before the first reading is in no rate.
  const hasReadAll = () =>
    samples("quiz_build_info").then(
      (count) => count === targets.length,
      () => false,
    );
  if (!(await holdsWithin(READY_LIMIT_MS, hasReadAll))) {
    const log = await readFile(at("log"), "utf8");
    await stop();
    throw new Error(`Prometheus does not read all processes: ${log}`);
  }
  return { url, samples, [Symbol.asyncDispose]: stop };
}

async function countSamples(url: string, expr: string): Promise<number> {
  const response = await fetch(`${url}/api/v1/query`, {
    method: "POST",
    body: new URLSearchParams({ query: `count((${expr}) * 0 == 0)` }),
    signal: AbortSignal.timeout(QUERY_LIMIT_MS),
  });
  const told = (await response.json()) as {
    error?: string;
    data?: { result: { value: [number, string] }[] };
  };
  if (!told.data) throw new Error(`${expr}: ${told.error}`);
  return Number(told.data.result[0]?.value[1] ?? 0);
}
