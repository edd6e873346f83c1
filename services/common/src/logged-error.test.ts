import { describe, expect, test } from "vitest";
import { loggedError } from "./logged-error.js";

const SECRET = "Zoë's secret nickname";

describe("a logged error shows nothing that players wrote", () => {
  test("of Redis: the command and its arguments stay out", () => {
    const error = Object.assign(new Error("OOM command not allowed"), {
      name: "ReplyError",
      command: { name: "evalsha", args: ["…", SECRET] },
    });
    const logged = loggedError(error);
    expect(JSON.stringify(logged)).not.toContain(SECRET);
    expect(logged).toMatchObject({ type: "ReplyError", message: "OOM command not allowed" });
  });

  test("of PostgreSQL: the row stays out, the names of table and constraint stay", () => {
    const error = Object.assign(new Error('violates check constraint "name_fits"'), {
      name: "PostgresError",
      code: "23514",
      detail: `Failing row contains (${SECRET})`,
      where: SECRET,
      parameters: [SECRET],
      table_name: "players",
      constraint_name: "name_fits",
    });
    const logged = loggedError(error);
    expect(JSON.stringify(logged)).not.toContain(SECRET);
    expect(logged).toMatchObject({
      code: "23514",
      table_name: "players",
      constraint_name: "name_fits",
    });
  });

  test.each([
    [
      "a value that PostgreSQL can't hold",
      Object.assign(new Error(`invalid input syntax for type integer: "${SECRET}"`), {
        name: "PostgresError",
        code: "22P02",
      }),
    ],
    ["text that is no JSON", parseError(`${SECRET} is no JSON`)],
    [
      "a field that can't be decoded",
      new Error(`cannot decode field events.v1.PlayerJoined.nickname from JSON: "${SECRET}"`),
    ],
    ["something thrown that is no error", SECRET],
  ])("of %s, as itself and as a cause", (_, thrown) => {
    for (const each of [
      thrown,
      new Error("failed", { cause: thrown }),
      new AggregateError([thrown]),
    ])
      expect(JSON.stringify(loggedError(each))).not.toMatch(/secret|Zo/);
  });
});

test("a logged error says where it came from, and its causes and parts", () => {
  const refused = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), {
    code: "ECONNREFUSED",
    address: "127.0.0.1",
    port: 1,
  });
  const logged = loggedError(new Error("away", { cause: new AggregateError([refused]) }));
  expect(logged).toMatchObject({
    message: "away",
    stack: expect.stringContaining("logged-error.test.ts"),
    cause: { errors: [{ code: "ECONNREFUSED", address: "127.0.0.1", port: 1 }] },
  });
});

test("errors that are each other's cause end somewhere", () => {
  const error = new Error("round and round");
  error.cause = error;
  expect(JSON.stringify(loggedError(error)).length).toBeLessThan(100_000);
});

function parseError(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return error;
  }
}
