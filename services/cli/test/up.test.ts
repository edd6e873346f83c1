/** `fanfare up` and `fanfare down`, as a new user meets them. */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@fanfare/common/servers/free-port";
import { findProcess, isRunning } from "@fanfare/common/servers/process-table";
import { holdsWithin } from "@fanfare/common/servers/wait";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type PortName, portVariable, WELL_KNOWN_PORTS } from "../src/stack/ports.js";
import { Fanfare, runFanfare } from "./run-fanfare.js";

const READY = "Fanfare is ready";

let folder: string;
/** Not there before the first start. */
let home: string;
let env: Record<string, string>;
const started: Fanfare[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fanfare-up-"));
  home = join(folder, ".fanfare");
  env = { FANFARE_HOME: home, NATS_URL: "", REDIS_URL: "", POSTGRES_URL: "", LOG_LEVEL: "" };
  for (const name of Object.keys(WELL_KNOWN_PORTS) as PortName[])
    env[portVariable(name)] = String(await freePort());
});

afterEach(async () => {
  for (const each of started.splice(0)) {
    each.kill("SIGTERM");
    await each.ended;
  }
  await rm(folder, { recursive: true, force: true });
});

function up(): Fanfare {
  const command = new Fanfare(["up"], env);
  started.push(command);
  return command;
}

/** Everything that `up` has started, by the pid files of its folder. */
async function pidsOf(): Promise<Map<string, number>> {
  const pids = new Map<string, number>();
  for (const name of await readdir(join(home, "run"))) {
    const text = await readFile(join(home, "run", name), "utf8");
    pids.set(name.replace(".pid", ""), Number(text.split(" ")[0]));
  }
  for (const name of ["nats", "redis", "postgres"]) {
    const file = name === "postgres" ? "postgresql.pid" : `${name}.pid`;
    const text = await readFile(join(home, "data", name, file), "utf8");
    pids.set(name, Number(text.split(" ")[0]));
  }
  return pids;
}

async function untilAllEnded(pids: Iterable<number>, limitMs = 20_000): Promise<void> {
  for (const pid of pids) {
    const ended = await holdsWithin(limitMs, async () => !(await isRunning(pid)));
    const found = await findProcess(pid);
    expect(ended, `process ${pid} still runs: ${found?.commandLine}`).toBe(true);
  }
}

describe("fanfare up", () => {
  test("tells every door, keeps its secret, and stops in order", async () => {
    const running = up();
    await running.untilSaid(READY);
    const gateway = `http://localhost:${env.FANFARE_PORT_GATEWAY}`;
    expect(running.stdout).toMatch(/PIN \d{6}/);
    expect(running.stdout).toContain(`${gateway}/livescore/demo`);
    expect(running.stdout).toContain(`quiz 127.0.0.1:${env.FANFARE_PORT_QUIZ}`);
    expect(running.stdout).toMatch(/question bank: 11 quizzes, \d+ questions, 11 of them new/);
    expect((await fetch(`${gateway}/livescore/demo`)).status).toBe(200);
    expect((await stat(join(home, "data", "token-secret"))).mode & 0o777).toBe(0o600);
    const pids = await pidsOf();
    expect([...pids.keys()].sort()).toEqual([
      "demo",
      "gateway-1",
      "history-1",
      "leaderboard-1",
      "nats",
      "postgres",
      "quiz-1",
      "quiz-master-1",
      "redis",
    ]);
    running.kill("SIGINT");
    expect(await running.ended).toBe(0);
    await untilAllEnded(pids.values(), 0);
  });

  test("keeps its data, is quick the second time, and refuses a second one meanwhile", async () => {
    const first = up();
    await first.untilSaid(READY);
    const other = await runFanfare(["up"], env);
    expect(other.exit).toBe(1);
    expect(other.stderr).toContain(`already runs here (process ${first.pid})`);
    const down = await runFanfare(["down"], env);
    expect(down).toMatchObject({ exit: 0, stdout: "Fanfare has stopped\n" });
    expect(await first.ended).toBe(0);

    const again = performance.now();
    const second = up();
    await second.untilSaid(READY);
    expect(performance.now() - again).toBeLessThan(10_000);
    expect(second.stdout).toContain("0 of them new");
  });

  test("starts again what dies, a service as well as a server", async () => {
    const running = up();
    await running.untilSaid(READY);
    const pids = await pidsOf();
    for (const name of ["quiz-1", "nats", "postgres", "demo"]) {
      process.kill(pids.get(name) ?? 0, "SIGKILL");
      await running.untilSaid(`${name} is back`);
    }
    expect(running.stdout).toContain("quiz-1 ended, starts again in 0.5 s: SIGKILL");
  });

  test("leaves no orphan when it is killed itself, and the next one starts", async () => {
    const killed = up();
    await killed.untilSaid(READY);
    const pids = await pidsOf();
    killed.kill("SIGKILL");
    await killed.ended;
    const next = up();
    await next.untilSaid(READY);
    await untilAllEnded(pids.values());
  });

  test("names a busy port and the variable that moves it", async () => {
    const port = Number(env.FANFARE_PORT_REDIS);
    const listener = createServer().listen(port, "127.0.0.1");
    try {
      const { exit, stderr } = await runFanfare(["up"], env);
      expect(exit).toBe(1);
      expect(stderr).toContain(`port ${port}, wanted for redis, is in use`);
      expect(stderr).toContain("FANFARE_PORT_REDIS=");
    } finally {
      listener.close();
    }
  });

  test("refuses data of another version, which down -clean removes", async () => {
    const first = up();
    await first.untilSaid(READY);
    first.kill("SIGTERM");
    await first.ended;
    await writeFile(join(home, "data", "version"), "0\n");
    const refused = await runFanfare(["up"], env);
    expect(refused.exit).toBe(1);
    expect(refused.stderr).toContain("make down CLEAN=1");
    await runFanfare(["down", "-clean"], env);
    expect(await readdir(home)).not.toContain("data");
  });

  test("stops a start that is not done yet", async () => {
    const running = up();
    await running.untilSaid("starting NATS");
    running.kill("SIGINT");
    expect(await running.ended).toBe(0);
    expect(running.stdout).toContain("stopped");
    expect(running.stdout).not.toContain(READY);
  });
});
