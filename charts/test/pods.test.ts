import { describe, expect, test } from "vitest";
import {
  type Container,
  containerOf,
  find,
  helm,
  type Manifest,
  ofKind,
  podsOf,
  render,
  scenarios,
} from "./render.js";

const WORKLOADS = ["gateway", "history", "leaderboard", "quiz", "quiz-master"];
const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}`;

describe.skipIf(!helm).each(await scenarios())("every pod of scenario %s", (scenario) => {
  test("passes Pod Security restricted, writes to volumes alone, and has no token", async () => {
    const pods = podsOf(await render({ scenario, values: { tests: { fail: true } } }));
    expect(pods.length).toBeGreaterThanOrEqual(7);
    for (const { spec } of pods) {
      expect(spec).toMatchObject({
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: {
          runAsNonRoot: true,
          runAsUser: expect.toSatisfy((user: number) => user > 0),
          seccompProfile: { type: "RuntimeDefault" },
        },
      });
      expect(spec).not.toHaveProperty("hostNetwork");
      for (const container of spec.containers)
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        });
      const allowed = ["configMap", "emptyDir", "name", "secret"];
      for (const volume of spec.volumes ?? [])
        expect(allowed).toEqual(expect.arrayContaining(Object.keys(volume)));
    }
  });

  test("asks for CPU and memory, and has a limit of memory", async () => {
    for (const { spec } of podsOf(await render({ scenario })))
      for (const { resources } of spec.containers)
        expect(resources).toMatchObject({
          requests: { cpu: expect.any(String), memory: expect.any(String) },
          limits: { memory: expect.any(String) },
        });
  });

  test("selects by the instance, so that two releases never mix", async () => {
    const manifests = await render({ scenario });
    for (const { spec } of [
      ...ofKind(manifests, "Deployment"),
      ...ofKind(manifests, "StatefulSet"),
    ]) {
      expect(spec.selector.matchLabels).toHaveProperty(["app.kubernetes.io/instance"], "fanfare");
      expect(spec.template.metadata.labels).toMatchObject(spec.selector.matchLabels);
    }
  });
});

describe.skipIf(!helm)("a workload", () => {
  test("is probed on the admin port, restarted for its loop alone, and may take a minute to stop", async () => {
    const manifests = await render();
    for (const name of WORKLOADS) {
      const container = containerOf(manifests, `fanfare-${name}`);
      expect(container).toMatchObject({
        startupProbe: { httpGet: { path: "/livez", port: "admin" } },
        livenessProbe: { httpGet: { path: "/livez", port: "admin" } },
        readinessProbe: { httpGet: { path: "/readyz", port: "admin" } },
      });
      const { template, strategy } = find(manifests, "Deployment", `fanfare-${name}`).spec;
      expect(template.spec.terminationGracePeriodSeconds).toBe(60);
      expect(strategy.rollingUpdate).toEqual({ maxUnavailable: 0, maxSurge: 1 });
      expect(find(manifests, "PodDisruptionBudget", `fanfare-${name}`).spec).toMatchObject({
        maxUnavailable: 1,
        unhealthyPodEvictionPolicy: "AlwaysAllow",
        selector: { matchLabels: template.metadata.labels },
      });
    }
  });

  test("only the history writer says what to run: the other images know", async () => {
    const manifests = await render();
    const args = WORKLOADS.map((name) => containerOf(manifests, `fanfare-${name}`).args);
    expect(args).toEqual([
      undefined,
      ["services/quiz/dist/history-main.js"],
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("takes what the user merges into its pods, the workload's own last", async () => {
    const manifests = await render({
      values: {
        podTemplate: {
          metadata: { annotations: { team: "games", rank: "all" } },
          spec: { nodeSelector: { disk: "fast" }, priorityClassName: "play" },
        },
        quiz: { podTemplate: { metadata: { annotations: { rank: "quiz" } } } },
      },
    });
    const { metadata, spec } = find(manifests, "Deployment", "fanfare-quiz").spec.template;
    expect(metadata.annotations).toMatchObject({ team: "games", rank: "quiz" });
    expect(metadata.annotations).toHaveProperty(["checksum/secrets"]);
    expect(spec).toMatchObject({ nodeSelector: { disk: "fast" }, priorityClassName: "play" });
    const nats = find(manifests, "StatefulSet", "fanfare-nats").spec.template.spec;
    expect(nats).toMatchObject({ nodeSelector: { disk: "fast" } });
    expect(containerOf(manifests, "fanfare-quiz").name).toBe("quiz");
  });

  test("runs the user's containers and volumes beside its own", async () => {
    const manifests = await render({
      scenario: "tls",
      values: {
        leaderboard: {
          initContainers: [{ name: "first", image: "a" }],
          extraContainers: [{ name: "beside", image: "b" }],
          extraVolumes: [{ name: "more", emptyDir: {} }],
          extraVolumeMounts: [{ name: "more", mountPath: "/more" }],
        },
      },
    });
    const { spec } = find(manifests, "Deployment", "fanfare-leaderboard").spec.template;
    expect(names(spec.initContainers)).toEqual(["first"]);
    expect(names(spec.containers)).toEqual(["leaderboard", "beside"]);
    expect(names(spec.volumes)).toEqual(["tls", "more"]);
    expect(names(spec.containers[0].volumeMounts)).toEqual(["tls", "more"]);
  });
});

describe.skipIf(!helm)("an image", () => {
  const imageOf = (manifests: Manifest[], name: string) =>
    containerOf(manifests, `fanfare-${name}`).image;

  test("is named by registry, prefix and tag; without a tag it is the app's version", async () => {
    expect(imageOf(await render(), "quiz-master")).toBe("fanfare-quiz-master:0.1.0");
    const image = { registry: "registry.example.org/games", repository: "live", tag: "7" };
    const manifests = await render({ values: { image } });
    expect(imageOf(manifests, "gateway")).toBe("registry.example.org/games/live-gateway:7");
    expect(imageOf(manifests, "history")).toBe("registry.example.org/games/live-quiz:7");
    expect(imageOf(manifests, "test-quiz")).toBe("registry.example.org/games/live-cli:7");
  });

  test("is taken by its digest where there is one, whatever the tag", async () => {
    const image = { tag: "7", digest: DIGEST };
    const values = { gateway: { image }, nats: { image }, image: { tag: "6" } };
    const manifests = await render({ values });
    expect(imageOf(manifests, "gateway")).toBe(`fanfare-gateway@${DIGEST}`);
    expect(imageOf(manifests, "nats")).toBe(`docker.io/library/nats@${DIGEST}`);
    expect(imageOf(manifests, "quiz")).toBe("fanfare-quiz:6");
  });
});

describe.skipIf(!helm)("NATS", () => {
  test("syncs each write, and three servers know each other", async () => {
    const manifests = await render({ scenario: "ha" });
    const config = find(manifests, "ConfigMap", "fanfare-nats").data?.["nats.conf"];
    expect(config).toContain('sync_interval: "always"');
    expect(config).toContain("routes: [$ROUTE_0, $ROUTE_1, $ROUTE_2]");
    const container = containerOf(manifests, "fanfare-nats");
    expect(container.env).toContainEqual({
      name: "ROUTE_2",
      value: '"nats://fanfare:$(SECRET)@fanfare-nats-2.fanfare-nats-headless:6222"',
    });
    expect(preStopOf(container)).toContain("ldm=/run/nats/nats.pid");
    // A copy that catches up is unhealthy too, and must not be restarted for it.
    expect(container.livenessProbe).toMatchObject({
      httpGet: { path: "/healthz?js-enabled-only=true" },
    });
    expect(find(manifests, "StatefulSet", "fanfare-nats").spec.replicas).toBe(3);
  });

  test("alone it has no cluster, and nowhere to send its clients", async () => {
    const manifests = await render();
    expect(find(manifests, "ConfigMap", "fanfare-nats").data?.["nats.conf"]).not.toContain(
      "routes",
    );
    const container = containerOf(manifests, "fanfare-nats");
    expect(container).not.toHaveProperty("lifecycle");
    // Only this says that a stream takes no writes since its disk was full.
    expect(container.livenessProbe).toMatchObject({ httpGet: { path: "/healthz" } });
  });
});

test.skipIf(!helm)("a datastore's pod is replaced when its configuration changes", async () => {
  const checksums = async (values: object) => {
    const manifests = await render({ values });
    return ["nats", "redis"].map(
      (store) =>
        find(manifests, "StatefulSet", `fanfare-${store}`).spec.template.metadata.annotations[
          "checksum/config"
        ],
    );
  };
  const [nats, redis] = await checksums({});
  const [otherNats, sameRedis] = await checksums({ nats: { maxPayload: "2MB" } });
  const [sameNats, otherRedis] = await checksums({ redis: { maxMemory: "1gb" } });
  expect([sameNats, sameRedis]).toEqual([nats, redis]);
  expect(otherNats).not.toBe(nats);
  expect(otherRedis).not.toBe(redis);
});

const names = (list: { name: string }[]) => list.map(({ name }) => name);

function preStopOf({ lifecycle }: Container): string {
  const { preStop } = lifecycle as { preStop: { exec: { command: string[] } } };
  return preStop.exec.command.join(" ");
}
