import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { CHART, helm, readYaml, refusalOf, render } from "./render.js";

const README_SCRIPT = fileURLToPath(new URL("../../scripts/chart-readme.mjs", import.meta.url));

interface Schema {
  $ref?: string;
  type?: string | string[];
  properties?: Record<string, Schema>;
  patternProperties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  definitions?: Record<string, Schema>;
}

const schema = JSON.parse(await readFile(join(CHART, "values.schema.json"), "utf8")) as Schema;
const values = readYaml(await readFile(join(CHART, "values.yaml"), "utf8")) as object;
const readme = await readFile(join(CHART, "README.md"), "utf8");

function resolved(part: Schema): Schema {
  const name = part.$ref?.replace("#/definitions/", "");
  const target = name === undefined ? part : schema.definitions?.[name];
  if (!target) throw new Error(`the schema has no ${name}`);
  return target;
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Paths of values that the schema does not name, though it closes their map. */
function unknownIn(map: object, part: Schema, path = ""): string[] {
  const { properties = {}, additionalProperties, patternProperties } = resolved(part);
  return Object.entries(map).flatMap(([key, value]) => {
    const known = properties[key];
    if (!known) return additionalProperties || patternProperties ? [] : [`${path}${key}`];
    return isMap(value) ? unknownIn(value, known, `${path}${key}.`) : [];
  });
}

/** Paths that the schema names and values.yaml lacks: nobody would find them. */
function undocumentedIn(part: Schema, map: unknown, path = ""): string[] {
  const { properties = {} } = resolved(part);
  // An empty map is documented as a whole.
  if (isMap(map) && path !== "" && Object.keys(map).length === 0) return [];
  return Object.entries(properties).flatMap(([key, known]) => {
    if (!isMap(map) || !(key in map)) return [`${path}${key}`];
    return isMap(map[key]) ? undocumentedIn(known, map[key], `${path}${key}.`) : [];
  });
}

/** Paths of maps that take any key without saying which. */
function openMapsIn(part: Schema, path = "values"): string[] {
  const { type, properties, additionalProperties } = part;
  const isOpen = type === "object" && additionalProperties === undefined;
  const below = Object.entries(properties ?? {}).flatMap(([key, each]) =>
    openMapsIn(each, `${path}.${key}`),
  );
  return [...(isOpen ? [path] : []), ...below];
}

/** Maps that Kubernetes describes, not this chart. */
const KUBERNETES_OWN =
  /^values\.(global|definitions\.(podTemplate\.spec|peers\..*|freeList.*))$|\.(podSelector|namespaceSelector|ipBlock)$/;
/** Free maps that are documented as a whole, or keys of Kubernetes within a value. */
const BY_KUBERNETES = /(^global|resources\.(claims|.*ephemeral-storage|limits\.cpu))$/;

test("every value is in the schema, and every value of the schema in values.yaml", () => {
  expect(unknownIn(values, schema)).toEqual([]);
  const missing = undocumentedIn(schema, values).filter((path) => !BY_KUBERNETES.test(path));
  expect(missing).toEqual([]);
});

test("no map of the schema is open by mistake", () => {
  const { definitions = {}, ...rest } = schema;
  const open = [
    ...openMapsIn(rest),
    ...Object.entries(definitions).flatMap(([name, part]) =>
      openMapsIn(part, `values.definitions.${name}`),
    ),
  ];
  expect(open.filter((path) => !KUBERNETES_OWN.test(path))).toEqual([]);
});

test("the README is made of values.yaml as it is", async () => {
  await promisify(execFile)(process.execPath, [README_SCRIPT, "--check"]);
  for (const name of ["gateway.autoscaling.sockets.perPod", "postgresql.external.urlKey"])
    expect(readme).toContain(`| \`${name}\` |`);
});

describe.skipIf(!helm)("a value that is wrong is refused in words", () => {
  test.each([
    [{ gateway: { replica: 2 } }, "replica"],
    [{ gateway: { replicas: -1 } }, "/gateway/replicas"],
    [{ tracing: { endpoint: "otel:4318" } }, "/tracing/endpoint"],
    [{ tracing: { ratio: 5 } }, "/tracing/ratio"],
    [{ gateway: { env: { "a-b": "1" } } }, "a-b"],
    [{ gateway: { image: { digest: "sha256:1" } } }, "/gateway/image/digest"],
    [{ quiz: { autoscaling: { sockets: { enabled: true } } } }, "sockets"],
    [{ quiz: { resources: { limits: { memory: "much" } } } }, "/quiz/resources/limits/memory"],
    [{ logLevel: "loud" }, "/logLevel"],
    [{ nats: { replicas: 2 } }, "/nats/replicas"],
    [{ nats: { syncInterval: "sometimes" } }, "/nats/syncInterval"],
    [{ nats: { podTemplate: { spec: { containers: [] } } } }, "containers"],
    [{ redis: { external: { url: "http://redis" } } }, "/redis/external/url"],
    [{ postgresql: { external: { url: "mysql://db" } } }, "/postgresql/external/url"],
    [{ secrets: { seed: "short" } }, "minLength"],
    [{ secrets: { existingSecret: "Not A Name" } }, "/secrets/existingSecret"],
    [{ tls: { certManager: { enabled: true } } }, "name"],
    [{ httpRoute: { hostnames: ["https://quiz"] } }, "/httpRoute/hostnames/0"],
    [{ networkPolicy: { players: [{}] } }, "/networkPolicy/players/0"],
    [{ tests: { timeoutSeconds: 5 } }, "/tests/timeoutSeconds"],
  ])("%j", async (wrong, named) => {
    expect(await refusalOf(wrong)).toContain(named);
  });

  test.each(["nats", "redis", "postgresql"])("no %s at all", async (store) => {
    expect(await refusalOf({ [store]: { enabled: false } })).toContain(
      `${store}.enabled is false: ${store}.external.url`,
    );
  });

  test("mutual TLS without certificates", async () => {
    expect(await refusalOf({ tls: { enabled: true } })).toContain("tls.certManager.enabled");
  });

  test("a route that nobody takes", async () => {
    expect(await refusalOf({ httpRoute: { enabled: true } })).toContain("parentRefs");
  });

  test.each([
    [
      { httpRoute: { enabled: true, parentRefs: [{ name: "edge" }] } },
      "gateway.networking.k8s.io/v1",
    ],
    [{ gatewayResource: { enabled: true, className: "edge" } }, "gateway.networking.k8s.io/v1"],
    [
      { tls: { enabled: true, certManager: { enabled: true, issuerRef: { name: "ca" } } } },
      "cert-manager.io/v1",
    ],
    [{ history: { autoscaling: { enabled: true, lag: { enabled: true } } } }, "keda.sh/v1alpha1"],
    [{ monitoring: { podMonitor: { enabled: true } } }, "monitoring.coreos.com/v1"],
    [{ monitoring: { prometheusRule: { enabled: true } } }, "monitoring.coreos.com/v1"],
  ])("%j on a cluster that lacks the API", async (wanted, api) => {
    const told = await refusalOf(wanted, { apis: [] });
    expect(told).toContain(`needs the API ${api}, which this cluster does not have`);
    await expect(render({ values: wanted })).resolves.not.toHaveLength(0);
  });

  test("a GRPCRoute to services that ask for certificates", async () => {
    const grpcRoute = { enabled: true, parentRefs: [{ name: "edge" }] };
    expect(await refusalOf({ grpcRoute }, { scenario: "tls" })).toContain("grpcRoute can't be");
  });
});
