/**
 * Prometheus and its promtool: from PATH, the cache, or taken out of Debian's package, which needs no root
 * and starts no service. Elsewhere what needs them is skipped, with a line that says so.
 */
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { personalCache } from "@fanfare/common/servers/binary";
import { withInstallLock } from "@fanfare/common/servers/install-lock";
import { commandPath, run } from "@fanfare/common/servers/run";
import { stringify } from "yaml";

export interface Prometheus {
  promtool: string;
  prometheus: string;
}

/** Files that the chart and plain Prometheus share. */
export const MONITORING = fileURLToPath(new URL("../fanfare/monitoring", import.meta.url));
export const RULES = ["slo", "causes"].map((name) => join(MONITORING, "rules", `${name}.yaml`));

const FETCH_LIMIT_MS = 5 * 60_000;
const RUN_LIMIT_MS = 60_000;

/** Undefined where it can't be had; throws where CI asks for it all the same. */
export async function findPrometheus(): Promise<Prometheus | undefined> {
  const onPath = await Promise.all(["promtool", "prometheus"].map(commandPath));
  if (onPath[0] && onPath[1]) return { promtool: onPath[0], prometheus: onPath[1] };
  const folder = join(personalCache(), "prometheus-debian");
  const cached = { promtool: join(folder, "promtool"), prometheus: join(folder, "prometheus") };
  try {
    if (!(await commandPath(cached.promtool))) await unpackDebian(folder);
    return cached;
  } catch (error) {
    const why = `no Prometheus on PATH, and none could be had: ${(error as Error).message}`;
    if (process.env.CI) throw new Error(why, { cause: error });
    process.stderr.write(`SKIPPED: rules and dashboards are not checked: ${why}\n`);
    return undefined;
  }
}

function unpackDebian(folder: string): Promise<void> {
  return withInstallLock(personalCache(), "prometheus", async () => {
    if (await commandPath(join(folder, "promtool"))) return;
    process.stderr.write("fetching Debian's prometheus with apt-get (20 MB, once)…\n");
    await mkdir(personalCache(), { recursive: true });
    const fresh = await mkdtemp(join(personalCache(), "new-"));
    const limits = { timeoutMs: FETCH_LIMIT_MS, cwd: fresh };
    // As the user who may write here, and not as apt's own.
    const download = ["-qq", "-o", "APT::Sandbox::User=root", "download", "prometheus"];
    try {
      await run("apt-get", download, limits).catch(async () => {
        await run("apt-get", ["-qq", "update"], limits);
        await run("apt-get", download, limits);
      });
      const packages = (await readdir(fresh)).filter((name) => name.endsWith(".deb"));
      await run("dpkg-deb", ["-x", packages[0] ?? "", fresh], limits);
      await rename(join(fresh, "usr", "bin"), folder);
    } finally {
      await rm(fresh, { recursive: true, force: true });
    }
  });
}

/** Runs promtool on a file with this content; rejects with what it says. */
export async function promtool(
  { promtool: command }: Prometheus,
  action: readonly string[],
  content: object,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fanfare-rules-"));
  try {
    const file = join(folder, "file.yaml");
    await writeFile(file, stringify(content, { aliasDuplicateObjects: false }));
    return await run(command, [...action, file], { timeoutMs: RUN_LIMIT_MS });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Series of promtool's tests by name with labels: `metric{label="value"}` to its values. */
export type Series = Readonly<Record<string, string>>;

export const inputSeries = (series: Series) =>
  Object.entries(series).map(([name, values]) => ({ series: name, values }));
