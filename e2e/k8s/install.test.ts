/** From nothing to a played quiz: the way of somebody who installs Fanfare for the first time. */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Game } from "./game.js";
import { helm, kubectl, kubectlJson, kubectlWith, tell, until } from "./kube.js";
import {
  imageOf,
  install,
  isReady,
  labelsOf,
  type Pod,
  podsOf,
  type Release,
  selectorOf,
  uninstall,
  untilRolledOut,
} from "./release.js";
import { restrictedPod } from "./restricted-pod.js";

const release: Release = { name: "fanfare", namespace: "fanfare-e2e" };
const neighbour: Release = { name: "fanfare", namespace: "fanfare-e2e-b" };
const VALUES = fileURLToPath(new URL("values.yaml", import.meta.url));
const COMPONENTS = ["gateway", "quiz", "history", "leaderboard", "quiz-master"];
const STORES = ["nats", "redis", "postgresql"];
const INSTALL_LIMIT_S = 300;

beforeAll(async () => {
  await Promise.all([release, neighbour].map(uninstall));
});

afterAll(async () => {
  await Promise.all([release, neighbour].map(uninstall));
});

test("an installation is ready within five minutes, in a namespace that enforces restricted pods", async () => {
  const began = performance.now();
  await install(release, VALUES);
  const seconds = (performance.now() - began) / 1_000;
  tell(`installed and ready after ${seconds.toFixed(0)} s`);
  expect(seconds).toBeLessThan(INSTALL_LIMIT_S);
  for (const component of [...COMPONENTS, ...STORES]) {
    const pods = await podsOf(release, component);
    expect(pods.length, component).toBeGreaterThan(0);
    expect(pods.every(isReady), component).toBe(true);
  }
});

test("helm test plays a whole quiz; the test that must fail does", async () => {
  await helm("test", release.name, "-n", release.namespace, "--timeout", "3m");
  await install(release, VALUES, { "tests.fail": true });
  const failing = helm(
    "test",
    release.name,
    "-n",
    release.namespace,
    "--filter",
    "name=fanfare-test-fail",
  );
  await expect(failing).rejects.toThrow();
  await install(release, VALUES);
});

test("no pod of ours may write to its image, be root, or talk to the API server", async () => {
  for (const component of [...COMPONENTS, ...STORES]) {
    const [pod] = await podsOf(release, component);
    const name = pod?.metadata.name ?? "";
    const { spec } = await kubectlJson<{ spec: PodSpec }>(
      "get",
      "pod",
      name,
      "-n",
      release.namespace,
    );
    expect(spec.automountServiceAccountToken, component).toBe(false);
    expect(spec.securityContext.runAsNonRoot, component).toBe(true);
    for (const { securityContext } of spec.containers)
      expect(securityContext.readOnlyRootFilesystem, component).toBe(true);
  }
});

test("only those who have to reach a pod", async () => {
  const [quiz] = await podsOf(release, "quiz");
  const [postgres] = await podsOf(release, "postgresql");
  const [nats] = await podsOf(release, "nats");
  const [gateway] = await podsOf(release, "gateway");
  const targets: [Pod | undefined, number, string, boolean][] = [
    [gateway, 8_000, "stranger", true],
    [quiz, 9_001, "stranger", false],
    [postgres, 5_432, "stranger", false],
    [nats, 4_222, "stranger", false],
    [postgres, 5_432, "gateway", false],
    [quiz, 9_001, "gateway", true],
    [nats, 4_222, "gateway", true],
    [postgres, 5_432, "quiz", true],
  ];
  const seen = await Promise.all(
    targets.map(async ([pod, port, from]) => {
      if (!pod?.status.podIP) throw new Error("a pod without address");
      return reaches(release.namespace, from, pod.status.podIP, port);
    }),
  );
  expect(seen).toEqual(targets.map(([, , , may]) => may));
});

test("a drain takes one gateway and waits with the other until there is a new one", async () => {
  const [pod] = await podsOf(release, "gateway");
  const node = pod?.spec.nodeName ?? "";
  const selector = selectorOf(release, "gateway");
  try {
    const drain = kubectl(
      "drain",
      node,
      "--pod-selector",
      selector,
      "--ignore-daemonsets",
      "--timeout=45s",
    );
    await expect(drain).rejects.toThrow(/disruption budget|timeout|global timeout/i);
    expect((await podsOf(release, "gateway")).filter(isReady).length).toBeGreaterThanOrEqual(1);
  } finally {
    await kubectl("uncordon", node);
  }
  await untilRolledOut(release);
});

test("two releases in two namespaces do not touch each other", async () => {
  await install(neighbour, VALUES, {
    "nats.replicas": 1,
    "gateway.replicas": 1,
    "quiz.replicas": 1,
  });
  const plan = { id: "same_name", players: 20, rounds: 3, every: 2 };
  const games = await Promise.all([release, neighbour].map((each) => Game.start(each, plan)));
  const reports = await Promise.all(games.map((game) => game.report()));
  for (const report of reports) {
    expect(report.passed, report.text).toBe(true);
    expect(report.answers).toBe(60);
  }
  await uninstall(neighbour);
});

test("more load brings more gateways, by CPU", async () => {
  const values = {
    "gateway.autoscaling.enabled": true,
    "gateway.autoscaling.minReplicas": 2,
    "gateway.autoscaling.maxReplicas": 3,
    "gateway.autoscaling.cpuPercent": 60,
  };
  await install(release, VALUES, values);
  const game = await Game.start(release, { id: "busy", players: 1_000, rounds: 12, every: 5 });
  await until(
    "a third gateway",
    async () => (await podsOf(release, "gateway")).length > 2,
    150_000,
  );
  const report = await game.report();
  expect(report.passed, report.text).toBe(true);
});

interface PodSpec {
  automountServiceAccountToken?: boolean;
  securityContext: { runAsNonRoot?: boolean };
  containers: { securityContext: { readOnlyRootFilesystem?: boolean } }[];
}

/** Whether a pod that passes for this component of the release gets a connection. */
async function reaches(
  namespace: string,
  component: string,
  ip: string,
  port: number,
): Promise<boolean> {
  const name = `probe-${component}-${port}-${ip.replaceAll(".", "-")}`;
  const script = `const s=require("net").connect(${port},"${ip}",()=>process.exit(0));s.on("error",()=>process.exit(1));setTimeout(()=>process.exit(1),5000)`;
  const container = {
    name: "probe",
    image: imageOf("gateway"),
    // The network plugin needs a moment to know a new pod.
    args: ["-e", `setTimeout(()=>{${script}},2000)`],
    // Never ready, so that no Service sends anybody here.
    readinessProbe: { exec: { command: ["false"] } },
  };
  const labels = component === "stranger" ? { app: "stranger" } : labelsOf(release, component);
  const { metadata, spec } = restrictedPod({ container, labels });
  const probe = { apiVersion: "v1", kind: "Pod", metadata: { ...metadata, name }, spec };
  await kubectlWith(probe, "apply", "-n", namespace, "-f", "-");
  try {
    return await until(`${name} to end`, async () => {
      const { status } = await kubectlJson<Pod>("get", "pod", name, "-n", namespace);
      return status.phase === "Succeeded" ? "open" : status.phase === "Failed" ? "shut" : undefined;
    }).then((end) => end === "open");
  } finally {
    await kubectl("delete", "pod", name, "-n", namespace, "--wait=false");
  }
}
