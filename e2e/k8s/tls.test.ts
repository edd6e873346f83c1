/** Services that speak mutual TLS, with certificates from Secrets that are replaced in mid-quiz. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Authority } from "@fanfare/common/servers/certificates";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Game } from "./game.js";
import { helm, kubectl, kubectlWith, tell, until } from "./kube.js";
import { install, makeNamespace, podsOf, type Release, uninstall } from "./release.js";

const release: Release = { name: "fanfare", namespace: "fanfare-e2e-tls" };
const VALUES = fileURLToPath(new URL("values.yaml", import.meta.url));
const SERVICES = {
  gateway: "gateway",
  quiz: "quiz",
  leaderboard: "leaderboard",
  "quiz-master": "quizMaster",
  cli: "cli",
};
/** A kubelet looks after mounted Secrets once in a minute or so. */
const SEEN_WITHIN_MS = 150_000;

let folder: string;
let authority: Authority;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fanfare-k8s-tls-"));
  authority = await Authority.create(folder);
  await uninstall(release);
  await makeNamespace(release.namespace);
  await issueAll();
  const secrets = Object.entries(SERVICES).map(([name, key]) => [
    `tls.existingSecrets.${key}`,
    `${name}-tls`,
  ]);
  const one = { "nats.replicas": 1, "leaderboard.replicas": 1, "quizMaster.replicas": 1 };
  await install(release, VALUES, { ...one, "tls.enabled": true, ...Object.fromEntries(secrets) });
});

afterAll(async () => {
  await uninstall(release);
  await rm(folder, { recursive: true, force: true });
});

/** A new certificate for every service, in the Secret that its pods have mounted. */
async function issueAll(): Promise<void> {
  for (const name of Object.keys(SERVICES)) {
    const files = await authority.issue([`DNS:fanfare-${name}`]);
    const data = {
      "tls.crt": await readFile(files.certFile, "base64"),
      "tls.key": await readFile(files.keyFile, "base64"),
      "ca.crt": await readFile(files.caFile, "base64"),
    };
    const metadata = { name: `${name}-tls`, namespace: release.namespace };
    await kubectlWith({ apiVersion: "v1", kind: "Secret", metadata, data }, "apply", "-f", "-");
  }
}

/** Serial number of the certificate that the quiz service shows now, as a gateway sees it. */
async function serialOfQuiz(): Promise<string> {
  const script = `const s=require("tls").connect({host:"fanfare-quiz",port:9001,ALPNProtocols:["h2"],rejectUnauthorized:false},()=>{console.log(s.getPeerCertificate().serialNumber);process.exit()});s.on("error",()=>process.exit(1))`;
  const exec = ["exec", "deploy/fanfare-gateway", "-n", release.namespace, "-c", "gateway", "--"];
  return (await kubectl(...exec, "node", "-e", script)).trim();
}

test("helm test plays a whole quiz between services that speak mutual TLS", async () => {
  await helm("test", release.name, "-n", release.namespace, "--timeout", "3m");
});

test("a service takes no call in plain text", async () => {
  const script = `process.exitCode=3;const s=require("http2").connect("http://fanfare-quiz:9001");s.on("error",()=>{});s.request({":path":"/"}).on("response",()=>process.exit(0)).on("error",()=>{}).end()`;
  const exec = ["exec", "deploy/fanfare-gateway", "-n", release.namespace, "-c", "gateway", "--"];
  await expect(kubectl(...exec, "node", "-e", script)).rejects.toThrow(/exit code 3/);
});

test("certificates that are replaced in mid-quiz are shown without a restart, and nothing is lost", async () => {
  const before = await serialOfQuiz();
  const pods = (await podsOf(release, "quiz")).map(({ metadata }) => metadata.name).sort();
  const plan = { id: "rotated", players: 200, rounds: 30, every: 5 };
  const game = await Game.start(release, plan, { tlsSecret: "cli-tls" });
  const began = performance.now();
  await issueAll();
  await until("the new certificate", async () => (await serialOfQuiz()) !== before, SEEN_WITHIN_MS);
  tell(`new certificates shown after ${((performance.now() - began) / 1_000).toFixed(0)} s`);
  const report = await game.report();
  expect(report.passed, report.text).toBe(true);
  expect(report.answers).toBe(plan.players * plan.rounds);
  const after = await podsOf(release, "quiz");
  expect(after.map(({ metadata }) => metadata.name).sort()).toEqual(pods);
  expect(after.every(({ status }) => status.containerStatuses?.[0]?.restartCount === 0)).toBe(true);
});
