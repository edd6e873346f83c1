/** The load Job of k8s/, smaller: four pods are the parts of one session, and each checks its own book. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { kubectl, kubectlJson, kubectlWith, tell, until } from "./kube.js";
import { imageOf, install, type Release, uninstall } from "./release.js";

const release: Release = { name: "fanfare", namespace: "fanfare-e2e-load" };
const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const PARTS = 4;
const SMALLER = { players: 800, rounds: 4, "join-rate": 200 };
const LIMIT_MS = 240_000;

interface Job {
  metadata: { name: string };
  spec: {
    template: { spec: { containers: [{ image: string; args: string[]; resources: object }] } };
  };
}

interface Pods {
  items: { metadata: { name: string }; status: { phase: string } }[];
}

beforeAll(async () => {
  await uninstall(release);
  const { networkPolicy } = parse(await readFile(file("../../k8s/values-load.yaml"), "utf8"));
  const [publisher] = networkPolicy.publishers;
  const label = "podSelector.matchLabels.app\\.kubernetes\\.io/component";
  await install(release, file("values.yaml"), {
    [`networkPolicy.publishers[0].${label}`]:
      publisher.podSelector.matchLabels["app.kubernetes.io/component"],
    "nats.replicas": 1,
  });
});

afterAll(() => uninstall(release));

/** With other numbers in the places of the file's. */
async function smallerJob(): Promise<Job> {
  const job = parse(await readFile(file("../../k8s/load-job.yaml"), "utf8")) as Job;
  const [container] = job.spec.template.spec.containers;
  container.image = imageOf("cli");
  container.resources = { requests: { cpu: "50m", memory: "128Mi" } };
  for (const [flag, value] of Object.entries(SMALLER))
    container.args[container.args.indexOf(`-${flag}`) + 1] = String(value);
  return job;
}

test("all four parts find that their players' books, the log, PostgreSQL and the board agree", async () => {
  const job = await smallerJob();
  const at = ["-n", release.namespace];
  await kubectlWith(job, "create", ...at, "-f", "-");
  const phases = await until(
    "the end of all parts",
    async () => {
      const { items } = await kubectlJson<Pods>("get", "pods", ...at, "-l", "job-name=load");
      const all = items.map(({ status }) => status.phase);
      return all.length === PARTS && all.every((each) => /Succeeded|Failed/.test(each)) && all;
    },
    LIMIT_MS,
  );
  const text = await kubectl("logs", "-l", "job-name=load", ...at, "--prefix", "--tail=-1");
  expect(phases, text).toEqual(Array(PARTS).fill("Succeeded"));
  const agreed = [...text.matchAll(/All ledgers agree on (\d+) acknowledged answers/g)];
  expect(agreed.length, text).toBe(PARTS);
  tell(`the load's parts: ${agreed.map(([, answers]) => answers).join(", ")} answers agree`);
});
