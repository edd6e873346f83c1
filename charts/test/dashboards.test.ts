import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { run } from "@fanfare/common/servers/run";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { type PageMetric, readMetricsPage } from "../../docs/metrics-page.js";
import {
  familyOf,
  panelsOf,
  readDashboards,
  type Selector,
  selectorsOf,
  substituted,
} from "./dashboards.js";
import { findPrometheus, inputSeries, promtool, RULES, type Series } from "./prometheus.js";

const SCRIPT = fileURLToPath(new URL("../../scripts/dashboards.mjs", import.meta.url));
const UNITS = ["short", "s", "reqps", "Bps", "bytes", "percentunit"];
/** What Prometheus and its service discovery add to what a process says. */
const TARGET_LABELS = ["namespace", "instance", "component", "job", "le"];
const FROM_EXPORTERS = /^(jetstream|gnatsd|redis|pg)_/;
const FROM_ELSEWHERE = /^(up|ALERTS|slo:.*|process_.*|nodejs_.*)$/;

const prometheus = await findPrometheus();
const dashboards = await readDashboards();
const metrics = new Map(readMetricsPage().map((metric) => [metric.name, metric]));
const exprs = dashboards
  .flatMap(panelsOf)
  .flatMap(({ targets }) => targets.map(({ expr }) => expr));
const rules = (
  await Promise.all(
    RULES.map(
      async (file) =>
        parse(await readFile(file, "utf8")) as { groups: { rules: { expr: string }[] }[] },
    ),
  )
).flatMap(({ groups }) => groups.flatMap((group) => group.rules));

test("the dashboards are what is written down", async () => {
  expect(dashboards.map(({ name }) => name)).toEqual(["datastores", "live-quiz", "load-test"]);
  await run(process.execPath, [SCRIPT, "--check"], { timeoutMs: 20_000 });
});

test.each(dashboards)(
  "$name has an address, ids, and a data source that is chosen",
  (dashboard) => {
    expect(dashboard.uid).toBe(`fanfare-${dashboard.name}`);
    expect(dashboard.description).toMatch(/^[A-Z].*\.$/);
    const [source, namespace] = dashboard.templating.list;
    expect(source).toMatchObject({ name: "datasource", type: "datasource", query: "prometheus" });
    expect(namespace).toMatchObject({ name: "namespace", type: "query" });
    const sources = JSON.stringify(dashboard).match(/"datasource":\{[^}]*\}/g) ?? [];
    expect(new Set(sources)).toEqual(
      new Set(['"datasource":{"type":"prometheus","uid":"$datasource"}']),
    );
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  },
);

test.each(dashboards)("panels of $name lie side by side", ({ panels: placed }) => {
  const taken = new Set<string>();
  for (const { gridPos, title } of placed) {
    expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        expect(taken, title).not.toContain(`${x},${y}`);
        taken.add(`${x},${y}`);
      }
  }
});

test.each(dashboards)("panels of $name say what they show, and in which unit", (dashboard) => {
  for (const { title, description, fieldConfig, targets } of panelsOf(dashboard)) {
    expect(description, title).toMatch(/^[A-Z][^\n]{10,150}\.$/);
    expect(UNITS, title).toContain(fieldConfig.defaults.unit);
    expect(targets.length, title).toBeGreaterThan(0);
    for (const { legendFormat } of targets) expect(legendFormat, title).not.toBe("");
    expect(new Set(targets.map(({ refId }) => refId)).size, title).toBe(targets.length);
  }
});

describe("metrics", () => {
  const sources = [
    ...dashboards.map((dashboard) => ({
      name: dashboard.name,
      exprs: panelsOf(dashboard).flatMap(({ targets, needs }) =>
        targets.map(({ expr }) => ({ expr, needs })),
      ),
    })),
    { name: "the rules", exprs: rules.map(({ expr }) => ({ expr, needs: "" })) },
  ];

  test.each(sources)("that $name speaks of are those of docs/metrics.md", (source) => {
    for (const { expr, needs } of source.exprs) {
      const selectors = selectorsOf(expr);
      expect(selectors, expr).not.toEqual([]);
      for (const selector of selectors)
        if (needs === "exporter") expect(selector.metric).toMatch(FROM_EXPORTERS);
        else if (!FROM_ELSEWHERE.test(selector.metric)) expectDocumented(selector);
    }
  });

  test("each of docs/metrics.md is on a panel or in a rule", () => {
    const shown = new Set(
      [...exprs, ...rules.map(({ expr }) => expr)]
        .flatMap(selectorsOf)
        .flatMap(({ metric }) => [metric, familyOf(metric)]),
    );
    expect(metrics.size).toBeGreaterThan(60);
    expect([...metrics.keys()].filter((name) => !shown.has(name))).toEqual([]);
  });
});

