/** An installation on datastores that others run: NATS, Redis and PostgreSQL of another namespace. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Authority } from "@fanfare/common/servers/certificates";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Game } from "./game.js";
import { helm, kubectl } from "./kube.js";
import { install, makeNamespace, type Release, uninstall } from "./release.js";
import { startStores, tellStores } from "./stores.js";

const release: Release = { name: "fanfare", namespace: "fanfare-e2e-external" };
const STORES = "fanfare-e2e-stores";
const VALUES = fileURLToPath(new URL("values.yaml", import.meta.url));
/** One of each is enough to see how they reach their stores. */
const FEW = ["gateway", "quiz", "history", "leaderboard", "quizMaster"].map((name) => [
  `${name}.replicas`,
  1,
]);

let folder: string;

async function removeAll(): Promise<void> {
  await Promise.all([release, { name: "", namespace: STORES }].map(uninstall));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fanfare-k8s-stores-"));
  const authority = await Authority.create(folder);
  await removeAll();
  await startStores(STORES, authority);
  await makeNamespace(release.namespace);
  const values = await tellStores({ stores: STORES, release: release.namespace }, authority);
  await install(release, VALUES, { ...values, ...Object.fromEntries(FEW) });
});

afterAll(async () => {
  await removeAll();
  await rm(folder, { recursive: true, force: true });
});

test("a whole quiz is played, and no datastore of ours is there", async () => {
  await helm("test", release.name, "-n", release.namespace, "--timeout", "3m");
  const own = await kubectl("get", "statefulsets,pvc", "-n", release.namespace, "-o", "name");
  expect(own).toBe("");
});

test("their Redis is replaced by an empty one in mid-quiz, and nothing is lost", async () => {
  const plan = { id: "external", players: 200, rounds: 8, every: 5 };
  const game = await Game.start(release, plan);
  await kubectl("delete", "pod", "-l", "store=redis", "-n", STORES, "--grace-period=1");
  const report = await game.report();
  expect(report.passed, report.text).toBe(true);
  // Redis is asked for no answer; on a busy node a few players are too late.
  expect(report.answers).toBeGreaterThan(0.95 * plan.players * plan.rounds);
});
