/**
 * Lists of repositories and tags: their content, their order, and how many requests they take.
 */
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import { assert, describe, layer } from "@effect/vitest"
import * as Console from "effect/Console"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { loggedIn } from "./support/registry.ts"

const list = (...args: ReadonlyArray<string>) => loggedIn(["ls", ...args])

const names = (stdout: string) => stdout.split("\n").filter((line) => line !== "")

/** Three versions, the newest of which comes first by name. */
const versions = Effect.fnUntraced(function* (repository: string) {
  const { clearJournal, seed } = yield* AcrEmulator.AcrEmulator
  yield* seed({ repository, tags: ["v1"], pushedAt: DateTime.makeUnsafe("2026-01-01T00:00:00Z"), ...image("one") })
  yield* seed({
    repository,
    tags: ["v2", "v2-rc1"],
    pushedAt: DateTime.makeUnsafe("2026-02-01T00:00:00Z"),
    ...image("two")
  })
  yield* seed({
    repository,
    tags: ["a-build"],
    pushedAt: DateTime.makeUnsafe("2026-03-01T00:00:00Z"),
    ...image("three")
  })
  yield* clearJournal
})

const image = (label: string) => ({ labels: { label }, locks: { tags: { deleteEnabled: label !== "one" } } })

/** Requests that are not about tokens. */
const requests = Effect.flatMap(AcrEmulator.AcrEmulator, ({ journal }) =>
  Effect.map(journal, (entries) =>
    entries
      .filter(({ path, status }) => !path.startsWith("/oauth2/") && status !== 401)
      .map(({ method, path, status }) => `${method} ${path} ${status}`)
  )
)

const emulator = AcrEmulator.layer()

