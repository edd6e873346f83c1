/** While people play, every panel of every dashboard has something to show. */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "@fanfare/common/servers/run";
import { holdsWithin } from "@fanfare/common/servers/wait";
import { ImportFormat } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Dashboard,
  panelsOf,
  readDashboards,
  substituted,
} from "../charts/test/dashboards.js";
import { findPrometheus } from "../charts/test/prometheus.js";
import { type PrometheusServer, startPrometheus } from "./prometheus-server.js";
import { type Stage, startStage } from "./stage.js";

const FANFARE = join(import.meta.dirname, "..", "services", "cli", "bin", "fanfare.js");
const PICTURES = join(import.meta.dirname, "..", "scripts", "dashboard-pictures.mjs");
const PICTURES_LIMIT_MS = 60_000;
const SAMPLE_LIMIT_MS = 90_000;

const found = await findPrometheus();
const dashboards = await readDashboards();

async function importQuiz({ bank }: Stage): Promise<void> {
  const questions = Array.from({ length: 5 }, (_, i) => ({
    question: `What is ${i} + ${i}?`,
    answer: `${2 * i}`,
    media: [],
  }));
  const content = Buffer.from(JSON.stringify({ title: "Sums", tags: [], questions }));
  await bank.importQuiz({ format: ImportFormat.JSON, content });
}

/** Plays a session to its end, as it is typed. */
async function simulate({ stack }: Stage, home: string): Promise<void> {
  const places = ["-url", stack.gatewayUrls.join(","), "-grpc", stack.quizUrls[0] ?? ""];
  const game = ["-name", "watched", "-rounds", "5", "-players", "50", "-every", "4"];
  const child = spawn(process.execPath, [FANFARE, "simulate", ...places, ...game], {
    env: { ...process.env, FANFARE_TOKEN: stack.adminToken, FANFARE_HOME: home },
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (text += data));
  const code = await new Promise<number | null>((resolve) => child.once("exit", resolve));
  if (code !== 0) throw new Error(`simulate ended with ${code}: ${text}`);
}

interface Line {
  panel: string;
  query: string;
  needs: string | undefined;
}

/** Every line of a dashboard's panels. */
function linesOf(dashboard: Dashboard): Line[] {
  return panelsOf(dashboard).flatMap(({ title, targets, needs }) =>
    targets.map(({ expr, legendFormat }) => ({
      panel: `${title}: ${legendFormat}`,
      query: substituted(expr, "local", "2m"),
      needs: typeof needs === "string" ? needs : needs?.[legendFormat],
    })),
  );
}

describe.skipIf(!found)("while a session is played", () => {
  let stage: Stage;
  let prometheus: PrometheusServer;
  let home: string;
  /** Lines that have shown a sample at some time. */
  const shown = new Set<Line>();
  const lines = new Map(dashboards.map((dashboard) => [dashboard.name, linesOf(dashboard)]));

  async function look(): Promise<boolean> {
    const waiting = [...lines.values()].flat().filter((line) => !shown.has(line));
    for (const line of waiting) if ((await prometheus.samples(line.query)) > 0) shown.add(line);
    return waiting.every((line) => line.needs ?? shown.has(line));
  }

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), "fanfare-dashboards-"));
    stage = await startStage({ gateways: 2, quiz: 2, leaderboards: 2 });
    await importQuiz(stage);
    prometheus = await startPrometheus(found as NonNullable<typeof found>, stage.stack);
    const game = simulate(stage, home);
    await holdsWithin(SAMPLE_LIMIT_MS, look);
    await game;
  });

  afterAll(async () => {
    await prometheus?.[Symbol.asyncDispose]();
    await stage?.[Symbol.asyncDispose]();
    await rm(home, { recursive: true, force: true });
  });

  test.each(dashboards)("every line of $name shows samples, or says what it needs", ({ name }) => {
    const empty = lines.get(name)?.filter((line) => !line.needs && !shown.has(line));
    expect(empty?.map(({ panel }) => panel)).toEqual([]);
  });

  test("pictures are drawn of what was recorded", async () => {
    const out = join(home, "pictures");
    const flags = ["-url", prometheus.url, "-minutes", "2", "-out", out];
    await run(process.execPath, [PICTURES, ...flags], { timeoutMs: PICTURES_LIMIT_MS });
    for (const dashboard of dashboards) {
      const svg = await readFile(join(out, `${dashboard.name}.svg`), "utf8");
      for (const { title } of dashboard.panels) expect(svg).toContain(`>${title}</text>`);
      const empty = panelsOf(dashboard).filter(({ needs }) => typeof needs === "string");
      expect(svg.split("nothing to show").length - 1).toBeLessThanOrEqual(empty.length);
    }
  });
});
