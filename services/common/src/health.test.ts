import { expect, test } from "vitest";
import { Health } from "./health.js";

test("work may come between start and drain, while every connection stands", () => {
  const health = new Health();
  let connected = false;
  health.require("NATS", () => connected);
  health.require("Redis", () => connected);
  expect(health.faults()).toEqual(["starting"]);
  health.started();
  expect(health.faults()).toEqual(["NATS is not connected", "Redis is not connected"]);
  connected = true;
  expect(health.faults()).toEqual([]);
  expect(health.isDraining).toBe(false);
  health.draining();
  expect(health.faults()).toEqual(["draining"]);
  expect(health.isDraining).toBe(true);
});

test("who listens is told of start and drain, until it listens no more", () => {
  const health = new Health();
  const told: string[][] = [];
  const stop = health.onChange(() => told.push(health.faults()));
  health.started();
  health.draining();
  expect(told).toEqual([[], ["draining"]]);
  stop();
  health.draining();
  expect(told).toHaveLength(2);
});
