import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CHART, helms, render, renderText, scenarioFile, scenarios } from "./render.js";
import { findValidator } from "./tools.js";

const names = await scenarios();
const validate = helms.length > 0 ? await findValidator() : undefined;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fanfare-scenarios-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("the supported scenarios are these, and each says at its top what it is", async () => {
  expect(names).toEqual(["external", "ha", "minimal", "monitoring", "tls"]);
  for (const name of names)
    expect(await readFile(scenarioFile(name), "utf8")).toMatch(/^# [A-Z][^\n]{20,}/);
});

describe.skipIf(helms.length === 0).each(names)("scenario %s", (scenario) => {
  test.each(helms)("passes the lint of Helm $version", async (helm) => {
    const told = await helm.run(["lint", "--strict", CHART, "-f", scenarioFile(scenario)]);
    expect(told).toContain("0 chart(s) failed");
  });

  test.each(helms)("is rendered to the same bytes twice by Helm $version", async (helm) => {
    const first = await renderText({ scenario, helm });
    expect(first.length).toBeGreaterThan(10_000);
    expect(await renderText({ scenario, helm })).toBe(first);
  });

  test("means the same to Helm 3 and 4", async () => {
    const [expected, ...others] = await Promise.all(
      helms.map(async (helm) => sorted(await render({ scenario, helm }))),
    );
    for (const other of others) expect(other).toEqual(expected);
  });

  test.skipIf(!validate)("is taken by the validation of an API server", async () => {
    const file = join(folder, `${scenario}.yaml`);
    await writeFile(file, await renderText({ scenario }));
    expect(await validate?.(file)).toContain("OK");
  });
});

test.skipIf(!validate)("the validation refuses what an API server would", async () => {
  const file = join(folder, "wrong.yaml");
  const wrong = (await renderText({ scenario: "minimal" })).replace("replicas: 1", "replica: 1");
  await writeFile(file, wrong);
  await expect(validate?.(file)).rejects.toThrow(/replica/);
});

/** Helm 3 and 4 differ in the order of equal kinds, which means nothing. */
function sorted(manifests: Awaited<ReturnType<typeof render>>) {
  const key = (each: (typeof manifests)[number]) => `${each.kind} ${each.metadata.name}`;
  return manifests.sort((a, b) => key(a).localeCompare(key(b)));
}
