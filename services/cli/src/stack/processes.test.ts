import { describe, expect, test } from "vitest";
import { planProcesses, type Seat } from "./processes.js";

const seats: Seat[] = [
  { name: "quiz-1", kind: "quiz", port: 101, adminPort: 201 },
  { name: "quiz-2", kind: "quiz", port: 102, adminPort: 202 },
  { name: "history-1", kind: "history", port: 0, adminPort: 203 },
  { name: "gateway-1", kind: "gateway", port: 104, adminPort: 204 },
];

function plan(env: Record<string, Record<string, string>> = {}) {
  const plans = planProcesses(seats, {
    natsUrl: "nats://n",
    redisUrl: "redis://r",
    postgresUrl: "postgres://p",
    tokenSecret: "s".repeat(32),
    logLevel: "warn",
    env,
  });
  return Object.fromEntries(plans.map((each) => [each.name, each]));
}

describe("the environment of a process", () => {
  test("names every pod of each kind", () => {
    expect(plan()["gateway-1"]?.env).toMatchObject({
      QUIZ_URL: "127.0.0.1:101,127.0.0.1:102",
      HTTP_PORT: "104",
      ADMIN_PORT: "204",
      POD_NAME: "gateway-1",
    });
  });

  test("gives a gRPC port to a service and an HTTP port to a gateway", () => {
    expect(plan()["quiz-2"]?.env.GRPC_PORT).toBe("102");
    expect(plan()["quiz-2"]?.env).not.toHaveProperty("HTTP_PORT");
    expect(plan()["gateway-1"]?.env).not.toHaveProperty("GRPC_PORT");
  });

  test("can be changed for all, for a kind and for one process; the last wins", () => {
    const plans = plan({
      all: { LOG_LEVEL: "debug", A: "all" },
      quiz: { A: "kind" },
      "quiz-2": { A: "process" },
    });
    expect(plans["gateway-1"]?.env).toMatchObject({ LOG_LEVEL: "debug", A: "all" });
    expect(plans["quiz-1"]?.env.A).toBe("kind");
    expect(plans["quiz-2"]?.env.A).toBe("process");
  });

  test("history runs the second main of quiz", () => {
    expect(plan()["history-1"]?.main).toMatch(/services\/quiz\/dist\/history-main\.js$/);
  });
});
