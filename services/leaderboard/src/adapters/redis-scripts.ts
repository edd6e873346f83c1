/** Lua scripts: read from lua/*.lua once, sent to Redis once, then called by their hash. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { OperationTimes } from "@fanfare/common/operation-times";
import type { RedisCommands } from "./redis-connection.js";

/** The same folder seen from src and from dist: nothing is copied by the build. */
const FOLDER = new URL("../../lua/", import.meta.url);

/** Names of the scripts, by what a call has of them: hash, or text. */
const NAMES = new Map<unknown, string>();

export interface Script {
  name: string;
  text: string;
  sha1: string;
}

/** A script that stands behind the shared session-keys.lua, and behind others that it is made of. */
export function loadScript(name: string, parts: readonly string[] = []): Script {
  const text = ["session-keys", ...parts, name]
    .map((each) => readFileSync(new URL(`${each}.lua`, FOLDER), "utf8"))
    .join("\n");
  const script = { name, text, sha1: createHash("sha1").update(text).digest("hex") };
  NAMES.set(script.sha1, name).set(text, name);
  return script;
}

/**
 * Calls a script; a server that does not have it (any more) gets it with the call. On a cluster both
 * go to the node of the first key, so each node gets the scripts that it needs.
 */
export async function runScript(
  redis: RedisCommands,
  script: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  // One list, not spread: a large entry has more arguments than a stack has room for.
  const list = [keys.length, ...keys, ...args];
  try {
    return await redis.call("evalsha", [script.sha1, ...list]);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
    return await redis.call("eval", [script.text, ...list]);
  }
}

/** The same commands, each timed under its own name or its script's. */
export function timedRedis(redis: RedisCommands, times: OperationTimes): RedisCommands {
  return {
    call: (command, args) =>
      times.time(NAMES.get(args[0]) ?? command, () => redis.call(command, args)),
    hmget: (...args) => times.time("hmget", () => redis.hmget(...args)),
    smembers: (key) => times.time("smembers", () => redis.smembers(key)),
    zrange: (...args) => times.time("zrange", () => redis.zrange(...args)),
  };
}
