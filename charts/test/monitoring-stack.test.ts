import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { WELL_KNOWN_PORTS } from "@fanfare/cli/stack/ports";
import { run } from "@fanfare/common/servers/run";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { findPrometheus, promtool } from "./prometheus.js";
import { find, helms, type Manifest, ofKind, podsOf, readYaml } from "./render.js";
import { findKustomize, findValidator } from "./tools.js";

const STACK = fileURLToPath(new URL("../../k8s/monitoring", import.meta.url));
const RUN_LIMIT_MS = 60_000;

const prometheus = await findPrometheus();
const kustomize = await findKustomize();
const validate = helms.length > 0 ? await findValidator() : undefined;
const text = await kustomize?.(STACK);
const manifests = parseAllDocuments(text ?? "").map((each) => each.toJSON() as Manifest);

interface ScrapeConfig {
  job_name: string;
  kubernetes_sd_configs?: object[];
  static_configs?: { targets: string[]; labels: Record<string, string> }[];
  relabel_configs?: { target_label?: string }[];
}
interface ConfigMapSource {
  name: string;
  items?: { key: string }[];
}
interface Volume {
  configMap?: ConfigMapSource;
  projected?: { sources: { configMap: ConfigMapSource }[] };
}

const configOf = async (file: string) =>
  readYaml(await readFile(join(STACK, file), "utf8")) as { scrape_configs: ScrapeConfig[] };

describe.skipIf(!kustomize)("the stack for kind", () => {
  test.skipIf(!validate)("is taken by the validation of an API server", async () => {
    const folder = await mkdtemp(join(tmpdir(), "fanfare-monitoring-"));
    try {
      const file = join(folder, "stack.yaml");
      await writeFile(file, text ?? "");
      expect(await validate?.(file)).toContain("OK");
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test("mounts all that is in it, and nothing else", () => {
    const volumes = podsOf(manifests).flatMap(({ spec }) => (spec.volumes ?? []) as Volume[]);
    const mounted = volumes.flatMap(({ configMap, projected }) => [
      ...(configMap ? [configMap] : []),
      ...(projected?.sources.map((source) => source.configMap) ?? []),
    ]);
    const made = ofKind(manifests, "ConfigMap");
    expect(mounted.map(({ name }) => name).sort()).toEqual(
      made.map(({ metadata }) => metadata.name).sort(),
    );
    for (const { name, items } of mounted)
      for (const { key } of items ?? [])
        expect(find(manifests, "ConfigMap", name).data).toHaveProperty([key]);
  });

  test("starts Prometheus and Grafana in the namespace that network policies know", () => {
    expect(ofKind(manifests, "Namespace").map(({ metadata }) => metadata.name)).toEqual([
      "monitoring",
    ]);
    for (const name of ["prometheus", "grafana"]) {
      const { metadata } = find(manifests, "Deployment", name);
      expect(metadata).toMatchObject({ namespace: "monitoring" });
    }
  });
});

test.skipIf(!prometheus)("Prometheus takes the settings for Kubernetes", async () => {
  const config = await configOf("prometheus.yaml");
  const [job, ...others] = config.scrape_configs;
  expect(others).toEqual([]);
  expect(job).toMatchObject({ job_name: "fanfare", kubernetes_sd_configs: [{ role: "pod" }] });
  const made = job?.relabel_configs?.flatMap(({ target_label }) => target_label ?? []);
  expect(made).toEqual(["namespace", "instance"]);
  // Debian's knows no Kubernetes: the rest is checked without.
  const { kubernetes_sd_configs: _, ...rest } = job as ScrapeConfig;
  const told = await promtool(prometheus as NonNullable<typeof prometheus>, ["check", "config"], {
    ...config,
    scrape_configs: [rest],
  });
  expect(told).toContain("SUCCESS");
});

test.skipIf(!prometheus)(
  "Prometheus takes the settings for make up, with both rule files",
  async () => {
    const file = join(STACK, "prometheus-local.yaml");
    const told = await run(prometheus?.promtool ?? "", ["check", "config", file], {
      timeoutMs: RUN_LIMIT_MS,
    });
    expect(told).toContain("SUCCESS: 2 rule files found");
  },
);

test("the settings for make up name the admin ports that it takes", async () => {
  const [job] = (await configOf("prometheus-local.yaml")).scrape_configs;
  const targets = job?.static_configs?.map(({ targets: [target], labels }) => [
    labels.instance?.replace(/-1$/, "-admin"),
    Number(target?.split(":")[1]),
  ]);
  const ports = Object.entries(WELL_KNOWN_PORTS).filter(([name]) => name.endsWith("-admin"));
  expect(Object.fromEntries(targets ?? [])).toEqual(Object.fromEntries(ports));
});
