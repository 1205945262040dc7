/**
 * Verbs that change something: tags, deletions and locks.
 */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createHash } from "node:crypto"
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import { assert, describe, layer } from "@effect/vitest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
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

const indexOf = (child: object) => ({ schemaVersion: 2, mediaType: MediaType.ociImageIndex, manifests: [child] })

/** An image in an index, which is in the index that the tag `outer` names, with the media type that the outer one states. */
const nestedImage = Effect.fnUntraced(function* (repository: string, mediaType: string | undefined) {
  const { loginServer, logins } = yield* AcrEmulator.AcrEmulator
  const { password, username } = logins.adminUser
  const digest = yield* image(repository, [])
  const put = (reference: string, manifest: object) =>
    Effect.promise(async () => {
      const body = JSON.stringify(manifest)
      const authorization = `Basic ${btoa(`${username}:${Redacted.value(password)}`)}`
      const headers = { authorization, "content-type": MediaType.ociImageIndex }
      const url = `http://${loginServer}/v2/${repository}/manifests/${reference}`
      const { status } = await fetch(url, { method: "PUT", headers, body })
      assert.strictEqual(status, 201)
      return { digest: `sha256:${createHash("sha256").update(body).digest("hex")}`, size: body.length }
    })
  const { size } = JSON.parse(
    (yield* loggedIn(["show", `$REGISTRY/${repository}@${digest}`, "--json"])).stdout
  ).descriptor
  const child = { mediaType: MediaType.ociImageManifest, digest, size }
  const first = indexOf(child)
  const body = JSON.stringify(first)
  const inner = yield* put(`sha256:${createHash("sha256").update(body).digest("hex")}`, first)
  yield* put("outer", indexOf({ mediaType, ...inner }))
  return { digest, inner: inner.digest }
})

const tagsOf = (repository: string) =>
  Effect.map(loggedIn(["ls", `$REGISTRY/${repository}`]), ({ stdout }) =>
    stdout.split("\n").filter((tag) => tag !== "")
  )

