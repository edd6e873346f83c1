import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { RULES } from "./prometheus.js";
import { find, helm, type Manifest, ofKind, podsOf, readYaml, render } from "./render.js";

interface Group {
  name: string;
  rules: { alert?: string; annotations?: Record<string, string> }[];
}

describe.skipIf(!helm)("monitoring", () => {
  test("asks the cluster for nothing by default", async () => {
    const manifests = await render({ apis: [] });
    expect(manifests.map(({ apiVersion }) => apiVersion)).not.toContain("monitoring.coreos.com/v1");
    expect(manifests.filter((each) => each.metadata.labels.grafana_dashboard)).toEqual([]);
  });

  test("reads every process of the release by its port admin, and nothing else", async () => {
    const manifests = await render({ scenario: "monitoring" });
    const { spec, metadata } = find(manifests, "PodMonitor", "fanfare-pods");
    expect(metadata.labels).toMatchObject({ release: "monitoring" });
    expect(spec.jobLabel).toBe("app.kubernetes.io/name");
    const [endpoint] = spec.podMetricsEndpoints;
    expect(endpoint).toMatchObject({ port: "admin", interval: "15s", scrapeTimeout: "10s" });
    const [components] = spec.selector.matchExpressions;
    const withPort = podsOf(manifests)
      .filter(({ spec: { containers } }) =>
        containers.some(({ ports }) => ports?.some(({ name }) => name === endpoint.port)),
      )
      .map(({ owner }) => labelsOf(manifests, owner));
    expect(withPort.map((labels) => labels["app.kubernetes.io/component"]).sort()).toEqual(
      components.values,
    );
    for (const labels of withPort) expect(labels).toMatchObject(spec.selector.matchLabels);
  });

  test("gives the rules as plain Prometheus has them, but for where runbooks are read", async () => {
    const files = await Promise.all(RULES.map((file) => readFile(file, "utf8")));
    const plain = files.flatMap((text) => (readYaml(text) as { groups: Group[] }).groups);
    const groupsOf = async (values: object) => {
      const manifests = await render({ scenario: "monitoring", values });
      const { spec } = find(manifests, "PrometheusRule", "fanfare-rules");
      return (spec.groups as Group[]).sort(byName);
    };
    const unchanged = await groupsOf({ monitoring: { prometheusRule: { runbooks: "" } } });
    expect(unchanged).toEqual(plain.sort(byName));
    const urls = (await groupsOf({}))
      .flatMap(({ rules }) => rules)
      .flatMap(({ alert, annotations }) => (alert ? [[alert, annotations?.runbook_url]] : []));
    expect(urls.length).toBeGreaterThan(15);
    for (const [alert, url] of urls)
      expect(url).toBe(`https://runbooks.example.org/fanfare/${alert}.md`);
  });

  test("gives each dashboard as Grafana's sidecar takes it", async () => {
    const manifests = await render({ scenario: "monitoring" });
    const found = ofKind(manifests, "ConfigMap").filter(
      ({ metadata }) => metadata.labels.grafana_dashboard === "1",
    );
    expect(found.map(({ metadata }) => metadata.name).sort()).toEqual([
      "fanfare-dashboard-datastores",
      "fanfare-dashboard-live-quiz",
      "fanfare-dashboard-load-test",
    ]);
    for (const { data, metadata } of found) {
      expect(metadata.annotations).toEqual({ grafana_folder: "Fanfare" });
      const [[file, content] = ["", ""]] = Object.entries(data ?? {});
      expect(JSON.parse(content)).toMatchObject({ uid: file.replace(".json", "") });
    }
  });
});

const byName = (a: Group, b: Group) => a.name.localeCompare(b.name);

function labelsOf(manifests: readonly Manifest[], owner: string): Record<string, string> {
  return find(manifests, "Deployment", owner).spec.template.metadata.labels;
}
