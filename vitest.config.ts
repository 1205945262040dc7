import { readdirSync } from "node:fs"
import { availableParallelism } from "node:os"
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const packages = readdirSync(new URL("packages", import.meta.url))

/** Files of tests of a package share the process of a worker, with the modules that it has loaded and the code that V8 has compiled. */
const projectOf = (name: string) => ({
  extends: true as const,
  test: { name, include: [`packages/${name}/test/**/*.test.ts`], isolate: false }
})

export default defineConfig({
  test: {
    projects: [
      ...packages.map(projectOf),
      { extends: true, test: { name: "workspace", include: ["test/**/*.test.ts", "examples/**/*.test.ts"] } }
    ],
    globalSetup: ["test/support/bundlePrograms.ts"],
    setupFiles: ["test/support/noSecrets.ts"],
    // Tests start hundreds of processes. With the code that an earlier one compiled, a start takes half of the time.
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL("node_modules/.cache/compiled", import.meta.url)) },
    // Machines are shared and slow at times: a limit that only a hang reaches.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // More than there are cores: many tests wait, for locks that expire and for processes.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
    coverage: {
      // Not V8's own: while that counts, V8 does not inline functions. Hashes in JavaScript take 28 times as long, and half
      // of the suite's time would be theirs. Istanbul changes our sources alone.
      provider: "istanbul",
      include: ["packages/*/src/**"],
      // Runs in processes of its own, which tests start and the measurement does not see.
      exclude: [
        "packages/cli/src/bin.ts",
        "packages/cli/src/bunOutput.ts",
        "packages/cli/src/main.ts",
        "packages/emulator/src/bin.ts",
        "packages/emulator/src/internal/command/**",
        "packages/emulator/src/internal/program/**"
      ],
      reporter: [["text", { skipFull: true }]],
      // Of the command, terminals, prompts and signals are tested in processes as well.
      thresholds: { lines: 98.5, branches: 92.3, "packages/client/src/**": { lines: 99, branches: 95 } }
    }
  }
})
