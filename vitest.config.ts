/** The storeys of tests: rules, one service on real servers, the chart as rendered, the whole stack. */
import { defineConfig } from "vitest/config";

const exclude = ["**/node_modules/**", "**/dist/**", "**/.fanfare/**"];

export default defineConfig({
  test: {
    pool: "forks",
    // Integration tests start servers and e2e whole stacks: two at a time keep two cores busy.
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: [
            "proto/*.test.ts",
            "proto/questions/*.test.ts",
            "services/*/src/**/*.test.ts",
            "services/web/test/*.test.ts",
            "bench/src/**/*.test.ts",
            "docs/*.test.ts",
          ],
          exclude,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["services/*/test/**/*.test.ts"],
          exclude: [...exclude, "services/web/**"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "chart",
          include: ["charts/test/*.test.ts"],
          exclude,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["e2e/*.test.ts"],
          exclude,
          // One stack at a time: what is measured in seconds must not fight for the cores.
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
