/** docs/metrics.md and the services' own definitions say the same, in both directions. */
import type { Metrics } from "@fanfare/common/metrics";
import { expect, test } from "vitest";
import { GatewayMetrics } from "../services/gateway/src/metrics.js";
import { LeaderboardMetrics } from "../services/leaderboard/src/metrics.js";
import { HistoryMetrics } from "../services/quiz/src/history-metrics.js";
import { QuizMetrics } from "../services/quiz/src/metrics.js";
import { QuizMasterMetrics } from "../services/quiz-master/src/metrics.js";
import { COMPONENTS, isClientsOwn, readMetricsPage } from "./metrics-page.js";

const METRICS: Record<string, () => Metrics> = {
  gateway: () => new GatewayMetrics(),
  quiz: () => new QuizMetrics(),
  history: () => new HistoryMetrics(1),
  leaderboard: () => new LeaderboardMetrics(),
  "quiz-master": () => new QuizMasterMetrics(),
};

/** prom-client's types do not show all of this. */
interface Defined {
  name: string;
  type: string;
  labelNames: string[];
  enableExemplars?: boolean;
}

test.each(COMPONENTS)("%s exports what the page lists, with its types and labels", (component) => {
  const defined = METRICS[component]?.().registry.getMetricsAsArray() as unknown as Defined[];
  const exported = defined
    .filter(({ name }) => !isClientsOwn(name))
    .map(({ name, type, labelNames, enableExemplars = false }) => ({
      name,
      type,
      exemplars: enableExemplars,
      labels: [...labelNames].sort(),
    }));
  const listed = readMetricsPage()
    .filter(({ from }) => from.includes(component))
    .map(({ from: _, ...metric }) => metric);
  expect(byName(exported)).toEqual(byName(listed));
});

test("the page knows only processes that there are, and lists no metric twice", () => {
  const page = readMetricsPage();
  for (const { from } of page)
    for (const component of from) expect(COMPONENTS).toContain(component);
  expect(new Set(page.map(({ name }) => name)).size).toBe(page.length);
  expect(page.length).toBeGreaterThan(60);
});

function byName<T extends { name: string }>(metrics: T[]): T[] {
  return metrics.sort((a, b) => (a.name < b.name ? -1 : 1));
}
