/** Flags of the bench. A bad one is told with the usage and exit code 2. */
import { parseArgs } from "node:util";

const PARTS = [
  "fanout",
  "answers",
  "connect",
  "ranks",
  "kill",
  "metrics",
  "memory",
  "overload",
  "growth",
  "classes",
  "beside",
] as const;
const USAGE = `usage: node bench/dist/main.js [--only PART] [--players N] [--rounds N] [--quick] [--profile]
  --only     this part; may be repeated (all): ${PARTS.join(", ")}
  --players  who answer, 1 to 15000 (5000; 2000 with --quick)
  --rounds   rounds of answers, 1 to 20 (4; 2 with --quick)
  --quick    smaller and fewer: three minutes
  --profile  one more round of answers, profiled`;
const PLAYERS_MAX = 15_000;
const ROUNDS_MAX = 20;

export type Part = (typeof PARTS)[number];

export function readOptions(args: string[]) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        only: { type: "string", multiple: true, default: [...PARTS] },
        players: { type: "string" },
        rounds: { type: "string" },
        quick: { type: "boolean", default: false },
        profile: { type: "boolean", default: false },
      },
    });
    const { only, quick, profile } = values;
    for (const part of only)
      if (!(PARTS as readonly string[]).includes(part)) throw new Error(`no part ${part}`);
    return {
      wants: (part: Part) => only.includes(part),
      players: whole("players", values.players ?? (quick ? "2000" : "5000"), PLAYERS_MAX),
      rounds: whole("rounds", values.rounds ?? (quick ? "2" : "4"), ROUNDS_MAX),
      quick,
      profile,
    };
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    process.exit(2);
  }
}

function whole(name: string, text: string, max: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > max)
    throw new Error(`--${name} is a whole number from 1 to ${max}, not ${text}`);
  return value;
}
