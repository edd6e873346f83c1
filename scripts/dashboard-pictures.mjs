// Draws each dashboard from what a Prometheus has recorded, as SVG: for the docs, and for who has no Grafana.
//   node scripts/dashboard-pictures.mjs [-url http://localhost:9090] [-minutes 5] [-out docs/dashboards]
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { drawDashboard } from "./dashboard-svg.mjs";

const DASHBOARDS = fileURLToPath(
  new URL("../charts/fanfare/monitoring/dashboards/", import.meta.url),
);
const STEPS = 80;
const QUERIES_AT_ONCE = 4;

const { values } = parseArgs({
  args: process.argv.slice(2).map((word) => word.replace(/^-(?=\w{2})/, "--")),
  options: {
    url: { type: "string", default: "http://localhost:9090" },
    minutes: { type: "string", default: "5" },
    out: { type: "string", default: fileURLToPath(new URL("../docs/dashboards", import.meta.url)) },
  },
});

async function ask(path, query) {
  const body = new URLSearchParams(query);
  const response = await fetch(`${values.url}/api/v1/${path}`, { method: "POST", body });
  const { data, error } = await response.json();
  if (!data) throw new Error(`${query.query}: ${error}`);
  return data.result;
}

const end = Math.floor(Date.now() / 1_000);
const start = end - Number(values.minutes) * 60;
const step = Math.max(1, Math.round((end - start) / STEPS));

/** The installation that was seen last. */
const [seen] = await ask("query", {
  query: "group by (namespace) (last_over_time(quiz_build_info[1h]))",
});
const namespace = seen?.metric.namespace ?? "";
/** As Grafana has it: four readings, and never less than a step of the picture. */
const rateWindow = `${Math.max(20, step)}s`;

/** `{legend, points: [time, value][]}` of a panel's lines. */
async function read(panel) {
  const lines = [];
  for (const { expr, legendFormat } of panel.targets ?? []) {
    const query = expr
      .replaceAll("$namespace", namespace)
      .replaceAll("$__rate_interval", rateWindow);
    for (const { metric, values: points } of await ask("query_range", { query, start, end, step }))
      lines.push({
        legend: legendFormat.replace(/\{\{(\w+)\}\}/g, (_, label) => metric[label] ?? ""),
        points: points.map(([time, value]) => [time, Number(value)]),
      });
  }
  return { ...panel, lines };
}

mkdirSync(values.out, { recursive: true });
for (const file of readdirSync(DASHBOARDS).filter((name) => name.endsWith(".json"))) {
  const dashboard = JSON.parse(readFileSync(join(DASHBOARDS, file), "utf8"));
  const panels = [];
  for (let i = 0; i < dashboard.panels.length; i += QUERIES_AT_ONCE)
    panels.push(...(await Promise.all(dashboard.panels.slice(i, i + QUERIES_AT_ONCE).map(read))));
  const out = join(values.out, file.replace(".json", ".svg"));
  writeFileSync(out, drawDashboard({ title: dashboard.title, panels, start, end }));
  console.log(out);
}
