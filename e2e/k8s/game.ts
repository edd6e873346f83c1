/**
 * A whole session with many players, played by `fanfare simulate` in a pod beside the release, through
 * the Service that people use. It exits with 0 only if its own book of acknowledged answers, PostgreSQL
 * and the board agree.
 */
import { kubectl, kubectlJson, kubectlWith, until } from "./kube.js";
import { fullNameOf, imageOf, labelsOf, type Release } from "./release.js";
import { restrictedPod } from "./restricted-pod.js";

export interface GamePlan {
  id: string;
  players: number;
  rounds: number;
  /** Seconds from round to round. */
  every: number;
}

export interface GameOptions {
  /** Secret with tls.crt, tls.key and ca.crt, where the services speak mutual TLS. */
  tlsSecret?: string;
}

export interface GameReport {
  passed: boolean;
  text: string;
  /** Acknowledged answers that all accounts agree on; 0 where they do not. */
  answers: number;
  comebacks: number;
  awayP99S: number;
  /** Most comebacks within one second. */
  peakPerSecond: number;
}

const FULL_LIMIT_MS = 240_000;

export class Game {
  private constructor(
    private readonly release: Release,
    readonly plan: GamePlan,
    private readonly job: string,
  ) {}

  /** Resolves once the first round is over: the players are in, and answers are coming. */
  static async start(release: Release, plan: GamePlan, options: GameOptions = {}): Promise<Game> {
    const job = `game-${plan.id.replaceAll("_", "-")}`;
    const objects = {
      apiVersion: "v1",
      kind: "List",
      items: [quizOf(plan, job), jobOf(release, plan, job, options)],
    };
    await kubectlWith(objects, "apply", "-n", release.namespace, "-f", "-");
    const game = new Game(release, plan, job);
    await until(`the first round of ${plan.id}`, async () => {
      const text = await game.#log();
      return /^round +1\//m.test(text) || (await game.#ended());
    });
    return game;
  }

  /** Resolves at its end, whatever that is. */
  async report(): Promise<GameReport> {
    const passed = await until(`the end of ${this.plan.id}`, () => this.#ended(), FULL_LIMIT_MS);
    const text = await this.#log();
    const [, answers = 0] = text.match(/agree on (\d+) answers/) ?? [];
    const back = text.match(/^(\d+) comebacks .*p99 ([\d.]+) s .*at most (\d+) in a second/m) ?? [];
    const [, comebacks = 0, awayP99S = 0, peakPerSecond = 0] = back.map(Number);
    return {
      passed: passed === "passed",
      text,
      answers: Number(answers),
      comebacks,
      awayP99S,
      peakPerSecond,
    };
  }

  #log(): Promise<string> {
    const { namespace } = this.release;
    return kubectl("logs", `job/${this.job}`, "-n", namespace, "--tail=-1").catch(() => "");
  }

  async #ended(): Promise<"passed" | "failed" | undefined> {
    const { status } = await kubectlJson<{ status: { succeeded?: number; failed?: number } }>(
      "get",
      "job",
      this.job,
      "-n",
      this.release.namespace,
    );
    if (status.succeeded) return "passed";
    return status.failed ? "failed" : undefined;
  }
}

function jobOf(release: Release, plan: GamePlan, job: string, { tlsSecret }: GameOptions): object {
  const full = fullNameOf(release);
  const token = { name: "TOKEN_SECRET", valueFrom: { secretKeyRef: secretOf(full) } };
  const tls = tlsSecret ? [{ name: "tls", secret: { secretName: tlsSecret } }] : [];
  const container = {
    name: "game",
    image: imageOf("cli"),
    args: argsOf(full, plan),
    env: [token, ...(tlsSecret ? TLS_FILES : [])],
    resources: { requests: { cpu: "100m", memory: "256Mi" } },
    volumeMounts: [
      { name: "quiz", mountPath: "/quiz", readOnly: true },
      ...tls.map((volume) => ({ name: volume.name, mountPath: "/tls", readOnly: true })),
    ],
  };
  // Let through by the chart's network policies, as its own test is.
  const labels = labelsOf(release, "test");
  const volumes = [{ name: "quiz", configMap: { name: job } }, ...tls];
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: job },
    spec: { backoffLimit: 0, template: restrictedPod({ container, labels, volumes }) },
  };
}

const TLS_FILES = [
  { name: "GRPC_CERT_FILE", value: "/tls/tls.crt" },
  { name: "GRPC_KEY_FILE", value: "/tls/tls.key" },
  { name: "GRPC_CA_FILE", value: "/tls/ca.crt" },
];

function argsOf(full: string, { id, players, rounds, every }: GamePlan): string[] {
  // A gateway that has just started may not know all services for some seconds.
  const numbers = { players, rounds, every, seed: 7, wait: 30 };
  return [
    ...["main.js", "simulate", "-name", id, "-quiz", "/quiz/quiz.json"],
    ...Object.entries(numbers).flatMap(([flag, value]) => [`-${flag}`, `${value}`]),
    ...["-url", `http://${full}-gateway:8000`, "-grpc", `${full}-quiz:9001`],
  ];
}

/** The questions, as the bank imports them. */
function quizOf({ id, rounds }: GamePlan, name: string): object {
  const questions = Array.from({ length: rounds }, (_, round) => ({
    question: `${round + 1}+${round}=?`,
    answer: `${round * 2 + 1}`,
    media: [],
  }));
  const data = { "quiz.json": JSON.stringify({ title: id, tags: [id], questions }) };
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data };
}

/** Where the chart keeps the secret that signs tokens. */
function secretOf(full: string): { name: string; key: string } {
  return { name: `${full}-secrets`, key: "token-secret" };
}
