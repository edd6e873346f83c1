/** The cluster tests: one installation after the other on the cluster of the current kubectl context. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "k8s",
    root: new URL("../..", import.meta.url).pathname,
    include: ["e2e/k8s/*.test.ts"],
    pool: "forks",
    // One at a time: what is measured in seconds must not fight for the node.
    fileParallelism: false,
    testTimeout: 420_000,
    hookTimeout: 420_000,
  },
});
