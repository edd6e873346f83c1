import { describe, expect, test } from "vitest";
import { readTelemetry } from "../../services/common/src/telemetry-settings.js";
import { readConfig as readGatewayConfig } from "../../services/gateway/src/config.js";
import { readConfig as readLeaderboardConfig } from "../../services/leaderboard/src/config.js";
import { readHistoryConfig, readQuizConfig } from "../../services/quiz/src/config.js";
import { readConfig as readQuizMasterConfig } from "../../services/quiz-master/src/config.js";
import { containerOf, find, helm, type Manifest, ofKind, render, scenarios } from "./render.js";

type Env = Readonly<Record<string, string>>;

const READERS = {
  gateway: readGatewayConfig,
  quiz: readQuizConfig,
  history: readHistoryConfig,
  leaderboard: readLeaderboardConfig,
  "quiz-master": readQuizMasterConfig,
} as const;
type Workload = keyof typeof READERS;
const WORKLOADS = Object.keys(READERS) as Workload[];

/** What a whole address in a Secret would be. */
const ADDRESSES: Env = { POSTGRES_URL: "postgres://app@db:5432/app" };

/** The environment as the container would see it, with something in place of each secret. */
function environmentOf(manifests: readonly Manifest[], name: string): Env {
  const { env = [] } = containerOf(manifests, `fanfare-${name}`);
  const names = env.map((entry) => entry.name);
  expect(new Set(names).size).toBe(names.length);
  return Object.fromEntries(
    env.map((entry) => [
      entry.name,
      entry.value ?? ADDRESSES[entry.name] ?? `the-${entry.name}-in-its-place-${"x".repeat(32)}`,
    ]),
  );
}

/** Variables that a service has a default for, which is good only on one's own machine. */
const ADDRESSED: Readonly<Record<Workload, readonly string[]>> = {
  gateway: [
    "HTTP_PORT",
    "NATS_URL",
    "NATS_REPLICAS",
    "QUIZ_URL",
    "LEADERBOARD_URL",
    "QUIZ_MASTER_URL",
  ],
  quiz: ["GRPC_PORT", "NATS_URL", "NATS_REPLICAS", "QUIZ_MASTER_URL", "POSTGRES_URL"],
  history: ["NATS_URL", "NATS_REPLICAS", "POSTGRES_URL"],
  leaderboard: ["GRPC_PORT", "NATS_URL", "NATS_REPLICAS", "REDIS_URL", "POSTGRES_URL"],
  "quiz-master": ["GRPC_PORT", "POSTGRES_URL"],
};

describe.skipIf(!helm).each(await scenarios())("scenario %s", (scenario) => {
  test.each(WORKLOADS)("gives %s all that it must know, and it takes it", async (name) => {
    const env = environmentOf(await render({ scenario }), name);
    const everywhere = ["ADMIN_PORT", "LOG_LEVEL", "POD_NAME", "TOKEN_SECRET"];
    expect(Object.keys(env)).toEqual(expect.arrayContaining([...everywhere, ...ADDRESSED[name]]));
    expect(() => READERS[name](env)).not.toThrow();
  });

  test("names ports and Services that there are", async () => {
    const manifests = await render({ scenario });
    for (const name of WORKLOADS) {
      const env = environmentOf(manifests, name);
      const { ports = [] } = containerOf(manifests, `fanfare-${name}`);
      const portOf = (port: string) => ports.find((each) => each.name === port)?.containerPort;
      expect(portOf("admin")).toBe(Number(env.ADMIN_PORT));
      expect(portOf("grpc") ?? portOf("http") ?? null).toBe(
        Number(env.GRPC_PORT ?? env.HTTP_PORT) || null,
      );
      for (const variable of ["QUIZ_URL", "LEADERBOARD_URL", "QUIZ_MASTER_URL"]) {
        const [service, port] = env[variable]?.split(":") ?? [];
        if (!service) continue;
        const { spec } = find(manifests, "Service", service);
        expect(spec).toMatchObject({ clusterIP: "None", publishNotReadyAddresses: false });
        expect(spec.ports).toMatchObject([{ port: Number(port), targetPort: "grpc" }]);
      }
    }
  });
});

