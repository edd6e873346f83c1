import { describe, expect, test } from "vitest";
import { find, helm, type Manifest, ofKind, render } from "./render.js";

interface Peer {
  podSelector?: { matchLabels: Record<string, string> };
  namespaceSelector?: { matchLabels: Record<string, string> };
}
interface Rule {
  ports: { port: string | number; protocol?: string }[];
  from?: Peer[];
  to?: Peer[];
}

const nameOf = ({ podSelector, namespaceSelector }: Peer): string => {
  const namespace = namespaceSelector?.matchLabels["kubernetes.io/metadata.name"];
  const labels = podSelector?.matchLabels ?? {};
  if (!namespace) expect(labels).toHaveProperty(["app.kubernetes.io/instance"], "fanfare");
  const pod = labels["app.kubernetes.io/component"] ?? labels["k8s-app"];
  return [namespace, pod].filter(Boolean).join("/");
};

/** `peer:port` for each pair that a rule allows; `*` where it allows anybody. */
function pairs(rules: readonly Rule[], side: "from" | "to"): string[] {
  return rules
    .flatMap((rule) =>
      (rule[side]?.map(nameOf) ?? ["*"]).flatMap((peer) =>
        rule.ports.map(({ port }) => `${peer}:${port}`),
      ),
    )
    .sort();
}

function policyOf(manifests: readonly Manifest[], component: string) {
  const { spec } = find(manifests, "NetworkPolicy", `fanfare-${component}`);
  expect(spec.podSelector.matchLabels).toMatchObject({ "app.kubernetes.io/component": component });
  expect(spec.policyTypes).toEqual(["Ingress", "Egress"]);
  return { ingress: pairs(spec.ingress, "from"), egress: pairs(spec.egress, "to") };
}

const DNS = ["kube-system/kube-dns:53", "kube-system/kube-dns:53"];

describe.skipIf(!helm)("network policies", () => {
  test("allow the call graph and nothing else", async () => {
    const manifests = await render();
    const found = Object.fromEntries(
      ofKind(manifests, "NetworkPolicy").map(({ metadata }) => {
        const component = metadata.name.replace("fanfare-", "");
        return [component, policyOf(manifests, component)];
      }),
    );
    expect(found).toEqual({
      gateway: {
        ingress: ["*:http", "monitoring:admin"],
        egress: [...DNS, "leaderboard:grpc", "nats:client", "quiz-master:grpc", "quiz:grpc"],
      },
      quiz: {
        ingress: ["gateway:grpc", "monitoring:admin", "test:grpc"],
        egress: [...DNS, "nats:client", "postgresql:postgresql", "quiz-master:grpc"],
      },
      history: {
        ingress: ["monitoring:admin"],
        egress: [...DNS, "nats:client", "postgresql:postgresql"],
      },
      leaderboard: {
        ingress: ["gateway:grpc", "monitoring:admin"],
        egress: [...DNS, "nats:client", "postgresql:postgresql", "redis:redis"],
      },
      "quiz-master": {
        ingress: ["gateway:grpc", "monitoring:admin", "quiz:grpc"],
        egress: [...DNS, "postgresql:postgresql"],
      },
      nats: {
        ingress: [
          "gateway:client",
          "history:client",
          "leaderboard:client",
          "monitoring:monitor",
          "nats:cluster",
          "quiz:client",
        ],
        egress: [...DNS, "nats:cluster"],
      },
      redis: { ingress: ["leaderboard:redis"], egress: [] },
      postgresql: {
        ingress: [
          "history:postgresql",
          "leaderboard:postgresql",
          "quiz-master:postgresql",
          "quiz:postgresql",
        ],
        egress: [],
      },
    });
  });

  test("name ports that the pods have", async () => {
    const manifests = await render();
    const workloads = [...ofKind(manifests, "Deployment"), ...ofKind(manifests, "StatefulSet")];
    const portsOf = new Map(
      workloads.map(({ metadata, spec }) => [
        metadata.name.replace("fanfare-", ""),
        spec.template.spec.containers[0].ports.map(({ name }: { name: string }) => name),
      ]),
    );
    for (const [component, ports] of portsOf) {
      const { ingress, egress } = policyOf(manifests, component);
      for (const pair of ingress) expect(ports).toContain(pair.split(":")[1]);
      for (const [peer = "", port] of egress.map((pair) => pair.split(":")))
        if (portsOf.has(peer)) expect(portsOf.get(peer)).toContain(port);
    }
  });

  test("let in players from where they are said to come, operators and publishers", async () => {
    const from = (name: string) => [
      { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } } },
    ];
    const networkPolicy = {
      players: from("ingress"),
      operators: from("ops"),
      publishers: from("shows"),
    };
    const manifests = await render({ values: { networkPolicy } });
    expect(policyOf(manifests, "gateway").ingress).toEqual([
      "ingress:http",
      "monitoring:admin",
      "test:http",
    ]);
    expect(policyOf(manifests, "leaderboard").ingress).toContain("ops:grpc");
    expect(policyOf(manifests, "nats").ingress).toContain("shows:client");
    expect(policyOf(manifests, "redis").ingress).toEqual(["leaderboard:redis"]);
  });

  test("open the way to external datastores, no further than is said", async () => {
    const manifests = await render({ scenario: "external" });
    const { egress } = find(manifests, "NetworkPolicy", "fanfare-leaderboard").spec;
    expect(egress).toContainEqual({ ports: [{ port: 6379 }, { port: 26379 }] });
    expect(egress).toContainEqual({
      ports: [{ port: 5432 }],
      to: [{ podSelector: { matchLabels: { "cnpg.io/cluster": "quiz-db" } } }],
    });
    const named = ofKind(manifests, "NetworkPolicy").map(({ metadata }) => metadata.name);
    expect(named).not.toContain("fanfare-redis");
  });

  test.each([
    ["http://otel.observability:4318", 4318],
    ["https://traces.example.org/otlp", 443],
    ["http://otel", 80],
  ])("open the way to the collector of traces at %s for all services", async (endpoint, port) => {
    const pods = [{ podSelector: { matchLabels: { app: "otel" } } }];
    const manifests = await render({ values: { tracing: { endpoint, collector: pods } } });
    for (const component of ["gateway", "quiz", "history", "leaderboard", "quiz-master"]) {
      const { egress } = find(manifests, "NetworkPolicy", `fanfare-${component}`).spec;
      expect(egress).toContainEqual({ ports: [{ port }], to: pods });
    }
    expect(policyOf(manifests, "nats").egress).not.toContain(`*:${port}`);
  });

  test("can be left out", async () => {
    const manifests = await render({ values: { networkPolicy: { enabled: false } } });
    expect(ofKind(manifests, "NetworkPolicy")).toEqual([]);
  });
});

