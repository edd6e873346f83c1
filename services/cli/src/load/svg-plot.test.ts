import { describe, expect, test } from "vitest";
import { barPlot, escaped, linePlot, ticksUpTo } from "./svg-plot.js";

const OPTIONS = { title: "Times", x: "s", y: "ms" };

test.each([
  [0.9, [0, 0.2, 0.4, 0.6, 0.8, 1]],
  [5, [0, 1, 2, 3, 4, 5]],
  [73, [0, 20, 40, 60, 80]],
  [1_200, [0, 500, 1_000, 1_500]],
])("ticks up to %s are round numbers that hold it", (max, expected) => {
  const ticks = ticksUpTo(max);
  expect(ticks).toHaveLength(expected.length);
  for (const [i, tick] of ticks.entries()) expect(tick).toBeCloseTo(expected[i] ?? Number.NaN, 9);
});

describe("linePlot", () => {
  test("draws each series inside the frame, with its name in the legend", () => {
    const svg = linePlot(
      [
        {
          name: "p50",
          points: [
            [0, 1],
            [10, 5],
          ],
        },
        {
          name: "p99",
          points: [
            [0, 8],
            [10, 9],
          ],
        },
      ],
      OPTIONS,
    );
    const lines = [...svg.matchAll(/points="([^"]+)"/g)].map(([, points = ""]) => points);
    expect(lines).toHaveLength(2);
    for (const [x = -1, y = -1] of lines.flatMap((line) =>
      line.split(" ").map((point) => point.split(",").map(Number)),
    )) {
      expect(x).toBeGreaterThanOrEqual(0);
      expect(x).toBeLessThanOrEqual(640);
      expect(y).toBeGreaterThanOrEqual(0);
      expect(y).toBeLessThanOrEqual(280);
    }
    expect(svg).toContain("p99</span>");
  });

  test("is nothing where nothing was measured", () => {
    expect(linePlot([{ name: "none", points: [] }], OPTIONS)).toBe("");
    expect(barPlot([], OPTIONS)).toBe("");
  });

  test("names can't break out of the page", () => {
    const name = `<script>alert("1")</script>`;
    const bars = barPlot([{ label: name, value: 1, text: name }], OPTIONS);
    const lines = linePlot(
      [
        { name, points: [[0, 1]] },
        { name, points: [[1, 2]] },
      ],
      OPTIONS,
    );
    expect(bars + lines).not.toContain("<script>");
    expect(escaped(`a&"b'`)).toBe("a&#38;&#34;b&#39;");
  });
});
