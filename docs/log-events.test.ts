/** docs/log-events.md and the messages that the services log are the same, in both directions. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SERVICES = ["common", "gateway", "leaderboard", "quiz", "quiz-master"];
/** Servers that tests and `fanfare up` start write no log of a service. */
const NOT_SERVED = /\.test\.ts$|\/servers\//;
/** The gateway's handlers tell their faults by this, which logs them as warnings. */
const CALL = /\blog(?:\.(\w+)|\[[^\]]*\])\(|\bonFault\(/gi;
const LEVELS = ["debug", "info", "warn", "error", "fatal"];

interface Event {
  level: string;
  message: string;
}

function listed(): Event[] {
  const rows = readFileSync(new URL("log-events.md", import.meta.url), "utf8").matchAll(
    /^\| (\w+) \| `([^`]+)` \|/gm,
  );
  return [...rows].map(([, level = "", message = ""]) => ({ level, message }));
}

function logged(): Event[] {
  const files = SERVICES.flatMap((name) => {
    const folder = `services/${name}/src`;
    const inside = readdirSync(ROOT + folder, { recursive: true, encoding: "utf8" });
    return inside.map((file) => `${folder}/${file}`);
  });
  return files.filter((file) => file.endsWith(".ts") && !NOT_SERVED.test(file)).flatMap(eventsOf);
}

function eventsOf(file: string): Event[] {
  const text = readFileSync(ROOT + file, "utf8");
  return [...text.matchAll(CALL)].flatMap((call) => {
    const [, level = "warn"] = call;
    const literals = literalsOf(text.slice(call.index + call[0].length));
    if (call[0].includes("[")) {
      // log[agrees ? "debug" : "error"](facts, agrees ? "this" : "that")
      const levels = [...call[0].matchAll(/"(\w+)"/g)].map(([, each = ""]) => each);
      return literals
        .slice(-levels.length)
        .map((message, i) => ({ level: levels[i] ?? "", message }));
    }
    const message = literals.at(-1);
    return message !== undefined && LEVELS.includes(level) ? [{ level, message }] : [];
  });
}

/** The texts among a call's arguments, up to its closing bracket. */
function literalsOf(rest: string): string[] {
  const literals: string[] = [];
  let depth = 1;
  for (const [token] of rest.matchAll(/"(?:[^"\\]|\\.)*"|`[^`]*`|[([{]|[)\]}]/g)) {
    if (token.length > 1) literals.push(token.slice(1, -1));
    else depth += "([{".includes(token) ? 1 : -1;
    if (depth === 0) break;
  }
  return literals;
}

/** What a message with `${…}` in it may be. */
function patternOf(message: string): RegExp {
  const fixed = message.split(/\$\{[^}]*\}/).map((part) => part.replace(/[^\w ]/g, "\\$&"));
  return new RegExp(`^${fixed.join(".+")}$`);
}

test("every message that a service logs is on the list, with its level", () => {
  const list = listed();
  const missing = logged().filter(
    ({ level, message }) =>
      !list.some((each) => each.level === level && patternOf(message).test(each.message)),
  );
  expect(missing).toEqual([]);
});

test("every message of the list is logged, once in the list", () => {
  const all = logged();
  expect(all.length).toBeGreaterThan(50);
  const gone = listed().filter(
    ({ level, message }) =>
      !all.some((each) => each.level === level && patternOf(each.message).test(message)),
  );
  expect(gone).toEqual([]);
  const messages = listed().map(({ message }) => message);
  expect(new Set(messages).size).toBe(messages.length);
});
