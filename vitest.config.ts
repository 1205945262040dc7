import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["packages/*/test/**/*.test.ts", "test/**/*.test.ts", "examples/**/*.test.ts"],
    setupFiles: ["test/support/noSecrets.ts"],
    // Machines are shared and slow at times: a limit that only a hang reaches.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    coverage: {
      include: ["packages/*/src/**"],
      reporter: [["text", { skipFull: true }]],
      thresholds: { lines: 99, branches: 94 }
    }
  }
})
