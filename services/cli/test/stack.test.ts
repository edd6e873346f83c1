/** The start code of `make up`, the end-to-end tests and the benchmark. */
import { createServer } from "node:net";
import { freePort } from "@fanfare/common/servers/free-port";
import { isRunning } from "@fanfare/common/servers/process-table";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PortBusyError } from "../src/stack/ports.js";
import { type Stack, startStack } from "../src/stack/start-stack.js";

/** No process of ours: only the servers. */
const NOBODY = { gateways: 0, quiz: 0, histories: 0, leaderboards: 0, quizMasters: 0 };

describe("a stack", () => {
  let stack: Stack;

  beforeAll(async () => {
    stack = await startStack({ gateways: 2, quiz: 2 });
  });

  afterAll(async () => {
    await stack?.stop();
  });

  test("is made of processes that are all ready", async () => {
    expect([...stack.processes.keys()].sort()).toEqual([
      "gateway-1",
      "gateway-2",
      "history-1",
      "leaderboard-1",
      "quiz-1",
      "quiz-2",
      "quiz-master-1",
    ]);
    for (const { adminUrl, name } of stack.processes.values()) {
      const response = await fetch(`${adminUrl}/readyz`);
      expect(response.status, name).toBe(200);
    }
  });

  test.each(["quiz-1", "gateway-2"])("%s comes back on its ports after kill -9", async (name) => {
    const killed = stack.process(name);
    const pid = killed.pid ?? 0;
    await killed.kill("SIGKILL");
    expect(killed.pid).toBeUndefined();
    expect(await isRunning(pid)).toBe(false);
    await killed.restart();
    expect(killed.pid).not.toBe(pid);
    expect((await fetch(`${killed.adminUrl}/readyz`)).status).toBe(200);
  });

  test("says which processes there are when asked for another", () => {
    expect(() => stack.process("quiz-9")).toThrow("quiz-2");
  });

  test("leaves no process behind after its stop", async () => {
    const pids = [
      ...[...stack.processes.values()].map(({ pid }) => pid),
      ...Object.values(stack.servers).map(({ pid }) => pid),
    ];
    await stack.stop();
    expect(pids).not.toContain(undefined);
    for (const pid of pids) expect(await isRunning(pid ?? 0)).toBe(false);
  });
});

test("a service that can't start says why, and nothing is left running", async () => {
  const lines: string[] = [];
  const start = startStack({
    ...NOBODY,
    quiz: 1,
    env: { quiz: { NATS_REPLICAS: "7" } },
    onProgress: (line) => lines.push(line),
  });
  await expect(start).rejects.toThrow(/quiz-1 ended at its start.*NATS_REPLICAS/s);
});

test.each(["gateway", "nats"] as const)("a busy port of %s is named", async (name) => {
  const port = await freePort();
  const listener = createServer().listen(port, "127.0.0.1");
  try {
    const start = startStack({ ...NOBODY, gateways: 1, ports: { [name]: port } });
    await expect(start).rejects.toThrow(PortBusyError);
    await expect(start).rejects.toThrow(`port ${port}, wanted for ${name}`);
  } finally {
    listener.close();
  }
});