describe.skipIf(!helm)("ways in", () => {
  test("there is none beside the Service unless it is asked for", async () => {
    const kinds = new Set((await render()).map(({ kind }) => kind));
    for (const kind of ["Ingress", "HTTPRoute", "GRPCRoute", "Gateway"])
      expect(kinds).not.toContain(kind);
    expect(find(await render(), "Service", "fanfare-gateway").spec).toMatchObject({
      type: "ClusterIP",
      ports: [{ name: "http", port: 8000, targetPort: "http", appProtocol: "kubernetes.io/ws" }],
    });
  });

  test("an HTTPRoute leads all paths to the gateway, without a time limit for sockets", async () => {
    const { spec } = find(await render({ scenario: "ha" }), "HTTPRoute", "fanfare-gateway");
    expect(spec).toEqual({
      parentRefs: [{ name: "fanfare" }],
      hostnames: ["quiz.example.org"],
      rules: [
        {
          matches: [{ path: { type: "PathPrefix", value: "/" } }],
          timeouts: { request: "0s" },
          backendRefs: [{ name: "fanfare-gateway", port: 8000 }],
        },
      ],
    });
  });

  test("a GRPCRoute leads each service's calls to its pods", async () => {
    const { spec } = find(await render({ scenario: "ha" }), "GRPCRoute", "fanfare-grpc");
    const routes = (spec.rules as { matches: unknown; backendRefs: unknown }[]).map(
      ({ matches, backendRefs }) => [matches, backendRefs],
    );
    const route = (service: string, name: string, port: number) => [
      [{ method: { service } }],
      [{ name, port }],
    ];
    expect(routes).toHaveLength(3);
    expect(routes).toEqual(
      expect.arrayContaining([
        route("quiz.v1.QuizService", "fanfare-quiz", 9001),
        route("leaderboard.v1.LeaderboardService", "fanfare-leaderboard", 9002),
        route("quizmaster.v1.QuizMasterService", "fanfare-quiz-master", 9003),
      ]),
    );
  });

  test("an Ingress leads its host names to the gateway", async () => {
    const { spec } = find(await render({ scenario: "external" }), "Ingress", "fanfare-gateway");
    expect(spec).toMatchObject({
      ingressClassName: "example",
      tls: [{ secretName: "quiz-example-org", hosts: ["quiz.example.org"] }],
      rules: [{ host: "quiz.example.org" }],
    });
    const everywhere = await render({ values: { ingress: { enabled: true } } });
    expect(find(everywhere, "Ingress", "fanfare-gateway").spec.rules[0]).not.toHaveProperty("host");
  });
});
