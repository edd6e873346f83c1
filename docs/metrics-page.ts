/** docs/metrics.md as the tests read it: what every process must export, and nothing else. */
import { readFileSync } from "node:fs";

export interface PageMetric {
  name: string;
  type: string;
  exemplars: boolean;
  /** Sorted; without `component`, which all have. */
  labels: string[];
  /** Components that export it. */
  from: string[];
}

export const COMPONENTS = ["gateway", "quiz", "history", "leaderboard", "quiz-master"];

/** Tables without a column `from` say it by their heading. */
const FROM_HEADING: Record<string, string[]> = {
  "All processes": COMPONENTS,
  "Gateway: sockets": ["gateway"],
};

/** prom-client's own metrics, which the page does not list one by one. */
export function isClientsOwn(name: string): boolean {
  return /^(process|nodejs)_/.test(name);
}

export function readMetricsPage(): PageMetric[] {
  const text = readFileSync(new URL("metrics.md", import.meta.url), "utf8");
  return text.split(/^## /m).slice(1).flatMap(readSection);
}

function readSection(section: string): PageMetric[] {
  const [heading = "", ...lines] = section.split("\n");
  const [header = [], , ...rows] = lines.filter((line) => line.startsWith("|")).map(cellsOf);
  return rows.flatMap((cells) => {
    const cell = (column: string) => cells[header.indexOf(column)] ?? "";
    const [name = ""] = codes(cell("name"));
    const [type = "", exemplars] = cell("type").split(", ");
    if (isClientsOwn(name)) return [];
    const from = header.includes("from") ? cell("from").split(", ") : FROM_HEADING[heading];
    if (!from) throw new Error(`docs/metrics.md: who exports ${name}?`);
    const labels = codes(cell("labels")).sort();
    return [{ name, type, exemplars: exemplars === "exemplars", labels, from }];
  });
}

function cellsOf(line: string): string[] {
  return line
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());
}

function codes(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);
}
