import { expect, test } from "vitest";
import { finalTable, roundLine } from "./report.js";

test("a round is one line, however long its question", () => {
  const line = roundLine({
    round: 3,
    rounds: 30,
    question: "🇫🇷".repeat(100),
    sent: 10,
    accepted: 9,
    leader: "player3 2810",
    p50Ms: 4.21,
    p99Ms: 31.04,
  });
  expect(line).not.toContain("\n");
  expect(line).toContain("round  3/30");
  expect(line).toContain("9/10 accepted");
  expect(line).toContain("ack p50 4.2 ms p99 31.0 ms");
});

test("the table shows a hundred rows of a large board", () => {
  const rows = Array.from({ length: 250 }, (_, place) => ({
    PlayerID: `player${place}`,
    Score: 1_000 - place,
    Rank: place + 1,
  }));
  const lines = finalTable(rows).split("\n");
  expect(lines).toHaveLength(102);
  expect(lines[0]).toMatch(/Rank +PlayerID +Score/);
  expect(lines[1]).toMatch(/1 +player0 +1000/);
  expect(lines.at(-1)).toBe("… and 150 more");
});
