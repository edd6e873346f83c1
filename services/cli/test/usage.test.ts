/** What the command line says to whom uses it wrongly, and to whom asks. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Tokens } from "@fanfare/common/tokens";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runFanfare } from "./run-fanfare.js";

let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "fanfare-usage-"));
});

afterAll(async () => {
  await rm(home, { recursive: true, force: true });
});

/** An installation where `make up` never ran. */
const run = (args: readonly string[], env: Record<string, string> = {}) =>
  runFanfare(args, { FANFARE_HOME: home, TOKEN_SECRET: "", FANFARE_TOKEN: "", ...env });

describe("fanfare", () => {
  test("without a command prints help", async () => {
    const { exit, stdout } = await run([]);
    expect(exit).toBe(0);
    expect(stdout).toContain("fanfare simulate -name ID -rounds N -players N");
  });

  test("-help of a command prints its usage", async () => {
    const { exit, stdout } = await run(["simulate", "-help"]);
    expect(exit).toBe(0);
    expect(stdout).toContain("-seed N");
  });

  test.each([
    ["an unknown command", ["fly"], "there is no command fly"],
    ["missing flags", ["simulate", "-name", "quiz_1"], "-rounds is missing"],
    [
      "a bad value",
      ["simulate", "-name", "quiz_1", "-rounds", "none", "-players", "10"],
      "-rounds must be a whole number",
    ],
    ["an unknown flag", ["down", "-now"], "-now"],
    ["a missing token", ["simulate", "-name", "a", "-rounds", "1", "-players", "1"], "-token"],
  ])("%s exits with 2 and says how it is used", async (_, args, what) => {
    const { exit, stdout, stderr } = await run(args);
    expect(exit).toBe(2);
    expect(stderr).toContain(what);
    expect(stderr).toContain("usage: ");
    expect(stdout).toBe("");
  });

  test("simulate without a gateway says where it looked", async () => {
    const { exit, stderr } = await run(
      ["simulate", "-name", "a", "-rounds", "1", "-players", "1", "-url", "http://127.0.0.1:1"],
      { FANFARE_TOKEN: "any" },
    );
    expect(exit).toBe(1);
    expect(stderr).toContain("http://127.0.0.1:1");
  });

  test("down where nothing runs says so", async () => {
    const { exit, stdout } = await run(["down"]);
    expect(exit).toBe(0);
    expect(stdout).toContain("does not run here");
  });
});

describe("fanfare token", () => {
  const secret = "a secret of more than thirty-two characters";

  test("prints a token that services take", async () => {
    const { stdout } = await run(["token", "-role", "host", "-session", "quiz_1"], {
      TOKEN_SECRET: secret,
    });
    expect(new Tokens([secret]).verify(stdout.trim())).toEqual({
      role: "host",
      subject: "host",
      sessionId: "quiz_1",
    });
  });

  test("refuses roles that are for machines", async () => {
    const { exit, stderr } = await run(["token", "-role", "service"], { TOKEN_SECRET: secret });
    expect(exit).toBe(2);
    expect(stderr).toContain("-role must be admin, host, author or spectator");
  });
});
