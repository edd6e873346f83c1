import { describe, expect, test } from "vitest";
import { find, helm, ofKind, render } from "./render.js";

const CPU_OF_GATEWAY = {
  type: "ContainerResource",
  containerResource: {
    name: "cpu",
    container: "gateway",
    target: { type: "Utilization", averageUtilization: 300 },
  },
};

describe.skipIf(!helm)("autoscaling", () => {
  test("is off until it is asked for, and then leaves the number of pods alone", async () => {
    const fixed = await render();
    expect(ofKind(fixed, "HorizontalPodAutoscaler")).toEqual([]);
    expect(find(fixed, "Deployment", "fanfare-gateway").spec.replicas).toBe(2);
    const scaled = await render({ values: { gateway: { autoscaling: { enabled: true } } } });
    expect(find(scaled, "Deployment", "fanfare-gateway").spec).not.toHaveProperty("replicas");
    expect(ofKind(scaled, "HorizontalPodAutoscaler")).toHaveLength(1);
  });

  test("of the gateway goes by CPU alone, or by open sockets too", async () => {
    const metricsWith = async (sockets: boolean) => {
      const autoscaling = { enabled: true, sockets: { enabled: sockets, perPod: 5_000 } };
      const manifests = await render({ values: { gateway: { autoscaling } } });
      return find(manifests, "HorizontalPodAutoscaler", "fanfare-gateway").spec.metrics;
    };
    expect(await metricsWith(false)).toEqual([CPU_OF_GATEWAY]);
    expect(await metricsWith(true)).toEqual([
      {
        type: "Pods",
        pods: {
          metric: { name: "quiz_ws_connections" },
          target: { type: "AverageValue", averageValue: "5000" },
        },
      },
      CPU_OF_GATEWAY,
    ]);
  });

  test("goes down a pod at a time, slowly", async () => {
    const { spec } = find(
      await render({ scenario: "ha" }),
      "HorizontalPodAutoscaler",
      "fanfare-gateway",
    );
    expect(spec.behavior.scaleDown).toEqual({
      stabilizationWindowSeconds: 300,
      policies: [{ type: "Pods", value: 1, periodSeconds: 300 }],
    });
    expect(spec.behavior.scaleUp.stabilizationWindowSeconds).toBe(0);
  });

  test("by lag is KEDA's, in place of the autoscaler of that workload", async () => {
    const manifests = await render({ scenario: "ha" });
    const { spec } = find(manifests, "ScaledObject", "fanfare-leaderboard");
    expect(spec.scaleTargetRef).toEqual({ name: "fanfare-leaderboard" });
    expect(spec.triggers[0]).toMatchObject({
      type: "prometheus",
      metadata: {
        query: 'sum(quiz_event_consumer_lag{namespace="games",component="leaderboard"})',
        threshold: "200",
      },
    });
    const scaled = ofKind(manifests, "HorizontalPodAutoscaler").map(
      ({ metadata }) => metadata.name,
    );
    expect(scaled.sort()).toEqual(["fanfare-gateway", "fanfare-quiz"]);
  });

  test("asks for metrics that the services have", async () => {
    const values = {
      history: { autoscaling: { enabled: true, lag: { enabled: true } } },
      leaderboard: { autoscaling: { enabled: true, lag: { enabled: true } } },
    };
    const queries = ofKind(await render({ values }), "ScaledObject").map(
      ({ spec }) => spec.triggers[0].metadata.query as string,
    );
    const { HistoryMetrics } = await import("../../services/quiz/src/history-metrics.js");
    const { LeaderboardMetrics } = await import("../../services/leaderboard/src/metrics.js");
    for (const { registry } of [new HistoryMetrics(1), new LeaderboardMetrics()]) {
      const known = registry.getMetricsAsArray().map(({ name }) => name);
      for (const query of queries) expect(known).toContain(/sum\((\w+)\{/.exec(query)?.[1]);
    }
  });
});
