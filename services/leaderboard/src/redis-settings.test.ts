import { ConfigError, readEnv } from "@fanfare/common/config";
import { expect, test } from "vitest";
import { parseRedisUrl, redisAccess, redisSettings } from "./redis-settings.js";

test.each([
  ["redis://cache", { kind: "single", secure: false, host: "cache", port: 6379, db: 0 }],
  [
    "rediss://user:p%40ss:word@cache:6380/3",
    {
      kind: "single",
      secure: true,
      username: "user",
      password: "p@ss:word",
      host: "cache",
      port: 6380,
      db: 3,
    },
  ],
  [
    "redis://:only-a-password@[fd00::1]:6380/",
    {
      kind: "single",
      secure: false,
      password: "only-a-password",
      host: "fd00::1",
      port: 6380,
      db: 0,
    },
  ],
  [
    "redis+sentinel://s-0.sentinel, s-1.sentinel:26380/mymaster",
    {
      kind: "sentinel",
      secure: false,
      sentinels: [
        { host: "s-0.sentinel", port: 26379 },
        { host: "s-1.sentinel", port: 26380 },
      ],
      primary: "mymaster",
      db: 0,
    },
  ],
  [
    "rediss+sentinel://s-0/mymaster/2",
    {
      kind: "sentinel",
      secure: true,
      sentinels: [{ host: "s-0", port: 26379 }],
      primary: "mymaster",
      db: 2,
    },
  ],
  [
    "rediss+cluster://a:7000,b",
    {
      kind: "cluster",
      secure: true,
      nodes: [
        { host: "a", port: 7000 },
        { host: "b", port: 6379 },
      ],
    },
  ],
])("%s is understood", (url, address) => {
  expect(parseRedisUrl(url)).toEqual(address);
});

test.each([
  ["cache:6379", /must be like/],
  ["http://cache", /must be like/],
  ["redis://", /must be like/],
  ["redis+mesh://cache", /must be like/],
  ["redis://:100%@cache", /%25/],
  ["redis://a,b", /several hosts/],
  ["redis://cache:0", /is not host:port/],
  ["redis://cache:65536", /is not host:port/],
  ["redis://cache:port", /is not host:port/],
  ["redis+cluster://a,,b", /is not host:port/],
  ["redis://cache/first", /database/],
  ["redis://cache/0/1", /database/],
  ["redis+sentinel://a,b", /must name the primary/],
  ["redis+sentinel://a/mymaster/x", /database/],
  ["redis+cluster://a/1", /no database but 0/],
])("%s is refused", (url, message) => {
  expect(parseRedisUrl(url)).toMatch(message);
});

test("a bad URL is a fault of its variable, and shows no password", () => {
  const read = () => readEnv({ REDIS_URL: "redis://:hunter2@a,b" }, redisSettings);
  expect(read).toThrow(/REDIS_URL: several hosts/);
  expect(read).not.toThrow(/hunter2/);
});

test("variables win over the URL's login", () => {
  const env = {
    REDIS_URL: "redis://u:p@cache",
    REDIS_USERNAME: "fanfare",
    REDIS_PASSWORD: "secret",
    REDIS_SENTINEL_PASSWORD: "other",
  };
  expect(redisAccess(readEnv(env, redisSettings))).toMatchObject({
    username: "fanfare",
    password: "secret",
    sentinelPassword: "other",
  });
});

test("files of TLS without TLS in the URL are refused", () => {
  const env = { REDIS_URL: "redis://cache", REDIS_CA_FILE: "/tls/ca.crt" };
  const access = () => redisAccess(readEnv(env, redisSettings));
  expect(access).toThrow(ConfigError);
  expect(access).toThrow("must begin with rediss");
});
