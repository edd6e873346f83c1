import { expect, test } from "vitest";
import { readConfig } from "./config.js";

const TOKEN_SECRET = "0123456789012345678901234567890123456789";

test("what is not given has its default", () => {
  expect(readConfig({ TOKEN_SECRET })).toMatchObject({
    HTTP_PORT: 8_000,
    FRAME_BYTES_MAX: 4_096,
    SOCKETS_MAX: 18_000,
    ALLOWED_ORIGINS: [],
    TRUSTED_PROXIES: 0,
  });
});

test("all faults are told at once, each with its name", () => {
  const env = {
    IDLE_TIMEOUT_SECONDS: "961",
    QUIZ_URL: "http://quiz:9001",
    SOCKETS_MAX: "many",
    NATS_REPLICAS: "2",
  };
  expect(() => readConfig(env)).toThrow(
    /(?=.*TOKEN_SECRET)(?=.*IDLE_TIMEOUT_SECONDS)(?=.*QUIZ_URL)(?=.*SOCKETS_MAX)(?=.*NATS_REPLICAS)/s,
  );
});

test("several pods of a service are a list", () => {
  const { QUIZ_URL } = readConfig({ TOKEN_SECRET, QUIZ_URL: "a:1, b:2" });
  expect(QUIZ_URL).toBe("a:1, b:2");
});