function expectDocumented({ metric, labels }: Selector) {
  const row = metrics.get(metric) ?? metrics.get(familyOf(metric));
  expect(row, `${metric} is not in docs/metrics.md`).toBeDefined();
  expect(row?.type === "histogram", metric).toBe(familyOf(metric) !== metric);
  for (const label of labels) expect([...TARGET_LABELS, ...(row?.labels ?? [])]).toContain(label);
}

describe.skipIf(!prometheus)("promtool", () => {
  test("takes every expression as a rule", async () => {
    const told = await promtool(prometheus as NonNullable<typeof prometheus>, ["check", "rules"], {
      groups: [{ name: "panels", rules: exprs.map(asRule) }],
    });
    expect(told).toContain(`SUCCESS: ${exprs.length} rules found`);
  });

  test("refuses a rule that is none", async () => {
    const groups = [{ name: "panels", rules: [asRule("sum(rate(x))")] }];
    const check = promtool(prometheus as NonNullable<typeof prometheus>, ["check", "rules"], {
      groups,
    });
    await expect(check).rejects.toThrow();
  });

  test.each(dashboards)("finds a sample for every expression of $name", async (dashboard) => {
    const targets = panelsOf(dashboard).flatMap((panel) => panel.targets);
    const told = await promtool(prometheus as NonNullable<typeof prometheus>, ["test", "rules"], {
      rule_files: RULES,
      evaluation_interval: "30s",
      tests: [
        {
          interval: "30s",
          input_series: inputSeries(syntheticSeries()),
          promql_expr_test: targets.map(({ expr }) => ({
            // Not a number is no sample.
            expr: `count((${substituted(expr, "games", "5m")}) * 0 == 0) > bool 0`,
            eval_time: "15m",
            exp_samples: [{ labels: "{}", value: 1 }],
          })),
        },
      ],
    });
    expect(told).toContain("SUCCESS");
  });
});

const asRule = (expr: string, index = 0) => ({
  record: `panel:${index}`,
  expr: substituted(expr, "games"),
});

/** Values of labels that some panel asks for by name; any other label is `x`. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  result: ["accepted", "joined", "open", "sockets", "stored", "UNAVAILABLE"],
  quantile: ["0.99"],
  rpc_method: ["quiz.v1.QuizService/SubmitAnswers"],
  db_system_name: ["redis", "postgresql"],
  error_type: ["UNAVAILABLE"],
};

/** Every metric of docs/metrics.md, and those of others that a panel names, all moving. */
function syntheticSeries(): Series {
  const series: Record<string, string> = {};
  const add = (name: string, labels: string[], row: Pick<PageMetric, "type">) => {
    const all = ['namespace="games"', 'component="gateway"', 'instance="gateway-1"', ...labels];
    const selector = `{${all.join(",")}}`;
    if (row.type !== "histogram") series[name + selector] = "1+100x40";
    else
      for (const [suffix, le] of [["_count"], ["_sum"], ...["0.25", "1", "+Inf"].map(bucket)])
        series[`${name}${suffix}{${[...all, ...(le ? [le] : [])].join(",")}}`] = "1+100x40";
  };
  for (const [name, row] of metrics)
    for (const labels of combinations(row.labels)) add(name, labels, row);
  for (const { metric, labels } of exprs.flatMap(selectorsOf))
    if (!metrics.has(familyOf(metric)) && !/^slo:|^ALERTS/.test(metric))
      add(
        metric,
        labels.filter(isOwn).map((label) => `${label}="x"`),
        { type: "counter" },
      );
  return series;
}

const isOwn = (label: string) => !TARGET_LABELS.includes(label);
const bucket = (le: string) => ["_bucket", `le="${le}"`];

const combinations = (labels: readonly string[]): string[][] =>
  labels.reduce<string[][]>(
    (sets, label) =>
      sets.flatMap((set) =>
        (VALUES[label] ?? ["x"]).map((value) => [...set, `${label}="${value}"`]),
      ),
    [[]],
  );
