import { expect, test } from "vitest";
import { readConfig } from "./config.js";

const good = {
  POSTGRES_URL: "postgres://bank@db:5432/fanfare",
  TOKEN_SECRET: "a secret of at least thirty-two characters",
};

test("the defaults are enough beside address and secret; the bus is not asked for", () => {
  expect(readConfig(good)).toMatchObject({
    grpcPort: 0,
    listenHost: "0.0.0.0",
    drainMs: 5_000,
    postgres: { url: good.POSTGRES_URL, connectionsMax: 8 },
  });
});

test("all faults are reported at once, each by the name of its variable", () => {
  const read = () => readConfig({ POSTGRES_URL: "mysql://db", GRPC_PORT: "99999" });
  expect(read).toThrow(/POSTGRES_URL: must begin with postgres.*/);
  expect(read).toThrow(/TOKEN_SECRET/);
  expect(read).toThrow(/GRPC_PORT/);
});
