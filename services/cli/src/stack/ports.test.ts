import { expect, test } from "vitest";
import { PortBusyError, portsFromEnv, portVariable } from "./ports.js";

test("ports are the well-known ones unless the environment moves them", () => {
  const ports = portsFromEnv({ FANFARE_PORT_QUIZ_MASTER: "19003" });
  expect(ports).toMatchObject({ gateway: 8000, nats: 4222, "quiz-master": 19_003 });
});

test.each(["0", "70000", "x", "80.5"])("%s is no port", (value) => {
  expect(() => portsFromEnv({ FANFARE_PORT_NATS: value })).toThrow("FANFARE_PORT_NATS");
});

test("a busy port is named together with the variable that moves it", () => {
  expect(portVariable("nats-monitor")).toBe("FANFARE_PORT_NATS_MONITOR");
  expect(new PortBusyError(8000, "gateway").message).toBe(
    "port 8000, wanted for gateway, is in use: free it, or choose another one: " +
      "FANFARE_PORT_GATEWAY=18000",
  );
});

test("a busy port of a server may be that server's own", () => {
  expect(new PortBusyError(6379, "redis").message).toContain("REDIS_URL");
});
