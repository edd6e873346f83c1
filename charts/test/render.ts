/** Renders the chart, and finds things in what comes out. */
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse, parseAllDocuments } from "yaml";
import { findHelms, type Helm } from "./tools.js";

export const CHART = fileURLToPath(new URL("../fanfare", import.meta.url));
export const SEED = "only-for-tests-0123456789abcdef0123456789";
/** The newest Helm at hand; undefined: what renders is skipped, which the tools have said. */
export const helms: readonly Helm[] = await findHelms();
export const helm = helms.at(-1);

const APIS = [
  "gateway.networking.k8s.io/v1",
  "cert-manager.io/v1",
  "keda.sh/v1alpha1",
  "monitoring.coreos.com/v1",
];

export interface EnvEntry {
  name: string;
  value?: string;
  valueFrom?: {
    secretKeyRef?: { name: string; key: string };
    fieldRef?: { fieldPath: string };
  };
}

export interface Container {
  name: string;
  image: string;
  args?: string[];
  env?: EnvEntry[];
  ports?: { name: string; containerPort: number }[];
  volumeMounts?: { name: string; mountPath: string; readOnly?: boolean }[];
  resources: { requests: Record<string, string>; limits: Record<string, string> };
  securityContext: Record<string, unknown>;
  [probe: string]: unknown;
}

export interface PodSpec {
  containers: Container[];
  securityContext: Record<string, unknown>;
  volumes?: { name: string; secret?: { secretName: string }; [kind: string]: unknown }[];
  [field: string]: unknown;
}

/** Any object of Kubernetes; tests look into the part that they are about. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    labels: Record<string, string>;
    annotations?: Record<string, string>;
  };
  // biome-ignore lint/suspicious/noExplicitAny: one type for the objects of a dozen schemas
  spec?: any;
  data?: Record<string, string>;
}

export interface RenderOptions {
  values?: object;
  /** Scenario in ci/, before `values`. */
  scenario?: string;
  /** Without the seed that stands in for secrets. */
  bare?: boolean;
  apis?: readonly string[];
  helm?: Helm | undefined;
}

/** The text that `helm template` gives; rejects with what it says. */
export async function renderText(options: RenderOptions = {}): Promise<string> {
  const renderer = options.helm ?? helm;
  if (!renderer) throw new Error("no Helm");
  const folder = await mkdtemp(join(tmpdir(), "fanfare-chart-"));
  try {
    const file = join(folder, "values.yaml");
    const seed = options.bare || options.scenario ? {} : { secrets: { seed: SEED } };
    await writeFile(file, JSON.stringify({ ...seed, ...options.values }));
    const scenario = options.scenario ? ["-f", scenarioFile(options.scenario)] : [];
    const apis = (options.apis ?? APIS).flatMap((api) => ["--api-versions", api]);
    const args = ["template", "fanfare", CHART, "-n", "games", "--kube-version", "1.30.0"];
    return await renderer.run([...args, ...apis, ...scenario, "-f", file]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export async function render(options: RenderOptions = {}): Promise<Manifest[]> {
  const documents = parseAllDocuments(await renderText(options));
  return documents.flatMap((document) => (document.toJSON() as Manifest | null) ?? []);
}

/** What Helm says to values that it must refuse. */
export async function refusalOf(values: object, more: RenderOptions = {}): Promise<string> {
  return renderText({ ...more, values }).then(
    () => {
      throw new Error(`these values were taken: ${JSON.stringify(values)}`);
    },
    (error: Error) => error.message,
  );
}

export const scenarioFile = (name: string) => join(CHART, "ci", `${name}-values.yaml`);

export async function scenarios(): Promise<string[]> {
  const files = await readdir(join(CHART, "ci"));
  return files.map((file) => file.replace(/-values\.yaml$/, "")).sort();
}

export const readYaml = (text: string): unknown => parse(text);

/** The one object of this kind and name; throws where there is none. */
export function find(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.filter((each) => each.kind === kind && each.metadata.name === name);
  if (found.length !== 1 || !found[0]) throw new Error(`${found.length} objects ${kind} ${name}`);
  return found[0];
}

export const ofKind = (manifests: readonly Manifest[], kind: string) =>
  manifests.filter((each) => each.kind === kind);

/** Every pod that a rendering makes, with its owner's name. */
export function podsOf(manifests: readonly Manifest[]): { owner: string; spec: PodSpec }[] {
  return manifests.flatMap(({ kind, metadata, spec }) => {
    if (kind === "Pod") return [{ owner: metadata.name, spec: spec as PodSpec }];
    const pod = spec?.template?.spec as PodSpec | undefined;
    return pod ? [{ owner: metadata.name, spec: pod }] : [];
  });
}

export function containerOf(manifests: readonly Manifest[], owner: string): Container {
  const container = podsOf(manifests).find((pod) => pod.owner === owner)?.spec.containers[0];
  if (!container) throw new Error(`no pod ${owner}`);
  return container;
}
