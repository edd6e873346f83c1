/**
 * A session of 2,000 players goes on while something happens to the cluster: no acknowledged answer is
 * lost or counted twice, and those who lost their gateway are back within seconds.
 */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Game } from "./game.js";
import { helm, kubectl, tell } from "./kube.js";
import { IMAGES, install, podsOf, type Release, uninstall, untilRolledOut } from "./release.js";

const release: Release = { name: "fanfare", namespace: "fanfare-e2e" };
const VALUES = fileURLToPath(new URL("values.yaml", import.meta.url));
const PLAYERS = Number(process.env.K8S_PLAYERS ?? 2_000);
const EVERY_S = 5;
/** P10. */
const BACK_WITHIN_S = 5;
/** While NATS' servers are replaced too: to come back is to ask the log, which elects its leaders. */
const BACK_WITHOUT_LOG_WITHIN_S = 10;
/**
 * A gateway sends 500 a second away; the players' own process, which shares the node with all others,
 * bunches them (up to 1,270 seen).
 */
const COMEBACKS_PER_SECOND_MAX = 1_800;
/** Of all answers: the rest is refused, or never acknowledged, while something is away. */
const ACKNOWLEDGED_MIN = 0.6;

beforeAll(async () => {
  await uninstall(release);
  await install(release, VALUES);
});

afterAll(() => uninstall(release));

const namespaced = ["-n", release.namespace];

/** As an operator deletes it: with its time to say goodbye. */
async function deletePod(component: string): Promise<void> {
  await kubectl("delete", "pod", await firstOf(component), ...namespaced, "--wait=false");
}

/**
 * With a second to live, then SIGKILL. Not by force: Kubernetes would start the next one of a StatefulSet
 * while this one still writes to the same volume, which no datastore stands.
 */
async function killPod(name: string): Promise<void> {
  await kubectl("delete", "pod", name, ...namespaced, "--grace-period=1");
}

async function firstOf(component: string): Promise<string> {
  const [pod] = await podsOf(release, component);
  if (!pod) throw new Error(`there is no pod of ${component}`);
  return pod.metadata.name;
}

/** The NATS server that leads the log. */
async function logLeader(): Promise<string> {
  const path = `/api/v1/namespaces/${release.namespace}/pods/fanfare-nats-0:8222/proxy/jsz?accounts=true&streams=true`;
  const { account_details: accounts } = JSON.parse(await kubectl("get", "--raw", path)) as {
    account_details: { stream_detail: { name: string; cluster: { leader: string } }[] }[];
  };
  const streams = accounts.flatMap(({ stream_detail }) => stream_detail ?? []);
  const leader = streams.find(({ name }) => name === "QUIZ")?.cluster.leader;
  if (!leader) throw new Error("nobody leads the log");
  return leader;
}

async function restartAll(): Promise<void> {
  await kubectl("rollout", "restart", "deployment", ...namespaced);
  await kubectl("rollout", "restart", "statefulset/fanfare-nats", ...namespaced);
}

async function scale(replicas: number): Promise<void> {
  await kubectl("scale", "deployment/fanfare-gateway", `--replicas=${replicas}`, ...namespaced);
}

async function outAndIn(): Promise<void> {
  await scale(4);
  await kubectl("rollout", "status", "deployment/fanfare-gateway", ...namespaced, "--timeout=60s");
  await scale(2);
}

async function rollBack(): Promise<void> {
  await helm("rollback", release.name, ...namespaced, "--wait", "--timeout", "5m");
}

/** One pod of each kind after the other, each once the one before has a successor. */
async function deleteInTurn(): Promise<void> {
  for (const component of ["gateway", "quiz", "history", "leaderboard", "quiz-master"]) {
    await deletePod(component);
    await untilRolledOut(release);
  }
}

async function killInTurn(): Promise<void> {
  for (const component of ["gateway", "redis", "postgresql"]) {
    await killPod(await firstOf(component));
    await untilRolledOut(release);
  }
}

interface Disruption {
  what: string;
  rounds: number;
  disrupt(): Promise<void>;
  backWithinS?: number;
}

const disruptions: Disruption[] = [
  { what: "a pod of each kind is deleted, in turn", rounds: 10, disrupt: deleteInTurn },
  { what: "a gateway, Redis and PostgreSQL are killed, in turn", rounds: 8, disrupt: killInTurn },
  {
    what: "the NATS server that leads the log is killed",
    rounds: 5,
    disrupt: async () => killPod(await logLeader()),
  },
  { what: "gateways are scaled from two to four and back", rounds: 5, disrupt: outAndIn },
  {
    what: "everything is restarted, pod by pod",
    rounds: 12,
    disrupt: restartAll,
    backWithinS: BACK_WITHOUT_LOG_WITHIN_S,
  },
  {
    what: "an upgrade brings new images",
    rounds: 12,
    disrupt: () => install(release, VALUES, { "image.tag": IMAGES.nextTag }),
  },
  { what: "the upgrade is rolled back", rounds: 12, disrupt: rollBack },
];

test.each(disruptions)("$what in mid-quiz: nothing is lost", async (disruption) => {
  const { what, rounds, disrupt, backWithinS = BACK_WITHIN_S } = disruption;
  await untilRolledOut(release);
  const id = what.replaceAll(/[^a-z]+/gi, "_").toLowerCase();
  const game = await Game.start(release, { id, players: PLAYERS, rounds, every: EVERY_S });
  await disrupt();
  const report = await game.report();
  const { answers, comebacks, awayP99S, peakPerSecond } = report;
  tell(
    `${what}: ${answers}/${PLAYERS * rounds} answers agree, ${comebacks} comebacks, away p99 ${awayP99S} s, at most ${peakPerSecond}/s`,
  );
  expect(report.passed, report.text).toBe(true);
  expect(answers).toBeGreaterThan(ACKNOWLEDGED_MIN * PLAYERS * rounds);
  expect(awayP99S).toBeLessThanOrEqual(backWithinS);
  expect(peakPerSecond).toBeLessThanOrEqual(COMEBACKS_PER_SECOND_MAX);
});
