/** The development loop as files: skaffold.yaml, Tiltfile and k8s/ name what is there. */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { readLoadOptions } from "../../services/cli/src/load/load-flags.js";
import { helm, ofKind, type PodSpec, readYaml, refusalOf, render } from "./render.js";
import { findValidator } from "./tools.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const at = (path: string) => join(ROOT, path);
const read = (path: string) => readFile(at(path), "utf8");

interface Artifact {
  image: string;
  docker: { dockerfile: string; buildArgs: { SERVICE: string } };
}
interface Patch {
  path: string;
  value: unknown;
}
interface Skaffold {
  build: { artifacts: Artifact[] };
  deploy: {
    helm: {
      releases: {
        chartPath: string;
        valuesFiles: string[];
        setValueTemplates: Record<string, string>;
      }[];
    };
  };
  profiles: { name: string; patches: Patch[] }[];
}

const skaffold = readYaml(await read("skaffold.yaml")) as Skaffold;
const schema = JSON.parse(await read("charts/test/skaffold-v4beta13.schema.json")) as object;
const dockerfile = await read("services/Dockerfile");
const validate = helm ? await findValidator() : undefined;
const [release] = skaffold.deploy.helm.releases;

/** Every text in a value, however deep. */
function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

describe("skaffold.yaml", () => {
  const ajv = new Ajv({ strict: false });
  const validate = ajv.compile(schema);

  test("is what Skaffold's own schema asks for", () => {
    expect(validate(skaffold), ajv.errorsText(validate.errors)).toBe(true);
    const wrong = { ...skaffold, deploy: { helm: { releases: [{ chart: "x" }] } } };
    expect(validate(wrong)).toBe(false);
  });

  test("builds every image of the chart from services that there are", () => {
    for (const { image, docker } of skaffold.build.artifacts) {
      expect(image).toBe(`fanfare-${docker.buildArgs.SERVICE}`);
      expect(existsSync(at(`services/${docker.buildArgs.SERVICE}/package.json`))).toBe(true);
      expect(dockerfile).toContain(docker.buildArgs.SERVICE);
    }
  });

  test("patches and files lead somewhere", () => {
    const files = skaffold.profiles.flatMap(({ patches }) => textsIn(patches));
    const named = [
      ...(release?.valuesFiles ?? []),
      ...files.filter((each) => /\.yaml$/.test(each)),
    ];
    for (const file of named) expect(existsSync(at(file)), file).toBe(true);
    const sources = files
      .filter((each) => each.includes("/**"))
      .map((each) => each.split("/**")[0]);
    expect(sources.length).toBeGreaterThan(3);
    for (const source of sources) expect(existsSync(at(source ?? "")), source).toBe(true);
    expect(dockerfile).toContain("AS dev\n");
    for (const { path } of skaffold.profiles.flatMap(({ patches }) => patches)) {
      const [, index] = /^\/build\/artifacts\/(\d+)\//.exec(path) ?? [];
      if (index) expect(skaffold.build.artifacts[Number(index)], path).toBeDefined();
    }
  });

  test.skipIf(!helm)(
    "sets values that the chart has, and no image stays the chart's own",
    async () => {
      const values: Record<string, { image: Record<string, string> }> = {};
      for (const key of Object.keys(release?.setValueTemplates ?? {})) {
        const [component = "", , field = ""] = key.split(".");
        values[component] ??= { image: {} };
        values[component].image[field] =
          field === "tag" ? "built" : `made/${component.toLowerCase()}`;
      }
      const dev = readYaml(await read("k8s/values-dev.yaml")) as object;
      const merged = dev as Record<string, object>;
      for (const [component, image] of Object.entries(values))
        merged[component] = { ...merged[component], ...image };
      const deployments = ofKind(await render({ values: merged, bare: true }), "Deployment");
      expect(deployments).toHaveLength(6);
      for (const { spec } of deployments)
        expect(spec.template.spec.containers[0].image).toMatch(/^made\/[a-z]+:built$/);
      expect(await refusalOf({ gateway: { imagee: {} } })).toContain("imagee");
    },
  );
});

