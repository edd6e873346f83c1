import { describe, expect, test } from "vitest";
import {
  containerOf,
  find,
  helm,
  type Manifest,
  ofKind,
  podsOf,
  refusalOf,
  render,
  renderText,
  SEED,
} from "./render.js";

const KEYS = ["nats-password", "postgresql-password", "redis-password", "token-secret"];

const decoded = (manifests: readonly Manifest[]): Record<string, string> => {
  const { data = {} } = find(manifests, "Secret", "fanfare-secrets");
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value, "base64").toString()]),
  );
};

const checksumOf = (manifests: readonly Manifest[], kind: string, name: string): string =>
  find(manifests, kind, name).spec.template.metadata.annotations["checksum/secrets"];

describe.skipIf(!helm)("secrets", () => {
  test("are not made up where nothing could keep them", async () => {
    const told = await refusalOf({}, { bare: true });
    expect(told).toContain("no cluster here that could keep generated secrets");
    expect(told).toContain("secrets.existingSecret");
  });

  test("come from the seed, differ from each other, and are good enough for the services", async () => {
    const secrets = decoded(await render());
    expect(Object.keys(secrets).sort()).toEqual(KEYS);
    expect(new Set(Object.values(secrets)).size).toBe(KEYS.length);
    for (const secret of Object.values(secrets)) expect(secret).toMatch(/^[A-Za-z0-9]{32,}$/);
    expect(decoded(await render({ values: { secrets: { seed: `${SEED}!` } } }))).not.toEqual(
      secrets,
    );
  });

  test("stand in no object but the Secret", async () => {
    const manifests = await render({ values: { nats: { replicas: 3 } } });
    const others = JSON.stringify(manifests.filter(({ kind }) => kind !== "Secret"));
    for (const secret of [SEED, ...Object.values(decoded(manifests))])
      expect(others).not.toContain(secret);
  });

  test("are variables by reference alone, and none is an argument", async () => {
    const pods = podsOf(await render({ scenario: "external" }));
    for (const { spec } of pods)
      for (const { env = [] } of spec.containers)
        for (const { name, value } of env)
          if (/SECRET|PASSWORD/.test(name)) expect({ name, value }).toEqual({ name });
  });

  test("outlive an uninstallation, as the volumes do", async () => {
    const { metadata } = find(await render(), "Secret", "fanfare-secrets");
    expect(metadata.annotations).toEqual({ "helm.sh/resource-policy": "keep" });
  });

  test("of the user are used as they are, and none is made", async () => {
    const values = { secrets: { existingSecret: "mine" } };
    const manifests = await render({ bare: true, values });
    expect(ofKind(manifests, "Secret")).toEqual([]);
    const text = await renderText({ bare: true, values });
    expect(text).not.toContain("checksum/secrets");
    for (const name of ["gateway", "nats", "redis", "postgresql", "test-quiz"]) {
      const { env = [] } = containerOf(manifests, `fanfare-${name}`);
      const references = env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? []);
      expect(references.length).toBeGreaterThan(0);
      for (const { name: secret } of references) expect(secret).toBe("mine");
    }
  });

  test("may come from a file that an injector writes", async () => {
    const manifests = await render({
      scenario: "external",
      values: { secrets: { existingSecret: "", envFile: "/vault/secrets/fanfare" } },
    });
    expect(ofKind(manifests, "Secret")).toEqual([]);
    for (const name of ["gateway", "history", "test-quiz"]) {
      const { args = [], env = [] } = containerOf(manifests, `fanfare-${name}`);
      expect(args[0]).toBe("--env-file=/vault/secrets/fanfare");
      expect(args[1]).toMatch(/^services\/.*main\.js$/);
      expect(env.map((entry) => entry.name)).not.toContain("TOKEN_SECRET");
    }
  });

  test("that change replace the pods that read them, and no others", async () => {
    const before = await render();
    const same = await render();
    const after = await render({ values: { secrets: { seed: `${SEED}!` } } });
    for (const [kind, name] of [
      ["Deployment", "fanfare-gateway"],
      ["Deployment", "fanfare-quiz-master"],
      ["StatefulSet", "fanfare-nats"],
    ] as const) {
      expect(checksumOf(same, kind, name)).toBe(checksumOf(before, kind, name));
      expect(checksumOf(after, kind, name)).not.toBe(checksumOf(before, kind, name));
    }
    expect(checksumOf(before, "StatefulSet", "fanfare-nats")).not.toBe(
      checksumOf(before, "StatefulSet", "fanfare-redis"),
    );
  });
});
