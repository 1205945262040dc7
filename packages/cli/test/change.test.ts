/**
 * Verbs that change something: tags, deletions and locks.
 */
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { loggedIn } from "./support/registry.ts"

const writes = Effect.flatMap(AcrEmulator.AcrEmulator, ({ journal }) =>
  Effect.map(journal, (entries) =>
    entries.filter(({ method, path }) => !["GET", "HEAD"].includes(method) && !path.startsWith("/oauth2/"))
  )
)

/** Seeds an image of its own for a test, and forgets the requests so far. */
const image = (repository: string, tags: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const emulator = yield* AcrEmulator.AcrEmulator
    const digest = yield* emulator.seed({ repository, tags })
    yield* emulator.clearJournal
    return digest
  })

const tagsOf = (repository: string) =>
  Effect.map(loggedIn(["ls", `$REGISTRY/${repository}`]), ({ stdout }) =>
    stdout.split("\n").filter((tag) => tag !== "")
  )

layer(AcrEmulator.layer(), { excludeTestServices: true })("verbs that change something", (it) => {
  describe("tag", () => {
    it.effect("points several tags at an image, and says which named it already", () =>
      Effect.gen(function* () {
        const digest = yield* image("tag/several", ["v1"])
        const { code, stdout } = yield* loggedIn(["tag", "$REGISTRY/tag/several:v1", "v1", "stable", "latest"])
        assert.strictEqual(code, 0)
        assert.strictEqual(stdout, `v1\tunchanged\t${digest}\nstable\tset\t${digest}\nlatest\tset\t${digest}\n`)
        assert.deepStrictEqual(yield* tagsOf("tag/several"), ["latest", "stable", "v1"])
      })
    )

    it.effect("sends nothing with --dry-run", () =>
      Effect.gen(function* () {
        yield* image("tag/dry", ["v1"])
        const { stdout } = yield* loggedIn(["tag", "$REGISTRY/tag/dry:v1", "stable", "--dry-run"])
        assert.match(stdout, /^stable\tset\t/)
        assert.deepStrictEqual(yield* writes, [])
      })
    )

    it.effect("refuses what is no tag before anything is sent", () =>
      Effect.gen(function* () {
        yield* image("tag/invalid", ["v1"])
        const { code, stderr } = yield* loggedIn(["tag", "$REGISTRY/tag/invalid:v1", "not a tag"])
        assert.strictEqual(code, 2)
        assert.include(stderr, "not a tag")
        assert.deepStrictEqual(yield* writes, [])
      })
    )
  })

  describe("rm", () => {
    it.effect("deletes a tag, and the image with its other tag stays", () =>
      Effect.gen(function* () {
        const digest = yield* image("rm/tag", ["v1", "stable"])
        const { code, stdout } = yield* loggedIn(["rm", "$REGISTRY/rm/tag:v1"])
        assert.strictEqual(code, 0)
        assert.match(stdout, new RegExp(`/rm/tag:v1\\tdeleted\\t${digest}\\n$`))
        assert.deepStrictEqual(yield* tagsOf("rm/tag"), ["stable"])
      })
    )

    it.effect("says that a tag was not there", () =>
      Effect.gen(function* () {
        yield* image("rm/absent", ["v1"])
        const { code, stdout } = yield* loggedIn(["rm", "$REGISTRY/rm/absent:v2"])
        assert.strictEqual(code, 0)
        assert.match(stdout, /:v2\tabsent\n$/)
      })
    )

    it.effect("refuses a digest and a repository without --manifest", () =>
      Effect.gen(function* () {
        const digest = yield* image("rm/refused", ["v1"])
        const byDigest = yield* loggedIn(["rm", `$REGISTRY/rm/refused@${digest}`])
        const repository = yield* loggedIn(["rm", "$REGISTRY/rm/refused"])
        assert.deepStrictEqual([byDigest.code, repository.code], [2, 2])
        assert.include(byDigest.stderr, "--manifest")
        assert.deepStrictEqual(yield* tagsOf("rm/refused"), ["v1"])
      })
    )

    it.effect("names all tags of a manifest, and needs --yes where there is no terminal", () =>
      Effect.gen(function* () {
        const digest = yield* image("rm/manifest", ["v1", "stable"])
        const asked = yield* loggedIn(["rm", "--manifest", "$REGISTRY/rm/manifest:v1"])
        assert.deepStrictEqual({ code: asked.code, stdout: asked.stdout }, { code: 2, stdout: "" })
        assert.include(asked.stderr, `${digest}\ttags stable, v1`)
        assert.include(asked.stderr, "--yes")
        assert.deepStrictEqual(yield* writes, [])

        const sure = yield* loggedIn(["rm", "--manifest", "--yes", "$REGISTRY/rm/manifest:v1"])
        assert.strictEqual(sure.stdout, `deleted\t${digest}\ttags stable, v1\n`)
        assert.deepStrictEqual(yield* tagsOf("rm/manifest"), [])
      })
    )

    it.effect("keeps an image that an index with a tag lists", () =>
      Effect.gen(function* () {
        const emulator = yield* AcrEmulator.AcrEmulator
        yield* emulator.seed({ repository: "rm/index", tags: ["multi"], platforms: ["linux/amd64", "linux/arm64"] })
        const digest = (yield* loggedIn([
          "digest",
          "$REGISTRY/rm/index:multi",
          "--platform",
          "linux/arm64"
        ])).stdout.trim()
        yield* emulator.clearJournal
        const { code, stderr, stdout } = yield* loggedIn(["rm", "--manifest", "--yes", `$REGISTRY/rm/index@${digest}`])
        assert.deepStrictEqual({ code, stdout }, { code: 9, stdout: "" })
        assert.include(stderr, "multi would break")
        assert.deepStrictEqual(yield* writes, [])
      })
    )

    it.effect("sends nothing with --dry-run", () =>
      Effect.gen(function* () {
        yield* image("rm/dry", ["v1"])
        const tag = yield* loggedIn(["rm", "--dry-run", "--json", "$REGISTRY/rm/dry:v1"])
        const manifest = yield* loggedIn(["rm", "--manifest", "--dry-run", "--json", "$REGISTRY/rm/dry:v1"])
        assert.strictEqual(JSON.parse(tag.stdout).isDryRun, true)
        assert.deepStrictEqual(JSON.parse(manifest.stdout).manifests[0].tags, ["v1"])
        assert.deepStrictEqual(yield* writes, [])
      })
    )
  })

  describe("lock", () => {
    it.effect("makes a tag undeletable, and unlock allows it again", () =>
      Effect.gen(function* () {
        yield* image("lock/tag", ["v1"])
        const locked = yield* loggedIn(["lock", "$REGISTRY/lock/tag:v1"])
        assert.match(locked.stdout, /\ttag\tlocked against write, delete\n$/)
        const refused = yield* loggedIn(["rm", "$REGISTRY/lock/tag:v1"])
        assert.deepStrictEqual({ code: refused.code, stdout: refused.stdout }, { code: 6, stdout: "" })
        assert.include(refused.stderr, "eacr unlock")
        const unlocked = yield* loggedIn(["unlock", "$REGISTRY/lock/tag:v1"])
        assert.match(unlocked.stdout, /\tunlocked\n$/)
        assert.strictEqual((yield* loggedIn(["rm", "$REGISTRY/lock/tag:v1"])).code, 0)
      })
    )

    it.effect("locks against one operation, a manifest by its digest and a repository by its name", () =>
      Effect.gen(function* () {
        const digest = yield* image("lock/kinds", ["v1"])
        const manifest = yield* loggedIn(["lock", `$REGISTRY/lock/kinds@${digest}`, "--against", "delete", "--json"])
        const repository = yield* loggedIn(["lock", "$REGISTRY/lock/kinds", "--against", "list", "--json"])
        const { kind, canDelete, canWrite } = JSON.parse(manifest.stdout)
        assert.deepStrictEqual({ kind, canDelete, canWrite }, { kind: "manifest", canDelete: false, canWrite: true })
        assert.deepInclude(JSON.parse(repository.stdout), { kind: "repository", canList: false, canDelete: true })
      })
    )

    it.effect("sends nothing with --dry-run", () =>
      Effect.gen(function* () {
        yield* image("lock/dry", ["v1"])
        const { stdout } = yield* loggedIn(["lock", "$REGISTRY/lock/dry:v1", "--dry-run"])
        assert.match(stdout, /locked against write, delete/)
        assert.deepStrictEqual(yield* writes, [])
      })
    )
  })
})