describe("k8s/", () => {
  test.skipIf(!helm)("holds values that the chart takes", async () => {
    const files = (await readdir(at("k8s"))).filter((file) => /^values-.*\.yaml$/.test(file));
    expect(files.length).toBeGreaterThan(2);
    for (const file of files)
      await render({ values: readYaml(await read(`k8s/${file}`)) as object });
  });

  test.skipIf(!helm)("forwards the gateway's node port to where the README says", async () => {
    const kind = readYaml(await read("k8s/kind.yaml")) as {
      nodes: { extraPortMappings?: { containerPort: number; hostPort: number }[] }[];
    };
    const dev = readYaml(await read("k8s/values-dev.yaml")) as { gateway: { service: object } };
    const [port] = kind.nodes.flatMap(({ extraPortMappings = [] }) => extraPortMappings);
    expect(dev.gateway.service).toEqual({ type: "NodePort", nodePort: port?.containerPort });
    expect(port?.hostPort).toBe(8_000);
  });
});

describe("k8s/load-job.yaml", () => {
  interface Job {
    spec: {
      completions: number;
      parallelism: number;
      completionMode: string;
      template: { metadata: { labels: Record<string, string> }; spec: PodSpec };
    };
  }
  const job = async () => readYaml(await read("k8s/load-job.yaml")) as Job;

  test("its pods are all parts of one load, with flags that the command line takes", async () => {
    const { spec } = await job();
    expect(spec).toMatchObject({ completionMode: "Indexed", parallelism: spec.completions });
    const [main, command, ...flags] = spec.template.spec.containers[0]?.args ?? [];
    expect([main, command]).toEqual(["main.js", "load"]);
    const parts = Array.from({ length: spec.completions }, (_, index) =>
      // As the kubelet does it.
      readLoadOptions(flags.map((flag) => flag.replace("$(JOB_COMPLETION_INDEX)", `${index}`))),
    );
    expect(parts.map(({ part }) => part)).toEqual([0, 1, 2, 3]);
    for (const { parts: of, name } of parts)
      expect({ of, name }).toEqual({ of: spec.completions, name: parts[0]?.name });
  });

  test.skipIf(!helm)("reaches the services, the log and the secrets of a release", async () => {
    const { template } = (await job()).spec;
    const values = readYaml(await read("k8s/values-load.yaml")) as object;
    const rendered = await render({ values });
    const services = ofKind(rendered, "Service").map(({ metadata }) => metadata.name);
    const flags = template.spec.containers[0]?.args?.join(" ") ?? "";
    const hosts = [...flags.matchAll(/\b(fanfare-[a-z-]+):\d+/g)].map(([, host]) => host);
    expect(hosts).toHaveLength(3);
    expect(services).toEqual(expect.arrayContaining(hosts));
    const secrets = ofKind(rendered, "Secret");
    for (const { valueFrom } of template.spec.containers[0]?.env ?? []) {
      const wanted = valueFrom?.secretKeyRef;
      if (!wanted) continue;
      const found = secrets.find(({ metadata }) => metadata.name === wanted.name);
      expect(Object.keys(found?.data ?? {}), wanted.key).toContain(wanted.key);
    }
    const policy = ofKind(rendered, "NetworkPolicy").find(
      ({ metadata }) => metadata.name === "fanfare-nats",
    );
    expect(JSON.stringify(policy)).toContain('"app.kubernetes.io/component":"test"');
  });

  test.skipIf(!validate)("is taken by the validation of an API server", async () => {
    expect(await validate?.(at("k8s/load-job.yaml"))).toContain("OK");
  });
});

test("the Tiltfile names files and folders that there are", async () => {
  const text = await read("Tiltfile");
  const paths = [...text.matchAll(/'((?:services|charts|k8s|proto|e2e|bench)\/[\w./-]+)'/g)].map(
    ([, path]) => path ?? "",
  );
  expect(paths.length).toBeGreaterThan(5);
  for (const path of paths) expect(existsSync(at(path)), path).toBe(true);
});