layer(emulator, { excludeTestServices: true })("ls", (it) => {
  describe("of a repository", () => {
    it.effect("lists names that match globs as a whole", () =>
      Effect.gen(function* () {
        yield* versions("ls/globs")
        const all = yield* list("$REGISTRY/ls/globs")
        assert.deepStrictEqual(names(all.stdout), ["a-build", "v1", "v2", "v2-rc1"])
        const some = yield* list("$REGISTRY/ls/globs", "--include", "v*", "--exclude", "*-rc*")
        assert.deepStrictEqual(names(some.stdout), ["v1", "v2"])
        const anchored = yield* list("$REGISTRY/ls/globs", "--include", "v", "--include", "build")
        assert.deepStrictEqual(names(anchored.stdout), [])
      })
    )

    it.effect("sorts by time, and stops at the limit", () =>
      Effect.gen(function* () {
        yield* versions("ls/sorted")
        const newest = yield* list("$REGISTRY/ls/sorted", "--sort", "newest", "--limit", "1")
        assert.deepStrictEqual(names(newest.stdout), ["a-build"])
        const oldest = yield* list("$REGISTRY/ls/sorted", "--sort", "oldest", "--include", "v?")
        assert.deepStrictEqual(names(oldest.stdout), ["v1", "v2"])
      })
    )

    it.effect(
      "has digest, size, time, platforms and lock of each tag with --long, in a request for tags and one for manifests",
      () =>
        Effect.gen(function* () {
          yield* versions("ls/long")
          const { code, stderr, stdout } = yield* list("$REGISTRY/ls/long", "-l", "--sort", "newest")
          assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
          const rows = names(stdout).map((line) => line.split("\t"))
          assert.deepStrictEqual(
            rows.map(([name, , , time, platforms, lock]) => [name, time, platforms, lock]),
            [
              ["a-build", "2026-03-01T00:00:00.000Z", "linux/amd64", ""],
              ["v2", "2026-02-01T00:00:00.000Z", "linux/amd64", ""],
              ["v2-rc1", "2026-02-01T00:00:00.000Z", "linux/amd64", ""],
              ["v1", "2026-01-01T00:00:00.000Z", "linux/amd64", "locked"]
            ]
          )
          for (const [, digest, size] of rows) {
            assert.match(digest ?? "", /^sha256:[0-9a-f]{64}$/)
            assert.isAbove(Number(size), 0)
          }
          assert.deepStrictEqual(yield* requests, [
            "GET /acr/v1/ls%2Flong/_tags 200",
            "GET /acr/v1/ls%2Flong/_manifests 200"
          ])
        })
    )

    it.effect("reads indexes for their platforms, each once", () =>
      Effect.gen(function* () {
        const { clearJournal, seed } = yield* AcrEmulator.AcrEmulator
        const platforms = ["linux/amd64", "linux/arm64"]
        const digest = yield* seed({ repository: "ls/index", tags: ["v1", "latest"], platforms, attestations: true })
        yield* clearJournal
        const { stdout } = yield* list("$REGISTRY/ls/index", "--long", "--json")
        const { details, tags } = JSON.parse(stdout)
        assert.deepStrictEqual(tags, ["latest", "v1"])
        assert.deepStrictEqual(details[0].platforms, platforms)
        const reads = (yield* requests).filter((request) => request.includes("/manifests/"))
        assert.deepStrictEqual(reads, [`GET /v2/ls/index/manifests/${digest} 200`])
      })
    )

    it.effect("prints an empty document if nothing matches", () =>
      Effect.gen(function* () {
        yield* versions("ls/others")
        const { code, stdout } = yield* list("$REGISTRY/ls/others", "--include", "none*", "--long", "--json")
        assert.deepStrictEqual([code, JSON.parse(stdout)], [0, { version: 1, repositories: [], tags: [], details: [] }])
      })
    )
  })

  describe("of a registry", () => {
    it.effect("lists repositories that match", () =>
      Effect.gen(function* () {
        yield* versions("team/one")
        yield* versions("team/two")
        const { stdout } = yield* list("$REGISTRY", "--include", "team/*", "--sort", "name", "--limit", "1")
        assert.deepStrictEqual(names(stdout), ["team/one"])
      })
    )
  })

  it.effect("explains the tags of tools in the long list", () =>
    Effect.gen(function* () {
      const { seed } = yield* AcrEmulator.AcrEmulator
      const tag = `sha256-${"a".repeat(64)}`
      yield* seed({ repository: "ls/tools", tags: ["v1", tag, `${tag}.sig`] })
      const { stdout } = yield* list("$REGISTRY/ls/tools", "--long")
      const notes = names(stdout).map((line) => [line.split("\t")[0], line.split("\t").at(-1)])
      assert.deepStrictEqual(notes, [
        [tag, "list of referrers"],
        [`${tag}.sig`, "cosign signature"],
        ["v1", ""]
      ])
    })
  )

  it.effect("exits with 3 if records were left out", () =>
    Effect.gen(function* () {
      const { clearFaults, inject, seed } = yield* AcrEmulator.AcrEmulator
      yield* seed({ repository: "ls/odd", tags: ["v1"] })
      yield* inject({
        path: "/v2/ls/odd/tags/list",
        times: 2,
        consequence: { _tag: "Answer", status: 200, body: JSON.stringify({ name: "ls/odd", tags: ["v1", 7] }) }
      })
      const said: Array<unknown> = []
      const recording: Console.Console = Object.assign(Object.create(console), {
        error: (...texts: ReadonlyArray<unknown>) => said.push(...texts)
      })
      const { code, stdout } = yield* list("$REGISTRY/ls/odd").pipe(
        Effect.ensuring(clearFaults),
        Effect.provideService(Console.Console, recording)
      )
      assert.deepStrictEqual({ code, stdout }, { code: 3, stdout: "v1\n" })
      assert.match(said.join("\n"), /^warn: .*left out 1 of 2 records/)
    })
  )

  describe("refuses", () => {
    const wrong = Effect.fnUntraced(function* (args: ReadonlyArray<string>, expected: string) {
      const { code, stderr, stdout } = yield* list(...args)
      assert.deepStrictEqual({ code, stdout }, { code: 2, stdout: "" })
      assert.include(stderr, expected)
    })

    it.effect("an artifact, and a name in a layout", () =>
      Effect.gen(function* () {
        yield* wrong(["$REGISTRY/ls/globs:v1"], "/ls/globs:v1\n")
        yield* wrong(["$REGISTRY/ls/globs:v1"], "eacr show")
        yield* wrong(["v1", "--layout", "folder"], "remove the name")
      })
    )

    it.effect("a glob that matches nothing, a limit of zero, and --long of a registry", () =>
      Effect.gen(function* () {
        yield* wrong(["$REGISTRY/ls/globs", "--exclude", "!(a|b)"], "cannot be meant")
        yield* wrong(["$REGISTRY/ls/globs", "--limit", "0"], "at least 1")
        yield* wrong(["$REGISTRY/ls/globs", "--limit", "abc"], "Expected a whole number of at least 1")
        yield* wrong(["$REGISTRY", "--long"], "name one")
      })
    )
  })
})