layer(AcrEmulator.layer(), { excludeTestServices: true })("verbs that change something", (it) => {
  describe("tag", () => {
    it.effect("points several tags at an image, and reports which tags named it already", () =>
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
        assert.match(stdout, /^stable\twould be set\t/)
        assert.deepStrictEqual(yield* writes, [])
      })
    )

    it.effect("reports which tag named something else", () =>
      Effect.gen(function* () {
        yield* image("tag/moved", ["v1"])
        const { seed } = yield* AcrEmulator.AcrEmulator
        yield* seed({ repository: "tag/moved", tags: ["stable"], layers: ["another"] })
        const { stdout } = yield* loggedIn(["tag", "$REGISTRY/tag/moved:v1", "stable"])
        assert.match(stdout, /^stable\tmoved\t/)
      })
    )

    it.effect("refuses an invalid tag before anything is sent", () =>
      Effect.gen(function* () {
        yield* image("tag/invalid", ["v1"])
        const { code, stderr } = yield* loggedIn(["tag", "$REGISTRY/tag/invalid:v1", "not a tag"])
        assert.strictEqual(code, 2)
        assert.include(stderr, '"not a tag" is not a valid tag: a tag has 1 to 128 letters')
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

    it.effect("exits with 4 if a tag does not exist, and with 3 if others were deleted", () =>
      Effect.gen(function* () {
        yield* image("rm/absent", ["v1"])
        const alone = yield* loggedIn(["rm", "$REGISTRY/rm/absent:v2"])
        assert.deepStrictEqual({ code: alone.code, stdout: alone.stdout }, { code: 4, stdout: "" })
        assert.include(alone.stderr, "no such tag")
        const { code, stderr, stdout } = yield* loggedIn(["rm", "$REGISTRY/rm/absent:v2", "$REGISTRY/rm/absent:v1"])
        assert.strictEqual(code, 3)
        assert.match(stdout, /:v2\tabsent\n.*:v1\tdeleted\t/)
        assert.include(stderr, "cannot delete the tag")
        assert.deepStrictEqual(yield* tagsOf("rm/absent"), [])
      })
    )

    it.effect("reports the outcome of each tag if one is refused", () =>
      Effect.gen(function* () {
        yield* image("rm/each", ["v1", "v2", "v3"])
        yield* loggedIn(["lock", "$REGISTRY/rm/each:v2"])
        const tags = ["v1", "v2", "v3"].map((tag) => `$REGISTRY/rm/each:${tag}`)
        const { code, stderr, stdout } = yield* loggedIn(["rm", "--json", ...tags])
        assert.strictEqual(code, 3)
        const outcomes: ReadonlyArray<{ readonly outcome: string }> = JSON.parse(stdout).tags
        assert.deepStrictEqual(
          outcomes.map(({ outcome }) => outcome),
          ["deleted", "failed", "deleted"]
        )
        assert.include(stderr, "eacr unlock")
        assert.deepStrictEqual(yield* tagsOf("rm/each"), ["v2"])
      })
    )

    it.effect("foresees a lock with --dry-run, with the code of the deletion", () =>
      Effect.gen(function* () {
        const { loginServer } = yield* AcrEmulator.AcrEmulator
        yield* image("rm/foreseen", ["v1"])
        for (const what of ["$REGISTRY/rm/foreseen:v1", "$REGISTRY/rm/foreseen"]) {
          yield* loggedIn(["lock", what])
          for (const verb of [["rm"], ["rm", "--manifest", "--yes"]]) {
            const dry = yield* loggedIn([...verb, "--dry-run", "$REGISTRY/rm/foreseen:v1"])
            assert.strictEqual(dry.code, 6)
            const real = yield* loggedIn([...verb, "$REGISTRY/rm/foreseen:v1"])
            assert.deepStrictEqual(real, dry)
            assert.include(
              dry.stderr,
              ` is locked\n  unlock it first: eacr unlock ${what.replace("$REGISTRY", loginServer)}\n`
            )
          }
          yield* loggedIn(["unlock", what])
        }
        assert.strictEqual((yield* loggedIn(["rm", "$REGISTRY/rm/foreseen:v1"])).code, 0)
      })
    )

    it.effect("deletes a tag that is named twice once", () =>
      Effect.gen(function* () {
        const digest = yield* image("rm/twice", ["v1", "v2"])
        const tags = yield* loggedIn(["untag", "$REGISTRY/rm/twice:v1", "$REGISTRY/rm/twice:v1"])
        assert.deepStrictEqual([tags.code, tags.stdout.split("\n").length], [0, 2])
        const names = [`$REGISTRY/rm/twice@${digest}`, "$REGISTRY/rm/twice:v2"]
        const manifests = yield* loggedIn(["rm", "--manifest", "--yes", ...names])
        assert.deepStrictEqual(manifests, { code: 0, stdout: `deleted\t${digest}\ttags v2\n`, stderr: "" })
      })
    )

    it.effect("changes nothing if one of the names is wrong", () =>
      Effect.gen(function* () {
        yield* image("rm/wrong", ["v1"])
        const { code } = yield* loggedIn(["rm", "$REGISTRY/rm/wrong:v1", "$REGISTRY/rm/wrong"])
        assert.strictEqual(code, 2)
        const manifests = ["$REGISTRY/rm/wrong:v1", "$REGISTRY/rm/wrong:v2"]
        assert.strictEqual((yield* loggedIn(["rm", "--manifest", "--yes", ...manifests])).code, 4)
        assert.deepStrictEqual(yield* writes, [])
      })
    )

    it.effect("names a tag of the manifest that is hidden from lists", () =>
      Effect.gen(function* () {
        const digest = yield* image("rm/hidden", ["v1", "hidden"])
        yield* loggedIn(["lock", "$REGISTRY/rm/hidden:hidden", "--against", "list"])
        assert.deepStrictEqual(yield* tagsOf("rm/hidden"), ["v1"])
        const { stdout } = yield* loggedIn(["rm", "--manifest", "--dry-run", "$REGISTRY/rm/hidden:v1"])
        assert.strictEqual(stdout, `would be deleted\t${digest}\ttags hidden, v1\n`)
      })
    )

    it.effect("deletes no manifest while tags of the repository cannot be read", () =>
      Effect.gen(function* () {
        const emulator = yield* AcrEmulator.AcrEmulator
        yield* image("rm/odd", ["v1"])
        const body = JSON.stringify({ name: "rm/odd", tags: ["v1", "-odd/index"] })
        yield* emulator.inject({
          path: /rm\/odd\/tags\/list/,
          times: "always",
          consequence: { _tag: "Answer", status: 200, body }
        })
        for (const more of [["--dry-run"], ["--yes"]]) {
          const { code, stderr, stdout } = yield* loggedIn(["rm", "--manifest", ...more, "$REGISTRY/rm/odd:v1"])
          assert.deepStrictEqual({ code, stdout }, { code: 9, stdout: "" })
          assert.include(stderr, "tags that cannot be read")
        }
        assert.deepStrictEqual(yield* writes, [])
      })
    )

    it.effect("escapes control characters in names of a layout", () =>
      Effect.gen(function* () {
        yield* image("rm/escape", ["v1"])
        const folder = join(mkdtempSync(join(tmpdir(), "effect-acr-rm-")), "layout")
        yield* loggedIn(["cp", "$REGISTRY/rm/escape:v1", "--to-layout", folder])
        const file = join(folder, "index.json")
        const index = readFileSync(file, "utf8")
        writeFileSync(file, index.replace('"v1"', '"v\\u001b[31mred\\u009b2J"'))
        const { code, stderr, stdout } = yield* loggedIn(["rm", "--manifest", "--dry-run", "--layout", folder, "@0"])
        assert.strictEqual(code, 0, stderr)
        assert.include(stdout, "red")
        // eslint-disable-next-line no-control-regex
        assert.notMatch(stdout + stderr, /[\u001b\u009b]/)
      })
    )

    it.effect("exits with 4 if the layout does not exist, and does not create it", () =>
      Effect.gen(function* () {
        const folder = join(mkdtempSync(join(tmpdir(), "effect-acr-rm-")), "missing")
        for (const verb of [["untag"], ["rm", "--manifest", "--yes"]]) {
          const { code, stderr } = yield* loggedIn([...verb, "v1", "--layout", folder])
          assert.strictEqual(code, 4)
          assert.include(stderr, "there is no folder")
        }
        assert.isFalse(existsSync(folder))
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

    it.effect("reports that the images of an index stay", () =>
      Effect.gen(function* () {
        const emulator = yield* AcrEmulator.AcrEmulator
        yield* emulator.seed({ repository: "rm/platforms", tags: ["multi"], platforms: ["linux/amd64", "linux/arm64"] })
        const { code, stdout } = yield* loggedIn(["rm", "--manifest", "--yes", "$REGISTRY/rm/platforms:multi"])
        assert.strictEqual(code, 0)
        assert.match(stdout, /\ttags multi\t2 manifests of the index, which stay\n$/)
      })
    )

    for (const [name, repository, hide, mediaType] of [
      ["in the index of a tag", "rm/nested", false, MediaType.ociImageIndex],
      ["in the index of a hidden tag", "rm/nested-hidden", true, MediaType.ociImageIndex],
      ["without a media type in the index of a tag", "rm/nested-unset", false, undefined],
      ["whose media type is a word in the index of a tag", "rm/nested-word", false, "foo"]
    ] as const) {
      it.effect(`keeps an image that an index ${name} lists`, () =>
        Effect.gen(function* () {
          const { digest } = yield* nestedImage(repository, mediaType)
          if (hide) yield* loggedIn(["lock", `$REGISTRY/${repository}:outer`, "--against", "list"])
          const remove = ["rm", "--manifest", "--yes", `$REGISTRY/${repository}@${digest}`]
          const { code, stderr, stdout } = yield* loggedIn(remove)
          assert.deepStrictEqual({ code, stdout }, { code: 9, stdout: "" })
          assert.include(stderr, "outer would break")
          assert.strictEqual((yield* loggedIn(["digest", `$REGISTRY/${repository}@${digest}`])).code, 0)
        })
      )
    }

    it.effect("knows an entry of an index as a blob where the registry fails to read it as a manifest", () =>
      Effect.gen(function* () {
        const { inject } = yield* AcrEmulator.AcrEmulator
        const { digest, inner } = yield* nestedImage("rm/entry", "foo")
        const remove = ["rm", "--manifest", "--yes", `$REGISTRY/rm/entry@${digest}`]
        const at = (path: string, status: number) =>
          inject({ path: `/v2/rm/entry/${path}/${inner}`, times: "always", consequence: { _tag: "Answer", status } })
        yield* at("manifests", 400)
        assert.include((yield* loggedIn(remove)).stderr, "status 400")
        assert.strictEqual((yield* loggedIn(["digest", `$REGISTRY/rm/entry@${digest}`])).code, 0)
        yield* at("blobs", 200)
        assert.strictEqual((yield* loggedIn(remove)).stdout, `deleted\t${digest}\tno tag\n`)
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

  describe("a dry run of verbs that set tags", () => {
    it.effect("foresees a lock against writing, with the code of the change", () =>
      Effect.gen(function* () {
        const { loginServer } = yield* AcrEmulator.AcrEmulator
        yield* image("dry/locked", ["v1"])
        yield* image("dry/source", ["v2"])
        yield* loggedIn(["cp", "$REGISTRY/dry/source:v2", "$REGISTRY/dry/locked:v2"])
        const setting = [
          ["tag", "$REGISTRY/dry/locked:v2", "v1"],
          ["cp", "$REGISTRY/dry/source:v2", "$REGISTRY/dry/locked:v1"],
          ["cp", "$REGISTRY/dry/source:v2", "$REGISTRY/dry/locked:v1", "--jsonl"],
          ["push", "$REGISTRY/dry/locked:v1", import.meta.filename]
        ]
        const adding = [["attach", "$REGISTRY/dry/locked:v1", import.meta.filename, "--artifact-type", "text/plain"]]
        for (const [what, calls] of [
          ["$REGISTRY/dry/locked:v1", setting],
          ["$REGISTRY/dry/locked", [...setting, ...adding]]
        ] as const) {
          yield* loggedIn(["lock", what, "--against", "write"])
          for (const call of calls) {
            const dry = yield* loggedIn([...call, "--dry-run"])
            assert.strictEqual(dry.code, 6, call.join(" "))
            const unlock = `eacr unlock ${what.replace("$REGISTRY", loginServer)}\n`
            assert.include(dry.stderr, ` is locked\n  unlock it first: ${unlock}`)
            const real = yield* loggedIn(call)
            assert.strictEqual(real.code, 6, call.join(" "))
            assert.include(real.stderr, unlock)
          }
          yield* loggedIn(["unlock", what])
        }
        // Against deleting, or of what stays as it is, it forbids none.
        yield* loggedIn(["lock", "$REGISTRY/dry/locked:v2"])
        for (const call of [["tag", "$REGISTRY/dry/locked:v2", "v2"], ...setting, ...adding]) {
          assert.strictEqual((yield* loggedIn([...call, "--dry-run"])).code, 0, call.join(" "))
        }
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
        assert.match(
          (yield* loggedIn(["show", "$REGISTRY/lock/tag:v1"])).stdout,
          /^lock\tthe tag against write, delete$/m
        )
        yield* loggedIn(["lock", "$REGISTRY/lock/tag", "--against", "write"])
        assert.match(
          (yield* loggedIn(["show", "$REGISTRY/lock/tag:v1"])).stdout,
          /^lock\tthe repository against write$/m
        )
        yield* loggedIn(["unlock", "$REGISTRY/lock/tag"])
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
        assert.match(stdout, /\twould be locked against write, delete\n$/)
        const unlocked = yield* loggedIn(["unlock", "$REGISTRY/lock/dry:v1", "--dry-run"])
        assert.match(unlocked.stdout, /\twould be unlocked\n$/)
        assert.deepStrictEqual(yield* writes, [])
      })
    )
  })
})
