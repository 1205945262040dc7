/**
 * Programs that `--explain` prints compile: those of all examples in the documentation, and of transfers with other flags.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { eacr } from "../packages/cli/test/support/eacr.ts"
import { tasks } from "./cli/tasks.ts"
import { verbs, withoutProgram } from "./cli/verbs.ts"
import { callIn } from "./cli/words.ts"

const root = fileURLToPath(new URL("..", import.meta.url))

const image = "myregistry.azurecr.io/shop/api:v1"

const calls: ReadonlyArray<ReadonlyArray<string>> = [
  ["cp", image, "other.azurecr.io/shop/api"],
  ["cp", image, "other.azurecr.io/shop/api:a,b", "--platform", "linux/amd64", "--index", "sparse", "--verify"],
  ["cp", image, "other.azurecr.io/shop/api", "--on-tag", "keep", "--cosign-tags", "--foreign-layers", "--dry-run"],
  ["cp", image, "--to-layout", "folder"],
  ["cp", image, "--to-layout", "folder", "a,b"],
  ["cp", "--from-layout", "folder", "--all-tags", "other.azurecr.io/shop/api"],
  ["cp", "--from-archive", "-", "v1", "other.azurecr.io/shop/api"],
  ["cp", image, "--to-archive", "file.tar", "v2,v3", "--no-referrers"],
  ["cp", image, "--to-archive", "-"],
  ["pull", image, "-o", "folder", "--overwrite", "--platform", "linux/amd64"],
  ["pull", image, "-o", "-", "--platform", "linux/amd64"],
  ["pull", image, "--attached", "text/note"],
  ["pull", "--archive", "a.tar", "v1", "--attached", "text/note", "-o", "-"],
  ["push", "myregistry.azurecr.io/files", "a.txt:text/plain", "--annotation", "org.example.build=7"],
  ["push", "--layout", "folder", "a,b", "a.txt"],
  ["attach", image, "a.txt", "--artifact-type", "text/note", "--platform", "linux/amd64"],
  ["export", image, "a.tar", "--format", "docker", "--platform", "linux/amd64", "--name", "shop/api"],
  ["export", image, "-"],
  ["export", image, "folder", "--format", "layout", "--platform", "linux/amd64"],
  ["import", "a.tar", "myregistry.azurecr.io/shop/api"],
  ["import", ".", "myregistry.azurecr.io/shop/api:a", "--dry-run"],
  ["import", "-", "myregistry.azurecr.io/shop/api:a,b"],
  ["serve"],
  ["serve", "--port", "0", "--seed", "library/alpine:3.20", "--soft-delete", "7 days", "--https", "--tier", "basic"]
]

const documented = [
  ...verbs.flatMap(({ examples }) => examples.map(({ command }) => command)),
  ...tasks.map(({ line }) => line)
]
  .map(callIn)
  .filter(([verb = ""]) => !withoutProgram.has(verb))

it.effect(
  "programs of --explain compile",
  () =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        // Inside this package, so that imports resolve as they do for a user.
        Effect.sync(() => mkdtempSync(join(root, "test/.explained-"))),
        (made) => Effect.sync(() => rmSync(made, { recursive: true }))
      )
      assert.isAbove(documented.length, 40)
      for (const [index, call] of [...documented, ...calls].entries()) {
        const { code, stderr, stdout } = yield* eacr([...call, "--explain"], { env: { HOME: "/nonexistent" } })
        assert.strictEqual(code, 0, `${call.join(" ")}: ${stderr}`)
        writeFileSync(join(folder, `program${index}.ts`), stdout)
      }
      const settings = {
        extends: "../../tsconfig.base.json",
        compilerOptions: { noEmit: true, types: ["node"] },
        include: ["*.ts"]
      }
      writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(settings))
      const { status, stdout } = spawnSync(join(root, "node_modules/.bin/tsc"), ["--project", folder], {
        cwd: folder,
        encoding: "utf8"
      })
      assert.strictEqual(status, 0, stdout)
    }).pipe(Effect.scoped),
  120_000
)
