import { readdir, readFile } from "node:fs/promises";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { findPrometheus, inputSeries, promtool, RULES } from "./prometheus.js";
import { RULE_CASES, type RuleCase } from "./rule-cases.js";

interface Rule {
  record?: string;
  alert?: string;
  expr: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

const REPOSITORY = new URL("../../", import.meta.url);
const read = (path: string) => readFile(new URL(path, REPOSITORY), "utf8");

const prometheus = await findPrometheus();
const texts = await Promise.all(RULES.map((file) => readFile(file, "utf8")));
const rules = texts.flatMap((text) =>
  (parse(text) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules),
);
const alerts = rules.filter((rule) => rule.alert !== undefined);
const alertNames = [...new Set(alerts.map((rule) => rule.alert))].sort();

/** Runs a case by promtool: what fires is asked of ALERTS, so that nothing else may fire either. */
function play({ series, at, firing }: RuleCase): Promise<string> {
  if (!prometheus) throw new Error("no promtool");
  const samples = firing.map((each) => {
    const [alertname, severity] = each.split(" ");
    return { labels: `{alertname="${alertname}", severity="${severity}"}`, value: 1 };
  });
  const expr = 'group by (alertname, severity) (ALERTS{alertstate="firing"})';
  return promtool(prometheus, ["test", "rules"], {
    rule_files: RULES,
    evaluation_interval: "30s",
    tests: [
      {
        interval: "1m",
        input_series: inputSeries(series),
        promql_expr_test: [{ expr, eval_time: at, exp_samples: samples }],
      },
    ],
  });
}

describe.skipIf(!prometheus)("alerts", () => {
  test.each(RULE_CASES)("$alert: $what", async (each) => {
    expect(await play(each)).toContain("SUCCESS");
  });

  test("a wrong expectation fails", async () => {
    const [first] = RULE_CASES;
    if (!first) throw new Error("no cases");
    await expect(play({ ...first, firing: [] })).rejects.toThrow("FAILED");
  });
});

test.each(alertNames)("%s has a case in which it fires, and one in which it does not", (alert) => {
  const cases = RULE_CASES.filter((each) => each.alert === alert);
  expect(cases.some(({ firing }) => firing.length > 0)).toBe(true);
  expect(cases.some(({ firing }) => firing.length === 0)).toBe(true);
});

test.each(alerts)("$alert says what it is, how grave, and where to read on", async (rule) => {
  expect(["page", "ticket"]).toContain(rule.labels.severity);
  expect(rule.annotations.summary).toMatch(/^[A-Z].{10,60}[^.]$/);
  expect(rule.annotations.description).toMatch(/^.{40,200}\.$/);
  expect(rule.annotations.runbook_url).toBe(`docs/runbooks/${rule.alert}.md`);
  const runbook = await read(`docs/runbooks/${rule.alert}.md`);
  const headings = [...runbook.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading);
  expect(headings).toEqual([rule.alert, "First look", "What to do"]);
});

test("every runbook belongs to an alert, and the list of them is whole", async () => {
  const listed = (await read("docs/runbooks/README.md")).matchAll(/\[(\w+)\]\(\1\.md\)/g);
  expect([...listed].map(([, name]) => name).sort()).toEqual(alertNames);
  const files = await readdir(new URL("docs/runbooks/", REPOSITORY));
  expect(files.sort()).toEqual([...alertNames.map((name) => `${name}.md`), "README.md"].sort());
});

/** Reasons by what they mean for the promises, as the page for operators tells it. */
async function classesOfReasons(): Promise<Map<string, string[]>> {
  const [, section = ""] = (await read("docs/monitoring.md")).split("### What counts as a failure");
  const rows = section.split("\n#", 1)[0]?.matchAll(/^\| ([a-z ]+) \| (`[^|]*`) \|/gm) ?? [];
  return new Map([...rows].map(([, name = "", cell = ""]) => [name, cell.match(/[A-Z_]+/g) ?? []]));
}

test("each reason is said to be a fault of ours, or the game's, or the client's", async () => {
  const reasons = Object.keys(ErrorReason).filter((name) => /^[A-Z]/.test(name));
  const classes = await classesOfReasons();
  const classified = [...classes.values()].flat().sort();
  expect(classified).toEqual(reasons.filter((name) => name !== "UNSPECIFIED").sort());
});

test("faults of ours, and no other reasons, count against answers and joins", async () => {
  const faults = (await classesOfReasons()).get("fault of ours")?.sort();
  const counted = rules
    .filter(({ labels }) => ["answers", "joins"].includes(labels?.slo ?? ""))
    .map(({ expr }) => /result=~"([^"]+)"/.exec(expr)?.[1]?.split("|") ?? []);
  expect(counted).toHaveLength(4);
  for (const each of counted)
    expect(each.filter((result) => /^[A-Z]/.test(result)).sort()).toEqual(faults);
});

test("faults are counted from 0, so that the first of them is seen", async () => {
  const { GatewayMetrics } = await import("../../services/gateway/src/metrics.js");
  const { text } = await new GatewayMetrics().page();
  for (const fault of (await classesOfReasons()).get("fault of ours") ?? [])
    for (const name of ["quiz_answers_total", "quiz_ws_joins_total"])
      expect(text).toMatch(new RegExp(`^${name}\\{.*result="${fault}".*\\} 0$`, "m"));
});
