/** What the processes of a real stack export is what docs/metrics.md lists, and it tells what happened. */
import type { PlayerSocket } from "@fanfare/cli/player/player-socket";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { COMPONENTS, isClientsOwn, readMetricsPage } from "../docs/metrics-page.js";
import {
  Book,
  closeRound,
  joinPlayers,
  openSession,
  type Stage,
  startStage,
  until,
} from "./stage.js";

const PLAYERS = 20;
const OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8";

let stage: Stage;
let players: PlayerSocket[];

beforeAll(async () => {
  stage = await startStage();
  await openSession(stage, "measured", 2, { liveBoard: true });
  await openSession(stage, "waiting", 1);
  players = await joinPlayers(stage, "measured", PLAYERS);
  await stage.quiz.startSession({ sessionId: "measured" });
  const book = new Book();
  await Promise.all(players.map((player, i) => book.play(player, 1, i % 2 === 0)));
  await closeRound(stage, "measured", 1);
  await Promise.all(players.map((player) => player.until("ownResult", ({ round }) => round === 1)));
});

afterAll(() => stage?.[Symbol.asyncDispose]());

async function page(component: string, accept = "text/plain"): Promise<string> {
  const { adminUrl } = stage.stack.process(`${component}-1`);
  return (await fetch(`${adminUrl}/metrics`, { headers: { accept } })).text();
}

/** Type by name. */
function typesOf(text: string): Map<string, string> {
  const lines = text.matchAll(/^# TYPE (\w+) (\w+)$/gm);
  return new Map([...lines].map(([, name = "", type = ""]) => [name, type]));
}

interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

function samplesOf(text: string): Sample[] {
  return [...text.matchAll(/^(\w+)\{([^}]*)\} (\S+)/gm)].map(
    ([, name = "", inner = "", value]) => ({
      name,
      labels: Object.fromEntries(
        [...inner.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, text]) => [label, text]),
      ),
      value: Number(value),
    }),
  );
}

/** The sum of a component's samples of a name with these labels. */
async function sum(component: string, name: string, labels: Record<string, string> = {}) {
  return samplesOf(await page(component))
    .filter((sample) => sample.name === name)
    .filter((sample) =>
      Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    )
    .reduce((total, { value }) => total + value, 0);
}

describe.each(COMPONENTS)("%s", (component) => {
  const listed = readMetricsPage().filter(({ from }) => from.includes(component));

  test("exports exactly the metrics of the page, by name and type", async () => {
    const exported = [...typesOf(await page(component))].filter(([name]) => !isClientsOwn(name));
    expect(exported.sort()).toEqual(listed.map(({ name, type }) => [name, type]).sort());
  });

  test("labels every sample as the page says, and with the component", async () => {
    for (const { name, labels } of samplesOf(await page(component))) {
      const { component: own, le: _, ...others } = labels;
      expect(own, name).toBe(component);
      if (isClientsOwn(name)) continue;
      const metric = listed.find((each) => name.replace(/_(bucket|sum|count)$/, "") === each.name);
      expect(Object.keys(others).sort(), name).toEqual(metric?.labels);
    }
  });

  test("says the same in OpenMetrics, whichever was asked for before", async () => {
    await page(component, OPEN_METRICS);
    const open = await page(component, OPEN_METRICS);
    expect(open.endsWith("# EOF\n")).toBe(true);
    const named = [...typesOf(open)].map(([name, type]) =>
      type === "counter" ? `${name}_total` : name,
    );
    const plain = await page(component);
    expect(named.sort()).toEqual([...typesOf(plain).keys()].sort());
    const names = (text: string) => [...new Set(samplesOf(text).map(({ name }) => name))].sort();
    expect(names(open)).toEqual(names(plain));
  });
});

describe("after a round of twenty players", () => {
  test("the gateway says who is here and what was said", async () => {
    expect(await sum("gateway", "quiz_ws_connections", { role: "player" })).toBe(PLAYERS);
    expect(await sum("gateway", "quiz_players_active")).toBe(PLAYERS);
    expect(await sum("gateway", "quiz_ws_joins_total", { result: "joined" })).toBe(PLAYERS);
    expect(await sum("gateway", "quiz_ws_handshake_duration_seconds_count")).toBe(PLAYERS);
    expect(await sum("gateway", "quiz_answers_total", { result: "accepted" })).toBe(PLAYERS);
    expect(await sum("gateway", "quiz_answer_ack_duration_seconds_count")).toBe(PLAYERS);
    expect(await sum("gateway", "quiz_ws_frames_sent_total", { type: "accepted" })).toBe(PLAYERS);
    expect(await sum("gateway", "quiz_question_broadcast_duration_seconds_count")).toBeGreaterThan(
      0,
    );
    expect(await sum("gateway", "quiz_leaderboard_stale")).toBe(0);
    const method = { rpc_method: "SubmitAnswers", error_type: "OK" };
    const calls = await sum("gateway", "rpc_client_call_duration_seconds_count", method);
    expect(calls).toBeGreaterThan(0);
    expect(await sum("quiz", "rpc_server_call_duration_seconds_count", method)).toBe(calls);
  });

  test("quiz and leaderboard know sessions and players", async () => {
    expect(await sum("quiz", "quiz_sessions_active", { state: "reveal" })).toBe(1);
    expect(await sum("quiz", "quiz_sessions_active", { state: "lobby" })).toBe(1);
    expect(await sum("quiz", "quiz_answer_verdicts_total", { result: "accepted" })).toBe(PLAYERS);
    expect(await sum("leaderboard", "quiz_session_players")).toBe(PLAYERS);
  });

  test("a board was shown a moment after its oldest change was stored", async () => {
    const shown = await sum("gateway", "quiz_leaderboard_freshness_seconds_count");
    expect(shown).toBeGreaterThan(0);
    const total = await sum("gateway", "quiz_leaderboard_freshness_seconds_sum");
    expect(total / shown).toBeLessThan(2);
    expect(total).toBeGreaterThan(0);
  });

  test("both readers have applied the log", async () => {
    for (const reader of ["history", "leaderboard"]) {
      await until(async () => (await sum(reader, "quiz_events_consumed_total")) >= 4);
      expect(await sum(reader, "quiz_event_partitions")).toBe(16);
      expect(await sum(reader, "quiz_event_consumer_lag")).toBe(0);
    }
    await until(async () => (await sum("history", "quiz_history_rows_written_total")) === PLAYERS);
    const system = { db_system_name: "redis", db_operation_name: "apply-entries" };
    const name = "db_client_operation_duration_seconds_count";
    expect(await sum("leaderboard", name, { ...system, error_type: "OK" })).toBeGreaterThan(0);
    expect(await sum("history", name, { db_operation_name: "write batch" })).toBeGreaterThan(0);
  });
});
