// Compiles charts/fanfare/monitoring/dashboards/*.yaml to the JSON that Grafana reads.
// `--check` writes nothing, and fails where the JSON is not what would be written.
//
// A panel: title, says (one sentence), unit, kind (timeseries, stat, heatmap), limit (red from there on), and
// queries {legend: expr}, or percentiles or heatmap of a histogram. needs: why a plain load run leaves it empty, by legend where only some lines.
// In an expr {NS} selects the installation and [R] is the window of a rate.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

export const DASHBOARDS = new URL("../charts/fanfare/monitoring/dashboards/", import.meta.url);
const DATASOURCE = { type: "prometheus", uid: "$datasource" };
/** Grafana's grid is 24 wide: six stats in a row, three of the others. */
const SIZES = { stat: { w: 4, h: 4 }, timeseries: { w: 8, h: 7 }, heatmap: { w: 8, h: 7 } };
const QUANTILES = { p50: 0.5, p99: 0.99, "p99.9": 0.999 };

/** The dashboards as they are written down, by name. */
export function definitions() {
  const files = readdirSync(DASHBOARDS).filter((file) => file.endsWith(".yaml"));
  return new Map(
    files
      .sort()
      .map((file) => [
        file.replace(".yaml", ""),
        parse(readFileSync(new URL(file, DASHBOARDS), "utf8")),
      ]),
  );
}

/** `[legend, expr]` of a panel, in Grafana's PromQL: with $namespace and $__rate_interval. */
export function queriesOf(panel) {
  const { queries, percentiles, heatmap } = panel;
  const grafana = (expr) =>
    expr
      .replace(/(?<=\{)NS(?=[,}])/g, 'namespace="$namespace"')
      .replaceAll("[R]", "[$__rate_interval]")
      .trim();
  const perSecond = (histogram) => `sum by (le) (rate(${histogram}_bucket{NS}[R]))`;
  if (percentiles)
    return Object.entries(QUANTILES).map(([legend, quantile]) => [
      legend,
      grafana(`histogram_quantile(${quantile}, ${perSecond(percentiles)})`),
    ]);
  if (heatmap) return [["{{le}}", grafana(perSecond(heatmap).replace("rate(", "increase("))]];
  return Object.entries(queries).map(([legend, expr]) => [legend, grafana(expr)]);
}

export function compile({ title, uid, says, rows }) {
  const panels = [];
  let y = 0;
  for (const { row, panels: members } of rows) {
    panels.push({ type: "row", title: row, collapsed: false, gridPos: { x: 0, y, w: 24, h: 1 } });
    y += 1;
    let x = 0;
    for (const panel of members) {
      const size = SIZES[panel.kind ?? "timeseries"];
      if (x + size.w > 24) {
        x = 0;
        y += size.h;
      }
      panels.push({ ...panelOf(panel), gridPos: { x, y, ...size } });
      x += size.w;
    }
    y += SIZES[members.at(-1).kind ?? "timeseries"].h;
  }
  return {
    title,
    uid,
    description: says,
    tags: ["fanfare"],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: "10s",
    time: { from: "now-30m", to: "now" },
    timezone: "browser",
    links: [
      { type: "dashboards", tags: ["fanfare"], title: "Fanfare", asDropdown: true, keepTime: true },
    ],
    templating: { list: VARIABLES },
    annotations: { list: [ALERTS] },
    panels: panels.map((panel, index) => ({ id: index + 1, ...panel })),
  };
}

const VARIABLES = [
  { name: "datasource", label: "Prometheus", type: "datasource", query: "prometheus" },
  {
    name: "namespace",
    label: "Installation",
    type: "query",
    datasource: DATASOURCE,
    query: { query: "label_values(quiz_build_info, namespace)", refId: "namespace" },
    refresh: 2,
    sort: 1,
  },
];

const ALERTS = {
  name: "Alerts",
  enable: true,
  iconColor: "red",
  datasource: DATASOURCE,
  expr: 'ALERTS{namespace="$namespace",alertstate="firing"}',
  titleFormat: "{{alertname}}",
};

function panelOf(panel) {
  const { title, says, unit, kind = "timeseries", limit } = panel;
  const targets = queriesOf(panel).map(([legendFormat, expr], index) => ({
    refId: String.fromCharCode(65 + index),
    datasource: DATASOURCE,
    expr,
    legendFormat,
    ...(kind === "heatmap" ? { format: "heatmap" } : {}),
    // Dots that lead to traces, where the histogram has them.
    ...(legendFormat === "p99" ? { exemplar: true } : {}),
  }));
  const steps = [{ color: "green", value: null }];
  if (limit !== undefined) steps.push({ color: "red", value: limit });
  const custom = kind === "timeseries" ? { custom: customOf(limit) } : {};
  return {
    type: kind,
    title,
    description: says,
    datasource: DATASOURCE,
    targets,
    fieldConfig: {
      defaults: { unit, min: 0, thresholds: { mode: "absolute", steps }, ...custom },
      overrides: [],
    },
    options: OPTIONS[kind](unit),
  };
}

const customOf = (limit) => ({
  lineWidth: 1,
  fillOpacity: 8,
  showPoints: "never",
  thresholdsStyle: { mode: limit === undefined ? "off" : "line" },
});

const OPTIONS = {
  timeseries: () => ({
    legend: { displayMode: "list", placement: "bottom", showLegend: true },
    tooltip: { mode: "multi", sort: "desc" },
  }),
  stat: () => ({
    colorMode: "value",
    graphMode: "area",
    reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false },
  }),
  heatmap: (unit) => ({ calculate: false, yAxis: { unit }, cellGap: 1, legend: { show: true } }),
};

function main() {
  for (const [name, definition] of definitions()) {
    const file = new URL(`${name}.json`, DASHBOARDS);
    const wanted = `${JSON.stringify(compile(definition), null, 1)}\n`;
    if (!process.argv.includes("--check")) {
      writeFileSync(file, wanted);
      console.log(fileURLToPath(file));
    } else if (!existsSync(file) || readFileSync(file, "utf8") !== wanted) {
      console.error(`${fileURLToPath(file)} is not up to date: run make chart-docs`);
      process.exitCode = 1;
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
