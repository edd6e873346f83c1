/** Real processes in the frame of every main: how they end, with which code, and what they say. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, describe, expect, test } from "vitest";
import { eventually, type LogLine } from "./parts.js";

const FRAME = new URL("../dist/run-service.js", import.meta.url).href;
/** Keeps a process alive as a listening port would. */
const STAY = "setInterval(() => {}, 1_000);";

const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

/** Runs a main whose start is this code; `lifecycle` is what it may use. */
function run(start: string, env: Record<string, string> = {}) {
  const code = `import { runService } from ${JSON.stringify(FRAME)};
    await runService("sample", async (lifecycle) => { ${start} });`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", code], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (data) => {
      output += String(data);
    });
  const ended = once(child, "close").then(([exitCode]) => exitCode as number | null);
  const lines = () =>
    output
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as LogLine);
  return {
    ended,
    lines,
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    says: (word: string) => eventually(`it says ${word}`, () => output.includes(word)),
  };
}

const READY = `lifecycle.log.info("ready");`;

describe("a service", () => {
  test.each(["SIGTERM", "SIGINT"] as const)(
    "closes its parts on %s and ends with 0",
    async (signal) => {
      const service = run(`
      const timer = setInterval(() => {}, 1_000);
      lifecycle.push("port", () => { clearInterval(timer); lifecycle.log.info("closed"); });
      ${READY}`);
      await service.says("ready");
      service.kill(signal);
      expect(await service.ended).toBe(0);
      expect(service.lines().map(({ msg }) => msg)).toEqual([
        "ready",
        "stopping",
        "closed",
        "stopped",
      ]);
      expect(service.lines()[1]).toMatchObject({ service: "sample", signal });
    },
  );

  test("ends with 0 though something still keeps the process alive", async () => {
    const service = run(`${STAY} ${READY}`);
    await service.says("ready");
    service.kill("SIGTERM");
    expect(await service.ended).toBe(0);
  });

  test("whose start fails says it in one line, closes what was opened and ends with 1", async () => {
    const service = run(`
      ${STAY}
      lifecycle.push("store", () => lifecycle.log.info("closed"));
      throw new Error("GRPC_PORT: must be a port number");`);
    expect(await service.ended).toBe(1);
    expect(service.lines()).toMatchObject([
      { level: "fatal", msg: "start failed", err: { message: "GRPC_PORT: must be a port number" } },
      { msg: "closed" },
    ]);
  });

  test("whose start fails ends although a part can't be closed", async () => {
    const service = run(`
      ${STAY}
      lifecycle.push("stuck", () => new Promise(() => {}));
      throw new Error("no");`);
    expect(await service.ended).toBe(1);
  });

  test("that is stopped while it starts ends with 0, and opens nothing after that", async () => {
    const service = run(`
      ${STAY}
      lifecycle.log.info("waiting");
      await new Promise((resolve) => lifecycle.signal.addEventListener("abort", resolve));
      lifecycle.push("late", () => lifecycle.log.info("late is closed"));`);
    await service.says("waiting");
    service.kill("SIGTERM");
    expect(await service.ended).toBe(0);
    expect(service.lines().map(({ msg }) => msg)).toContain("late is closed");
  });

  test("that hangs while it stops ends with 2 at the second signal", async () => {
    const service = run(`
      ${STAY}
      lifecycle.push("stuck", () => { lifecycle.log.info("hangs"); return new Promise(() => {}); });
      ${READY}`);
    await service.says("ready");
    service.kill("SIGTERM");
    await service.says("hangs");
    service.kill("SIGINT");
    expect(await service.ended).toBe(2);
    expect(service.lines().at(-1)).toMatchObject({
      level: "fatal",
      msg: "stopped by force",
      why: "a second signal",
    });
  });

  test("in which an exception is not caught says it in one line and ends with 1", async () => {
    const service = run(`
      ${STAY}
      setTimeout(() => { throw new Error("who would have thought"); }, 10);
      ${READY}`);
    expect(await service.ended).toBe(1);
    expect(service.lines().at(-1)).toMatchObject({
      level: "fatal",
      msg: "an exception was not caught",
      err: { message: "who would have thought" },
    });
  });

  test("says why it ends after what it said before, however long that is on its way", async () => {
    // The one thread of libuv, which writes the lines, has something else to do.
    const code = `
      const { pbkdf2 } = await import("node:crypto");
      setTimeout(() => {
        pbkdf2("word", "salt", 200_000, 64, "sha512", () => {});
        ${READY}
        setImmediate(() => { throw new Error("too soon"); });
      }, 10);
      ${STAY}`;
    const service = run(code, { UV_THREADPOOL_SIZE: "1" });
    expect(await service.ended).toBe(1);
    const said = ["ready", "an exception was not caught"];
    expect(service.lines().map(({ msg }) => msg)).toEqual(said);
  });

  test("in which a promise is rejected unheard says it and goes on", async () => {
    const service = run(`
      ${STAY}
      void Promise.reject(new Error("forgotten"));
      setTimeout(() => lifecycle.log.info("still here"), 50);`);
    await service.says("still here");
    expect(service.lines()[0]).toMatchObject({ level: "error", err: { message: "forgotten" } });
    service.kill("SIGTERM");
    expect(await service.ended).toBe(0);
  });

  test("with a log level that there is not starts its log all the same", async () => {
    const service = run(`throw new Error("LOG_LEVEL: must be one of");`, { LOG_LEVEL: "loud" });
    expect(await service.ended).toBe(1);
    expect(service.lines()).toMatchObject([{ level: "fatal", msg: "start failed" }]);
  });
});
