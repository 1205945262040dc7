/**
 * docs/cli/tasks.md on distribution v3: the lines as they stand, and what this registry cannot do. It has no management API, no
 * referrers API, and says no times.
 */
import { readFile } from "node:fs/promises"
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { eacr, type Ended } from "../packages/cli/test/support/eacr.ts"
import { loggedIn } from "../packages/cli/test/support/registry.ts"
import { argsOf, elsewhere, prepare, registry } from "./cli/examples.ts"
import { tasks } from "./cli/tasks.ts"
import * as Docker from "./support/dockerRegistry.ts"

/** The registry of production is another folder of the same one. */
const onDistribution = Effect.fnUntraced(function* (line: string) {
  const { loginServer } = yield* Docker.DockerRegistry
  const args = argsOf(line, (named) => (named.startsWith("production.") ? `${loginServer}/production` : loginServer))
  return yield* eacr(args, { env: { HOME: "/nonexistent" } })
})

/** What a line prints that must not fail. */
const printed = Effect.fnUntraced(function* (line: string) {
  const { code, stderr, stdout } = yield* onDistribution(line)
  assert.strictEqual(code, 0, `${line}: ${stderr}`)
  return stdout
})

/** An image for two platforms with an SBOM, and others, as the tasks expect them. The emulator makes them. */
const filled = Layer.effectDiscard(
  Effect.gen(function* () {
    yield* elsewhere
    yield* prepare("tasks")
    const { loginServer } = yield* Docker.DockerRegistry
    const { code, stderr } = yield* loggedIn(["cp", "--all-tags", "$REGISTRY/shop/api", `${loginServer}/shop/api`])
    assert.strictEqual(code, 0, stderr)
  })
)

const distribution = filled.pipe(
  Layer.provide(registry),
  Layer.provideMerge(Docker.layer({ version: "3", access: "anonymous", relativeUrls: false, plainHttp: true }))
)

const image = "myregistry.azurecr.io/shop/api:v1.4.0"

const digestOf = (name: string) => printed(`eacr digest ${name}`)

const textOf = (path: string) => Effect.promise(() => readFile(path, "utf8"))

type Check = (ended: Ended) => Effect.Effect<void, never, Docker.DockerRegistry>

const shows =
  (...patterns: ReadonlyArray<RegExp>): Check =>
  ({ stdout }) =>
    Effect.sync(() => {
      for (const pattern of patterns) assert.match(stdout, pattern)
    })

/** What a user finds after each task. */
const checks: Readonly<Record<string, Check>> = {
  "List tags": shows(/^v1\.3\.0$/m, /^v1\.4\.0$/m),
  "List tags by date": shows(
    /^v1\.4\.0\tsha256:[0-9a-f]{64}\t\d+\t1970-01-01T00:00:00\.000Z\tlinux\/amd64,linux\/arm64\t$/m
  ),
  "See labels and size": shows(/^total size\t\d+$/m, /^platform\tlinux\/amd64$/m),
  "Copy an image with its signatures and SBOMs": () =>
    Effect.gen(function* () {
      assert.include(yield* printed("eacr tree production.azurecr.io/shop/api:v1.4.0"), "application/spdx+json")
    }),
  "Tag again": () =>
    Effect.gen(function* () {
      const tagged = yield* digestOf("myregistry.azurecr.io/shop/api:production")
      assert.strictEqual(tagged, yield* digestOf(image))
    }),
  "Delete images without a tag, safely": () =>
    Effect.gen(function* () {
      assert.include(yield* printed("eacr ls myregistry.azurecr.io/shop/api"), "build-1\n")
      yield* printed(`eacr validate ${image}`)
    }),
  "Push a folder": shows(/^sha256:[0-9a-f]{64}\tv1\tpushed$/m),
  "Pull a folder": () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* textOf("public/dist/index.html"), yield* textOf("dist/index.html"))
    }),
  "Save an image for docker load": () =>
    Effect.gen(function* () {
      assert.include(yield* textOf("api.tar"), "manifest.json")
    }),
  "Load an archive into a registry": () =>
    Effect.gen(function* () {
      assert.include(yield* printed("eacr show myregistry.azurecr.io/shop/api:restored"), "linux/amd64")
    }),
  "Show the SBOM of an image": shows(/^\{"spdxVersion":"SPDX-2\.3"\}$/),
  "See storage by tag": shows(/\tv1\.3\.0$/m, /\ttotal\b/)
}

/** Verbs of Azure's management API. */
const unsupported = [
  "eacr lock myregistry.azurecr.io/shop/api:v1.4.0",
  "eacr unlock myregistry.azurecr.io/shop/api:v1.4.0",
  "eacr trash ls myregistry.azurecr.io",
  "eacr trash ls myregistry.azurecr.io/shop/api",
  "eacr trash restore myregistry.azurecr.io/shop/api:v1.4.0"
]

/** Rules that would delete, if the registry said how old things are. */
const undated = ["--tags 'build-*'", "--tags 'build-*' --older-than 1d", "--tags '*' --keep 1", "--untagged"]

describe.runIf(Docker.isThere("3"))("on distribution v3", () => {
  layer(distribution, { excludeTestServices: true })("docs/cli/tasks.md:", (it) => {
    for (const { line, title } of tasks) {
      it.effect(title, () =>
        Effect.gen(function* () {
          const ended = yield* onDistribution(line)
          // What the registry does not list was not looked at.
          assert.strictEqual(ended.code, line.startsWith("eacr purge ") ? 3 : 0, ended.stderr)
          assert.property(checks, title)
          yield* checks[title]?.(ended) ?? Effect.void
        })
      )
    }

    for (const line of unsupported) {
      it.effect(`${line} is refused as unsupported`, () =>
        Effect.gen(function* () {
          const { code, stderr, stdout } = yield* onDistribution(line)
          assert.deepStrictEqual({ code, stdout }, { code: 6, stdout: "" })
          assert.match(stderr, /^error: cannot .+\n {2}this registry does not have the management API of Azure/)
          // Words of the library, for which the command has no flag.
          assert.notInclude(stderr, "RegistryContent")
        })
      )
    }

    for (const flags of undated) {
      it.effect(`eacr purge ${flags} keeps what has no time`, () =>
        Effect.gen(function* () {
          const before = yield* printed("eacr ls myregistry.azurecr.io/shop/api")
          const plan = yield* onDistribution(`eacr purge myregistry.azurecr.io/shop/api ${flags} --dry-run`)
          assert.strictEqual(plan.code, 3)
          assert.include(plan.stdout, flags.includes("--older-than") ? "its age is unknown" : "it has no time")
          assert.notInclude(plan.stdout, "younger")
          const { code } = yield* onDistribution(`eacr purge myregistry.azurecr.io/shop/api ${flags} --yes`)
          assert.strictEqual(code, 3)
          assert.strictEqual(yield* printed("eacr ls myregistry.azurecr.io/shop/api"), before)
        })
      )
    }

    it.effect("no lock and no list of tags is shown of an image", () =>
      Effect.gen(function* () {
        const shown = JSON.parse(yield* printed(`eacr show ${image} --json`))
        assert.deepStrictEqual([shown.lock, shown.tags], [undefined, undefined])
      })
    )
  })
})
