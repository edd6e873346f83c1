/** One installation of the chart in a namespace of its own, which enforces Pod Security "restricted". */
import { fileURLToPath } from "node:url";
import { helm, kubectl, kubectlJson, kubectlWith } from "./kube.js";

export const CHART = fileURLToPath(new URL("../../charts/fanfare", import.meta.url));
/** Images as the nodes know them; see scripts/images.sh. */
export const IMAGES = {
  registry: process.env.IMAGE_REGISTRY ?? "",
  prefix: process.env.IMAGE_PREFIX ?? "fanfare",
  tag: process.env.IMAGE_TAG ?? "dev",
  /** The same under another tag, for an upgrade. */
  nextTag: process.env.IMAGE_NEXT_TAG ?? "next",
};

const INSTALL_LIMIT = "5m";

export interface Release {
  name: string;
  namespace: string;
}

export type Values = Record<string, string | number | boolean>;

/** From which the chart names its objects. */
export function fullNameOf({ name }: Release): string {
  return name.includes("fanfare") ? name : `${name}-fanfare`;
}

/** One of our images, as `gateway` or `cli`. */
export function imageOf(service: string): string {
  const { registry, prefix, tag } = IMAGES;
  return `${registry ? `${registry}/` : ""}${prefix}-${service}:${tag}`;
}

/** Labels of the pods of a component. */
export function labelsOf({ name }: Release, component: string) {
  return {
    "app.kubernetes.io/name": "fanfare",
    "app.kubernetes.io/instance": name,
    "app.kubernetes.io/component": component,
  };
}

/** Installs, or upgrades what is there, and waits until all is ready. */
export async function install(
  { name, namespace }: Release,
  valuesFile: string,
  values: Values = {},
): Promise<void> {
  await makeNamespace(namespace);
  const all = {
    "image.registry": IMAGES.registry,
    "image.repository": IMAGES.prefix,
    "image.tag": IMAGES.tag,
    ...values,
  };
  const sets = Object.entries(all).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  const where = ["-n", namespace, "-f", valuesFile, "--wait", "--timeout", INSTALL_LIMIT];
  await helm("upgrade", "--install", name, CHART, ...where, ...sets);
}

export async function makeNamespace(name: string): Promise<void> {
  const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
  await kubectlWith(
    { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } },
    "apply",
    "-f",
    "-",
  );
}

/** Removes the release with its namespace and volumes. */
export async function uninstall({ namespace }: Release): Promise<void> {
  await kubectl("delete", "namespace", namespace, "--ignore-not-found", "--wait=true");
}

export interface Pod {
  metadata: { name: string; labels: Record<string, string>; deletionTimestamp?: string };
  spec: { nodeName?: string };
  status: {
    phase: string;
    podIP?: string;
    conditions?: { type: string; status: string }[];
    containerStatuses?: { restartCount: number }[];
  };
}

/** For kubectl, the pods of a component. */
export function selectorOf(release: Release, component: string): string {
  const labels = Object.entries(labelsOf(release, component));
  return labels.map(([name, value]) => `${name}=${value}`).join(",");
}

/** Pods of a component that are not on their way out. */
export async function podsOf(release: Release, component: string): Promise<Pod[]> {
  const selector = selectorOf(release, component);
  const { items } = await kubectlJson<{ items: Pod[] }>(
    "get",
    "pods",
    "-n",
    release.namespace,
    "-l",
    selector,
  );
  return items.filter(({ metadata }) => !metadata.deletionTimestamp);
}

export function isReady({ status }: Pod): boolean {
  return (
    status.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") ?? false
  );
}

/** Waits until every workload of the release has all its pods, new ones included. */
export async function untilRolledOut({ name, namespace }: Release): Promise<void> {
  const selector = `app.kubernetes.io/instance=${name}`;
  const list = await kubectl(
    "get",
    "deployments,statefulsets",
    "-n",
    namespace,
    "-l",
    selector,
    "-o",
    "name",
  );
  for (const workload of list.split("\n").filter(Boolean))
    await kubectl("rollout", "status", workload, "-n", namespace, "--timeout", INSTALL_LIMIT);
}
