/**
 * The tools that read a chart as users' tools do: Helm 3 and 4, and the API server's own validation
 * (kubectl-validate, with the schemas of Kubernetes and of four projects' resources inside their Go
 * modules). Taken from HELM (a command), PATH or the cache; what is missing is built by Go, once.
 */
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { personalCache } from "@fanfare/common/servers/binary";
import { withInstallLock } from "@fanfare/common/servers/install-lock";
import { commandPath, run } from "@fanfare/common/servers/run";

export interface Helm {
  /** As `4.3`. */
  version: string;
  /** Resolves with what it prints; rejects with what it says. */
  run(args: readonly string[]): Promise<string>;
}

const HELM_MODULES = {
  3: "helm.sh/helm/v3/cmd/helm@v3.22.0",
  4: "helm.sh/helm/v4/cmd/helm@v4.3.1",
} as const;
type Major = keyof typeof HELM_MODULES;

const KUSTOMIZE_MODULE = "sigs.k8s.io/kustomize/kustomize/v5@v5.7.1";
const VALIDATE_MODULE = "sigs.k8s.io/kubectl-validate@v0.0.4";
/** The oldest Kubernetes that the chart is for. */
const KUBERNETES = "1.30";
/** Module and folder of the resources that the chart can make beside those of Kubernetes. */
const RESOURCES = [
  ["sigs.k8s.io/gateway-api@v1.3.0", "config/crd/standard"],
  ["github.com/cert-manager/cert-manager@v1.18.2", "deploy/crds"],
  ["github.com/kedacore/keda/v2@v2.17.2", "config/crd/bases"],
  ["github.com/prometheus-operator/prometheus-operator@v0.85.0", "example/prometheus-operator-crd"],
] as const;

const BUILD_LIMIT_MS = 15 * 60_000;
const DOWNLOAD_LIMIT_MS = 5 * 60_000;
const RUN_LIMIT_MS = 60_000;

/** One Helm of each major version that could be had; says on stderr what is missing. */
export async function findHelms(): Promise<Helm[]> {
  const found = new Map<string, Helm>();
  for (const command of [process.env.HELM, await commandPath("helm")])
    if (command) {
      const helm = await helmOf(command);
      found.set(helm.version.split(".")[0] ?? "", helm);
    }
  for (const major of [3, 4] satisfies Major[]) {
    if (found.has(`${major}`)) continue;
    const path = await built(`helm-${major}`, HELM_MODULES[major]);
    if (path) found.set(`${major}`, await helmOf(path));
  }
  return [...found.values()];
}

/** Validates manifests as an API server would; undefined where the tool can't be had. */
export async function findValidator(): Promise<((file: string) => Promise<string>) | undefined> {
  const path = await built("kubectl-validate", VALIDATE_MODULE);
  if (!path) return undefined;
  const folders = await Promise.all(RESOURCES.map(moduleFolder)).catch(skipped("the validation"));
  if (!folders) return undefined;
  const resources = folders.flatMap((folder) => ["--local-crds", folder]);
  return (file) =>
    run(path, ["--version", KUBERNETES, ...resources, file], { timeoutMs: RUN_LIMIT_MS });
}

/** What `kubectl apply -k` would apply, as text; undefined where the tool can't be had. */
export async function findKustomize(): Promise<((folder: string) => Promise<string>) | undefined> {
  const path = (await commandPath("kustomize")) ?? (await built("kustomize", KUSTOMIZE_MODULE));
  if (!path) return undefined;
  return (folder) => run(path, ["build", folder], { timeoutMs: RUN_LIMIT_MS });
}

/** `command` may have words before Helm's own arguments, as `tool helm`. */
async function helmOf(command: string): Promise<Helm> {
  const [program = "", ...words] = command.split(" ");
  const runHelm = (args: readonly string[]) =>
    run(program, [...words, ...args], { timeoutMs: RUN_LIMIT_MS });
  const line = await runHelm(["version", "--short"]);
  return { version: /\d+\.\d+/.exec(line)?.[0] ?? line, run: runHelm };
}

/** Path of a program in the cache, built there by Go if need be. */
async function built(name: string, module: string): Promise<string | undefined> {
  const folder = join(personalCache(), `${name}-${module.split("@v")[1]}`);
  const path = join(folder, name.replace(/-\d$/, ""));
  if (await commandPath(path)) return path;
  if (!(await commandPath("go"))) {
    say(
      `SKIPPED: no ${name} on this machine and no Go to build it; put Helm on PATH or name it in HELM`,
    );
    return undefined;
  }
  return withInstallLock(personalCache(), name, async () => {
    if (await commandPath(path)) return path;
    say(`building ${name} with go (minutes, once)…`);
    const fresh = `${folder}.new`;
    await rm(fresh, { recursive: true, force: true });
    await mkdir(fresh, { recursive: true });
    const environment = [`GOBIN=${fresh}`, "GOFLAGS=-mod=mod", "CGO_ENABLED=0"];
    const build = ["go", "install", "-trimpath", "-ldflags=-s -w", module];
    await run("env", [...environment, ...build], { timeoutMs: BUILD_LIMIT_MS, cwd: fresh });
    await rename(fresh, folder);
    return path;
  }).catch(skipped(name));
}

const skipped = (name: string) => (error: Error) =>
  say(`SKIPPED: ${name} could not be had: ${error.message}`);

async function moduleFolder([module, folder]: (typeof RESOURCES)[number]): Promise<string> {
  const limits = { timeoutMs: DOWNLOAD_LIMIT_MS, cwd: "/" };
  const told = await run(
    "env",
    ["GOFLAGS=-mod=mod", "go", "mod", "download", "-json", module],
    limits,
  );
  return join((JSON.parse(told) as { Dir: string }).Dir, folder);
}

function say(line: string): undefined {
  process.stderr.write(`${line}\n`);
}
