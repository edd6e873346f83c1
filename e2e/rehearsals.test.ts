/** What each service rehearses before it is ready is played to its end, and leaves nothing behind. */
import { dialNats } from "@fanfare/cli/dial-nats";
import { Lifecycle } from "@fanfare/common/lifecycle";
import type { Metrics } from "@fanfare/common/metrics";
import { holdsWithin } from "@fanfare/common/servers/wait";
import { BUCKETS, STREAMS, streamOfBucket } from "@fanfare/proto/addresses";
import { jetstreamManager } from "@nats-io/jetstream";
import { pino } from "pino";
import { expect, test } from "vitest";
import { readConfig as readGatewayConfig } from "../services/gateway/src/config.js";
import { GatewayMetrics } from "../services/gateway/src/metrics.js";
import { rehearseGateway } from "../services/gateway/src/rehearsal/rehearse-gateway.js";
import { serveRehearsal } from "../services/gateway/src/server.js";
import { readConfig as readLeaderboardConfig } from "../services/leaderboard/src/config.js";
import { LeaderboardMetrics } from "../services/leaderboard/src/metrics.js";
import { rehearseLeaderboard } from "../services/leaderboard/src/rehearsal.js";
import { readQuizConfig } from "../services/quiz/src/config.js";
import { QuizMetrics } from "../services/quiz/src/metrics.js";
import { rehearseQuiz } from "../services/quiz/src/rehearsal.js";
import { quizService } from "../services/quiz/src/server.js";
import { startStage } from "./stage.js";

const LIMIT_MS = 60_000;
const environment = {
  TOKEN_SECRET: "x".repeat(32),
  POSTGRES_URL: "postgres://127.0.0.1:9/none",
  WARM_UP_MS: String(LIMIT_MS),
};
/** What goes by time, not by what a process does. */
const NOT_COUNTED = /^(# |process_|nodejs_|quiz_event_loop_lag_seconds|quiz_warm_up_seconds)/;

const services: Record<string, (lifecycle: Lifecycle) => [Metrics, () => Promise<void>]> = {
  gateway(lifecycle) {
    const metrics = new GatewayMetrics();
    const config = readGatewayConfig(environment);
    return [metrics, () => rehearseGateway(config, metrics, serveRehearsal, lifecycle)];
  },
  quiz(lifecycle) {
    const metrics = new QuizMetrics();
    const config = readQuizConfig(environment);
    return [metrics, () => rehearseQuiz(config, metrics, quizService, lifecycle)];
  },
  leaderboard(lifecycle) {
    const metrics = new LeaderboardMetrics();
    const config = readLeaderboardConfig(environment);
    return [metrics, () => rehearseLeaderboard(config, metrics, lifecycle)];
  },
};

test.each(Object.entries(services))("%s: nothing is left of it", async (_, service) => {
  const lines: string[] = [];
  const log = pino({ level: "trace" }, { write: (line: string) => void lines.push(line) });
  const [metrics, play] = service(new Lifecycle(log));
  const counted = async () => {
    const page = (await metrics.page()).text.split("\n");
    return page.filter((line) => !NOT_COUNTED.test(line)).sort();
  };
  // Sockets and listeners; timers come and go in a test.
  const open = () => process.getActiveResourcesInfo().filter((each) => /^TCP|^TLS/.test(each));
  expect(open()).toEqual([]);
  const before = await counted();
  await play();
  const seconds = (await metrics.warmUpSeconds.get()).values[0]?.value ?? 0;
  // Whatever breaks in it is logged, and what holds it up is cut at the limit.
  expect(lines).toEqual([]);
  expect(seconds).toBeGreaterThan(0.05);
  expect(seconds).toBeLessThan(LIMIT_MS / 1_000);
  expect(await counted()).toEqual(before);
  await holdsWithin(5_000, () => open().length === 0);
  expect(open()).toEqual([]);
});

test("a stack's services have rehearsed before they are ready, and have counted nothing of it", async () => {
  await using stage = await startStage({ env: { all: { WARM_UP_MS: "10000" } } });
  const pages = await Promise.all(
    ["gateway-1", "quiz-1", "leaderboard-1"].map(async (name) => {
      const { adminUrl } = stage.stack.process(name);
      return await (await fetch(`${adminUrl}/metrics`)).text();
    }),
  );
  const value = (page: string, metric: string) =>
    Number(new RegExp(`^${metric}\\{[^}]*\\} (\\S+)$`, "m").exec(page)?.[1]);
  for (const page of pages) expect(value(page, "quiz_warm_up_seconds")).toBeGreaterThan(0);
  const [gateway = "", quiz = "", leaderboard = ""] = pages;
  expect(value(gateway, "quiz_ws_handshake_duration_seconds_count")).toBe(0);
  expect(value(gateway, "quiz_ws_rooms")).toBe(0);
  expect(value(quiz, "quiz_event_publish_duration_seconds_count")).toBe(0);
  expect(value(leaderboard, "quiz_leaderboard_scores_total")).toBe(0);
  const nc = await dialNats(process.env, stage.stack.natsUrl, "rehearsals");
  const jsm = await jetstreamManager(nc);
  for (const stream of [STREAMS.log, STREAMS.leaderboard, streamOfBucket(BUCKETS.sessions)])
    expect((await jsm.streams.info(stream)).state.last_seq).toBe(0);
  await nc.close();
});
