import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/setup.ts"],
    // A test that hangs is to end, and one that takes a minute on a machine at a quarter of the speed is not.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    // The default is a second, which such a machine does not keep to.
    expect: { poll: { timeout: 60_000 } },
    maxWorkers: 2,
  },
});
