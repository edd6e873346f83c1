/** The dashboards as Grafana reads them, and what their expressions speak of. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { MONITORING } from "./prometheus.js";

export interface Target {
  refId: string;
  expr: string;
  legendFormat: string;
  datasource: { uid: string };
}

export interface Panel {
  id: number;
  type: string;
  title: string;
  description: string;
  datasource: { uid: string };
  targets: Target[];
  gridPos: { x: number; y: number; w: number; h: number };
  fieldConfig: {
    defaults: { unit: string; thresholds: { steps: { color: string; value: number | null }[] } };
  };
  /** Why a load run on a healthy stack leaves it empty; by legend where only some lines. */
  needs?: string | Record<string, string>;
}

export interface Dashboard {
  name: string;
  title: string;
  uid: string;
  description: string;
  templating: { list: { name: string; type: string; query: unknown }[] };
  panels: (Panel | (Pick<Panel, "id" | "title" | "gridPos"> & { type: "row" }))[];
}

const FOLDER = join(MONITORING, "dashboards");

export async function readDashboards(): Promise<Dashboard[]> {
  const names = (await readdir(FOLDER)).filter((file) => file.endsWith(".json")).sort();
  return Promise.all(
    names.map(async (file) => {
      const [compiled, written] = await Promise.all(
        [file, file.replace(".json", ".yaml")].map((each) => readFile(join(FOLDER, each), "utf8")),
      );
      const dashboard = JSON.parse(compiled ?? "") as Dashboard;
      const sources = (parse(written ?? "") as { rows: { panels: Partial<Panel>[] }[] }).rows;
      // Only where a panel is written down does it say what it needs.
      const needs = sources.flatMap(({ panels }) => panels.map((panel) => panel.needs));
      for (const [index, panel] of panelsOf(dashboard).entries())
        if (needs[index] !== undefined) panel.needs = needs[index];
      return { ...dashboard, name: file.replace(".json", "") };
    }),
  );
}

/** Without the rows, which hold nothing. */
export const panelsOf = ({ panels }: Pick<Dashboard, "panels">): Panel[] =>
  panels.filter((panel): panel is Panel => panel.type !== "row");

/** What Grafana does with its variables. */
export const substituted = (expr: string, namespace: string, window = "1m"): string =>
  expr.replaceAll("$namespace", namespace).replaceAll("$__rate_interval", window);

export interface Selector {
  metric: string;
  labels: string[];
}

/** Every `metric{label="…"}` of an expression; a metric without braces has no labels. */
export function selectorsOf(expr: string): Selector[] {
  const plain = expr
    .replace(/"(?:[^"\\]|\\.)*"/g, '""')
    .replace(/\b(?:by|without|on|ignoring)\s*\([^)]*\)/g, " ")
    .replace(/\[[^\]]*\]/g, " ");
  const words = plain.matchAll(/(?<!\w)([a-zA-Z_:][\w:]*)\s*(\{[^}]*\}|\(|)/g);
  return [...words].flatMap(([, metric = "", after = ""]) => {
    if (after === "(" || KEYWORDS.has(metric)) return [];
    return [
      { metric, labels: [...after.matchAll(/(\w+)\s*(?:=|!)/g)].map(([, name = ""]) => name) },
    ];
  });
}

const KEYWORDS = new Set(["and", "or", "unless", "offset", "bool", "inf", "nan"]);

/** The metric that a series of a histogram belongs to. */
export const familyOf = (metric: string) => metric.replace(/_(bucket|sum|count)$/, "");
