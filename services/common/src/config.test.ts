import { expect, test } from "vitest";
import { ConfigError, common, flag, port, postgresSettings, readEnv, whole, z } from "./config.js";

const SECRET = "0123456789abcdef0123456789abcdef";

function faultsOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message;
  }
  throw new Error("no fault was told");
}

test("what is not given, or blank, has its default", () => {
  const expected = {
    GRPC_PORT: 0,
    ADMIN_PORT: 0,
    LISTEN_HOST: "0.0.0.0",
    NATS_URL: "nats://127.0.0.1:4222",
    NATS_REPLICAS: 1,
    NATS_LOG_BYTES_MAX: 0,
    NATS_BOARDS_AGE_S: 2_592_000,
    NATS_BOARDS_BYTES_MAX: 67_108_864,
    NATS_DEAD_LETTERS_AGE_S: 2_592_000,
    NATS_DEAD_LETTERS_BYTES_MAX: 134_217_728,
    TOKEN_SECRET: [SECRET],
    LOG_LEVEL: "info",
    DRAIN_MS: 5_000,
    POD_NAME: `pod-${process.pid}`,
  };
  expect(readEnv({ TOKEN_SECRET: SECRET }, common)).toEqual(expected);
  const blank = { GRPC_PORT: "", ADMIN_PORT: "  ", DRAIN_MS: "\t", LOG_LEVEL: "" };
  expect(readEnv({ ...blank, TOKEN_SECRET: SECRET }, common)).toEqual(expected);
});

test("all faults are told at once, each with the name of its variable and what it must be", () => {
  const env = {
    GRPC_PORT: "70000",
    ADMIN_PORT: "http",
    DRAIN_MS: "-1",
    LOG_LEVEL: "loud",
    TOKEN_SECRET: "short",
    LIVE: "yes",
    SIZE: "1.5",
  };
  const message = faultsOf(() =>
    readEnv(env, {
      ...common,
      LIVE: flag(false),
      SIZE: whole(1, 1, 9),
      URL: z.string("must be given"),
    }),
  );
  for (const name of Object.keys(env)) expect(message).toContain(`${name}: `);
  expect(message).toContain("URL: must be given");
  expect(message).toContain("ADMIN_PORT: must be a port number");
  expect(message).toContain("LIVE: must be true or false");
  expect(message).toContain("LOG_LEVEL: must be one of trace, debug, info");
});

test("what belongs together is given together: what is missing is named", () => {
  const shape = { ...common, ...postgresSettings };
  const env = {
    TOKEN_SECRET: SECRET,
    POSTGRES_URL: "postgres://db/fanfare",
    GRPC_CERT_FILE: "/tls/tls.crt",
    NATS_USER: "fanfare",
    POSTGRES_KEY_FILE: "/tls/tls.key",
    ADMIN_PORT: "http",
  };
  const message = faultsOf(() => readEnv(env, shape));
  for (const fault of [
    "GRPC_KEY_FILE: must be given too, as GRPC_CERT_FILE is",
    "GRPC_CA_FILE: must be given too, as GRPC_CERT_FILE is",
    "NATS_PASSWORD: must be given too, as NATS_USER is",
    "POSTGRES_CERT_FILE: must be given too, as POSTGRES_KEY_FILE is",
    "ADMIN_PORT: must be a port number",
  ])
    expect(message).toContain(fault);
  // What a service does not read is not its business.
  const { GRPC_CERT_FILE: _, ...rest } = env;
  expect(readEnv({ ...rest, ADMIN_PORT: "1" }, { ADMIN_PORT: port() })).toEqual({ ADMIN_PORT: 1 });
});

test("no fault shows a secret", () => {
  const message = faultsOf(() => readEnv({ TOKEN_SECRET: `${SECRET},hunter2` }, common));
  expect(message).toContain("TOKEN_SECRET");
  expect(message).not.toContain("hunter2");
  expect(message).not.toContain(SECRET);
});

test("secrets are a list, with or without spaces around them", () => {
  const other = `${SECRET}!`;
  expect(readEnv({ TOKEN_SECRET: ` ${SECRET}, ${other} ` }, common).TOKEN_SECRET).toEqual([
    SECRET,
    other,
  ]);
});

test.each(["31 characters are not enough...", `${SECRET},`, `${SECRET},,${SECRET}`])(
  "%j is no list of secrets",
  (value) => {
    expect(faultsOf(() => readEnv({ TOKEN_SECRET: value }, common))).toContain("TOKEN_SECRET");
  },
);

test("a missing secret is told as such", () => {
  expect(faultsOf(() => readEnv({}, common))).toMatch(/^bad settings: TOKEN_SECRET: must be given/);
});

test.each(["-1", "65536", "1.5", "a", "NaN", "Infinity"])("%j is no port", (value) => {
  expect(faultsOf(() => readEnv({ P: value }, { P: port(1) }))).toContain("P: ");
});

test("a port without a default must be given", () => {
  expect(readEnv({ P: "8000" }, { P: port() })).toEqual({ P: 8_000 });
  expect(faultsOf(() => readEnv({}, { P: port() }))).toContain("P: ");
});

test("bounds are within", () => {
  const shape = { N: whole(5, 1, 9) };
  expect(readEnv({ N: "1" }, shape).N).toBe(1);
  expect(readEnv({ N: "9" }, shape).N).toBe(9);
  for (const N of ["0", "10", "1e9", "nine"])
    expect(faultsOf(() => readEnv({ N }, shape))).toContain("N: ");
});

test("a flag is true or false and nothing else", () => {
  const shape = { F: flag(true) };
  expect([readEnv({}, shape).F, readEnv({ F: "false" }, shape).F]).toEqual([true, false]);
  for (const F of ["1", "yes", "TRUE"])
    expect(faultsOf(() => readEnv({ F }, shape))).toContain("F: ");
});

test("a stop is not drained for longer than a stop may take", () => {
  expect(readEnv({ TOKEN_SECRET: SECRET, DRAIN_MS: "30000" }, common).DRAIN_MS).toBe(30_000);
  const env = { TOKEN_SECRET: SECRET, DRAIN_MS: "30001" };
  expect(faultsOf(() => readEnv(env, common))).toContain("DRAIN_MS");
});