describe.skipIf(!helm)("the environment", () => {
  test.each([
    ["1Ti", Math.floor(0.8 * 2 ** 40)],
    ["5G", 4e9],
    ["5000000000", 4e9],
    ["1Gi", 768 * 2 ** 20],
    ["512Mi", 256 * 2 ** 20],
  ])("of a volume of %s gives the log its part", async (size, bytes) => {
    const manifests = await render({ values: { nats: { persistence: { size } } } });
    expect(environmentOf(manifests, "quiz")).toMatchObject({ NATS_LOG_BYTES_MAX: `${bytes}` });
  });

  test("refuses a volume that holds no log beside the rest", async () => {
    const values = { nats: { persistence: { size: "500Mi" } } };
    await expect(render({ values })).rejects.toThrow("nats.persistence.size must be 512Mi or more");
  });

  test("names the bundled datastores by their Services, with their passwords beside", async () => {
    const manifests = await render({ values: { nats: { replicas: 3 } } });
    const env = environmentOf(manifests, "leaderboard");
    expect(env).toMatchObject({
      NATS_URL: "nats://fanfare-nats:4222",
      NATS_USER: "fanfare",
      NATS_REPLICAS: "3",
      NATS_LOG_BYTES_MAX: `${0.8 * 10 * 2 ** 30}`,
      REDIS_URL: "redis://fanfare-redis:6379/0",
      POSTGRES_URL: "postgres://fanfare@fanfare-postgresql:5432/fanfare",
    });
    const { env: entries = [] } = containerOf(manifests, "fanfare-leaderboard");
    for (const [variable, key] of [
      ["NATS_PASSWORD", "nats-password"],
      ["REDIS_PASSWORD", "redis-password"],
      ["POSTGRES_PASSWORD", "postgresql-password"],
    ])
      expect(entries).toContainEqual({
        name: variable,
        valueFrom: { secretKeyRef: { name: "fanfare-secrets", key } },
      });
  });

  test("of external datastores points to files that are mounted", async () => {
    const manifests = await render({ scenario: "external" });
    const env = environmentOf(manifests, "leaderboard");
    const { volumeMounts = [] } = containerOf(manifests, "fanfare-leaderboard");
    const files = Object.entries(env).filter(([name]) => name.endsWith("_FILE"));
    expect(files.map(([name]) => name).sort()).toEqual([
      "NATS_CA_FILE",
      "NATS_CREDS_FILE",
      "POSTGRES_CA_FILE",
      "REDIS_CA_FILE",
      "REDIS_CERT_FILE",
      "REDIS_KEY_FILE",
    ]);
    for (const [, file] of files) {
      const mount = volumeMounts.find(({ mountPath }) => file.startsWith(`${mountPath}/`));
      expect(mount).toMatchObject({ readOnly: true });
    }
  });

  test("is the user's where it names the same, or another, and large numbers stay whole", async () => {
    const source = { configMapKeyRef: { name: "limits", key: "rooms" } };
    const env = { LOG_LEVEL: "debug", SOCKETS_MAX: 1_000_000, ROOM_TICK_MS: 50, ROOMS_MAX: source };
    const manifests = await render({ values: { gateway: { env } } });
    const { env: entries } = containerOf(manifests, "fanfare-gateway");
    expect(entries).toEqual(
      expect.arrayContaining([
        { name: "LOG_LEVEL", value: "debug" },
        { name: "SOCKETS_MAX", value: "1000000" },
        { name: "ROOM_TICK_MS", value: "50" },
        { name: "ROOMS_MAX", valueFrom: source },
      ]),
    );
    expect(environmentOf(manifests, "gateway")).toHaveProperty("LOG_LEVEL", "debug");
    expect(environmentOf(manifests, "quiz")).toHaveProperty("LOG_LEVEL", "info");
  });

  test("names a collector of traces where there is one, with a share that the services take", async () => {
    const endpoint = "http://otel-collector.observability:4318";
    const manifests = await render({ values: { tracing: { endpoint, ratio: 0.00001 } } });
    for (const name of WORKLOADS) {
      const env = environmentOf(manifests, name);
      expect(env).toMatchObject({
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
        OTEL_SERVICE_NAME: `fanfare-${name}`,
      });
      expect(readTelemetry(env)).toEqual({ ratio: 0.00001, faults: [] });
      const without = environmentOf(await render(), name);
      expect(Object.keys(without).filter((each) => each.startsWith("OTEL_"))).toEqual([]);
    }
  });
});

describe.skipIf(!helm)("mutual TLS", () => {
  const GRPC = ["gateway", "quiz", "leaderboard", "quiz-master", "test-quiz"];

  test("gives everybody who calls or is called a certificate, and the history writer none", async () => {
    const manifests = await render({ scenario: "tls" });
    for (const name of GRPC) {
      expect(environmentOf(manifests, name)).toMatchObject({
        GRPC_CERT_FILE: "/etc/fanfare/tls/tls.crt",
        GRPC_KEY_FILE: "/etc/fanfare/tls/tls.key",
        GRPC_CA_FILE: "/etc/fanfare/tls/ca.crt",
      });
      const { volumeMounts } = containerOf(manifests, `fanfare-${name}`);
      expect(volumeMounts).toContainEqual({
        name: "tls",
        mountPath: "/etc/fanfare/tls",
        readOnly: true,
      });
    }
    expect(environmentOf(manifests, "history")).not.toHaveProperty("GRPC_CERT_FILE");
  });

  test("has certificates for the names that callers are told", async () => {
    const manifests = await render({ scenario: "tls" });
    const named = ofKind(manifests, "Certificate").map(({ metadata }) => metadata.name);
    expect(named.sort()).toEqual(
      ["cli", "gateway", "leaderboard", "quiz", "quiz-master"].map((name) => `fanfare-${name}`),
    );
    const { QUIZ_URL = "" } = environmentOf(manifests, "gateway");
    const { spec } = find(manifests, "Certificate", "fanfare-quiz");
    expect(spec.dnsNames).toEqual([
      QUIZ_URL.split(":")[0],
      "fanfare-quiz.games",
      "fanfare-quiz.games.svc",
      "fanfare-quiz.games.svc.cluster.local",
    ]);
    expect(spec).toMatchObject({
      secretName: "fanfare-quiz-tls",
      issuerRef: { name: "fanfare-ca", kind: "Issuer" },
      privateKey: { rotationPolicy: "Always" },
    });
  });

  test("takes the user's certificates instead", async () => {
    const names = ["gateway", "quiz", "leaderboard", "quizMaster", "cli"];
    const existingSecrets = Object.fromEntries(
      names.map((name) => [name, `my-${name.toLowerCase()}`]),
    );
    const manifests = await render({ values: { tls: { enabled: true, existingSecrets } } });
    expect(ofKind(manifests, "Certificate")).toEqual([]);
    const { volumes } = find(manifests, "Deployment", "fanfare-quiz-master").spec.template.spec;
    expect(volumes).toContainEqual({
      name: "tls",
      secret: { secretName: "my-quizmaster", defaultMode: 0o440 },
    });
  });
});
