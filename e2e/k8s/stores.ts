/**
 * Datastores as somebody else runs them, in a namespace of their own: each with TLS and a password, Redis
 * behind a sentinel. What the chart has to know of them stands in Secrets in the release's namespace.
 */
import { readFile } from "node:fs/promises";
import type { Authority } from "@fanfare/common/servers/certificates";
import { kubectl, kubectlWith } from "./kube.js";
import type { Values } from "./release.js";

const PASSWORD = "not-a-secret-in-a-test";
/** The user of the images of Valkey and PostgreSQL; any will do for NATS. */
const USER_ID = 999;

const NATS_CONFIG = `
port: 4222
jetstream { store_dir: /data, sync_interval: always }
tls { cert_file: /tls/tls.crt, key_file: /tls/tls.key }
authorization { users: [{ user: fanfare, password: "${PASSWORD}" }] }
`;

const VALKEY_TLS = `
tls-cert-file /tls/tls.crt
tls-key-file /tls/tls.key
tls-ca-cert-file /tls/ca.crt
tls-auth-clients no
tls-replication yes
`;
const VALKEY_CONFIG = `
port 0
tls-port 6379
${VALKEY_TLS}
requirepass ${PASSWORD}
save ""
dir /data
`;
const sentinelConfig = (host: string) => `
port 0
tls-port 26379
${VALKEY_TLS}
dir /data
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
sentinel monitor mymaster ${host} 6379 1
sentinel auth-pass mymaster ${PASSWORD}
`;

interface Store {
  name: string;
  ports: number[];
  config?: Record<string, string>;
  containers: object[];
}

function storesOf(namespace: string): Store[] {
  const redis = `redis.${namespace}.svc`;
  const valkey = (name: string, mode = "") => ({
    name,
    image: "docker.io/valkey/valkey:8",
    command: [
      "sh",
      "-c",
      `cp /config/${name}.conf /data/ && exec valkey-server /data/${name}.conf ${mode}`,
    ],
  });
  const postgres = {
    name: "postgres",
    image: "docker.io/library/postgres:17",
    args: [
      "postgres",
      ...settings({ ssl: "on", ssl_cert_file: "/tls/tls.crt", ssl_key_file: "/tls/tls.key" }),
    ],
    env: [
      { name: "POSTGRES_USER", value: "fanfare" },
      { name: "POSTGRES_PASSWORD", value: PASSWORD },
      { name: "PGDATA", value: "/data/pg" },
    ],
  };
  const nats = {
    name: "nats",
    image: "docker.io/library/nats:2",
    command: ["nats-server", "--config", "/config/nats.conf"],
  };
  return [
    { name: "nats", ports: [4222], config: { "nats.conf": NATS_CONFIG }, containers: [nats] },
    {
      name: "redis",
      ports: [6379, 26379],
      config: { "valkey.conf": VALKEY_CONFIG, "sentinel.conf": sentinelConfig(redis) },
      containers: [valkey("valkey"), valkey("sentinel", "--sentinel")],
    },
    { name: "postgres", ports: [5432], containers: [postgres] },
  ];
}

function settings(values: Record<string, string>): string[] {
  return Object.entries(values).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

/** Starts all three and waits until they listen. */
export async function startStores(namespace: string, authority: Authority): Promise<void> {
  await kubectlWith(
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    "apply",
    "-f",
    "-",
  );
  const stores = storesOf(namespace);
  for (const store of stores) {
    const files = await authority.issue([`DNS:${store.name}.${namespace}.svc`]);
    const items = [...objectsOf(store), await tlsSecret(`${store.name}-tls`, files)];
    await kubectlWith(
      { apiVersion: "v1", kind: "List", items },
      "apply",
      "-n",
      namespace,
      "-f",
      "-",
    );
  }
  for (const { name } of stores)
    await kubectl("rollout", "status", `deployment/${name}`, "-n", namespace, "--timeout=120s");
}

function objectsOf({ name, ports, config = {}, containers }: Store): object[] {
  const labels = { store: name };
  const [port] = ports;
  const mounts = ["config", "tls", "data", "run"];
  const paths: Record<string, string> = { run: "/var/run/postgresql" };
  const spec = {
    terminationGracePeriodSeconds: 3,
    securityContext: { runAsUser: USER_ID, runAsGroup: USER_ID, fsGroup: USER_ID },
    containers: containers.map((container, index) => ({
      ...container,
      volumeMounts: mounts.map((mount) => ({
        name: mount,
        mountPath: paths[mount] ?? `/${mount}`,
      })),
      readinessProbe: { tcpSocket: { port: ports[index] ?? port }, periodSeconds: 1 },
    })),
    volumes: [
      { name: "config", configMap: { name } },
      // As PostgreSQL wants its key: for root and its own group alone.
      { name: "tls", secret: { secretName: `${name}-tls`, defaultMode: 0o440 } },
      { name: "data", emptyDir: {} },
      { name: "run", emptyDir: {} },
    ],
  };
  return [
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: config },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name },
      spec: { selector: labels, ports: ports.map((each) => ({ name: `p${each}`, port: each })) },
    },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name },
      spec: {
        strategy: { type: "Recreate" },
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec },
      },
    },
  ];
}

async function tlsSecret(
  name: string,
  files: { caFile: string; certFile?: string; keyFile?: string },
): Promise<object> {
  const parts = { "ca.crt": files.caFile, "tls.crt": files.certFile, "tls.key": files.keyFile };
  const data: Record<string, string> = {};
  for (const [key, path] of Object.entries(parts))
    if (path) data[key] = await readFile(path, "base64");
  return { apiVersion: "v1", kind: "Secret", metadata: { name }, data };
}

/** The Secrets that tell a release of these stores, and the values that name them. */
export async function tellStores(
  { stores, release }: { stores: string; release: string },
  { caFile }: Authority,
): Promise<Values> {
  const secret = (name: string, stringData: Record<string, string>) => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name },
    stringData,
  });
  const database = `postgres://fanfare:${PASSWORD}@postgres.${stores}.svc:5432/fanfare?sslmode=verify-full`;
  const items = [
    await tlsSecret("stores-ca", { caFile }),
    secret("my-nats", { user: "fanfare", password: PASSWORD }),
    secret("my-redis", { password: PASSWORD }),
    secret("my-database", { uri: database }),
  ];
  await kubectlWith({ apiVersion: "v1", kind: "List", items }, "apply", "-n", release, "-f", "-");
  const network = `[0].namespaceSelector.matchLabels.kubernetes\\.io/metadata\\.name`;
  const each = ["nats", "redis", "postgresql"].flatMap((name): [string, string | boolean][] => [
    [`${name}.enabled`, false],
    [`${name}.external.tls.existingSecret`, "stores-ca"],
    [`${name}.external.networks${network}`, stores],
  ]);
  return {
    ...Object.fromEntries(each),
    "nats.external.url": `tls://nats.${stores}.svc:4222`,
    "nats.external.streamReplicas": 1,
    "nats.external.existingSecret": "my-nats",
    "nats.external.userKey": "user",
    "nats.external.passwordKey": "password",
    "redis.external.url": `rediss+sentinel://redis.${stores}.svc:26379/mymaster`,
    "redis.external.existingSecret": "my-redis",
    "redis.external.passwordKey": "password",
    "redis.external.ports[0]": 6379,
    "redis.external.ports[1]": 26379,
    "postgresql.external.existingSecret": "my-database",
    "postgresql.external.urlKey": "uri",
  };
}
