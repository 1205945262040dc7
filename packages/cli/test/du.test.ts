/**
 * What uses the storage of a repository.
 */
import { createHash } from "node:crypto"
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { loggedIn } from "./support/registry.ts"

const base = "base".repeat(50_000)

/** Two versions with a layer in common, one that has lost its tag, and an SBOM of the first. */
const filled = Effect.fnUntraced(function* (repository: string) {
  const { clearJournal, seed } = yield* AcrEmulator.AcrEmulator
  const first = yield* seed({
    repository,
    tags: ["v1"],
    layers: [base, { sizeInBytes: 100_000 }],
    referrers: [{ artifactType: "application/spdx+json", layers: [{ sizeInBytes: 5000, title: "sbom.json" }] }]
  })
  const second = yield* seed({ repository, tags: ["v2", "latest"], layers: [base, "second"] })
  const third = yield* seed({ repository, tags: [], layers: [base, "no tag"], labels: { tag: "none" } })
  yield* clearJournal
  return { first, second, third }
})

layer(AcrEmulator.layer(), { excludeTestServices: true })("du", (it) => {
  describe("of a repository", () => {
    it.effect("has a row for each artifact, tagged or not, the largest first, and a total", () =>
      Effect.gen(function* () {
        const { first, second, third } = yield* filled("du/tags")
        const { code, stderr, stdout } = yield* loggedIn(["du", "$REGISTRY/du/tags"])
        assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
        const rows = stdout
          .replace(/\n$/, "")
          .split("\n")
          .map((line) => line.split("\t"))
        assert.deepStrictEqual(
          rows.map(([, , digest, tags]) => [digest, tags]),
          [
            [first, "v1"],
            [third, "(no tag)"],
            [second, "latest,v2"],
            ["shared", ""],
            ["total", ""]
          ]
        )
        const total = rows.map(([bytes]) => Number(bytes))
        const own = rows.map(([, bytes]) => Number(bytes))
        assert.isAbove(own[0] ?? 0, 105_000)
        assert.isBelow(own[1] ?? 0, 200_000)
        assert.strictEqual(
          own.slice(0, 4).reduce((sum, bytes) => sum + bytes, 0),
          own[4]
        )
        assert.strictEqual(own[4], total[4])
        assert.isBelow(
          total[4] ?? 0,
          total.slice(0, 3).reduce((sum, bytes) => sum + bytes, 0)
        )
      })
    )

    it.effect("reads each manifest once, and requests no referrers", () =>
      Effect.gen(function* () {
        const { journal } = yield* AcrEmulator.AcrEmulator
        yield* filled("du/requests")
        const { stdout } = yield* loggedIn(["du", "$REGISTRY/du/requests", "--json"])
        const { contents, findings, roots, totalBytes } = JSON.parse(stdout)
        assert.deepStrictEqual([roots.length, findings], [3, []])
        const sum = contents.reduce(
          (bytes: number, { descriptor }: { readonly descriptor: { readonly size: number } }) =>
            bytes + descriptor.size,
          0
        )
        assert.strictEqual(sum, totalBytes)
        const paths = (yield* journal).filter(({ status }) => status === 200).map(({ path }) => path)
        assert.strictEqual(paths.filter((path) => path.includes("/manifests/")).length, 4)
        assert.isFalse(paths.some((path) => path.includes("/referrers/")))
      })
    )
  })

  it.effect("of one artifact has a row for each manifest and blob", () =>
    Effect.gen(function* () {
      yield* filled("du/one")
      const { code, stdout } = yield* loggedIn(["du", "$REGISTRY/du/one:v1"])
      assert.strictEqual(code, 0)
      const rows = stdout
        .replace(/\n$/, "")
        .split("\n")
        .map((line) => line.split("\t"))
      assert.deepStrictEqual(rows.map(([, kind]) => kind).toSorted(), [
        "blob",
        "blob",
        "blob",
        "blob",
        "blob",
        "manifest",
        "manifest",
        "total"
      ])
      assert.includeMembers(
        rows.map(([, , , what]) => what),
        ["sbom.json"]
      )
      // What other artifacts have as well is not known, and not said.
      const document = JSON.parse((yield* loggedIn(["du", "$REGISTRY/du/one:v1", "--json"])).stdout)
      assert.hasAllKeys(document, ["version", "digest", "totalBytes", "contents", "findings"])
      assert.strictEqual(document.digest, (yield* loggedIn(["digest", "$REGISTRY/du/one:v1"])).stdout.trim())
    })
  )

  it.effect("of an index shows images as such, whose configurations crane states as their type", () =>
    Effect.gen(function* () {
      const emulator = yield* AcrEmulator.AcrEmulator
      yield* emulator.seed({ repository: "du/crane", tags: ["v1"], platforms: ["linux/amd64", "linux/arm64"] })
      const folder = mkdtempSync(join(tmpdir(), "effect-acr-du-"))
      yield* loggedIn(["cp", "$REGISTRY/du/crane:v1", "--to-layout", folder])
      const raw = JSON.parse((yield* loggedIn(["raw", "--layout", folder, "v1"])).stdout)
      const type = "application/vnd.oci.image.config.v1+json"
      for (const entry of raw.manifests) entry.artifactType = type
      const text = JSON.stringify(raw)
      const digest = createHash("sha256").update(text).digest("hex")
      writeFileSync(join(folder, "blobs", "sha256", digest), text)
      const index = JSON.parse(readFileSync(join(folder, "index.json"), "utf8"))
      const [first] = index.manifests
      index.manifests = [{ ...first, digest: `sha256:${digest}`, size: text.length }]
      writeFileSync(join(folder, "index.json"), JSON.stringify(index))
      for (const verb of ["du", "tree"]) {
        const { code, stderr, stdout } = yield* loggedIn([verb, "--layout", folder, "v1"])
        assert.strictEqual(code, 0, stderr)
        const manifests = stdout.split("\n").filter((line) => /\tmanifest\t|linux\//.test(line))
        assert.isAtLeast(manifests.length, 2, stdout)
        for (const line of manifests) assert.notInclude(line, type)
      }
    })
  )

  it.effect("of a missing repository or layout fails", () =>
    Effect.gen(function* () {
      const repository = yield* loggedIn(["du", "$REGISTRY/du/nothing", "--quiet"])
      assert.deepStrictEqual([repository.code, repository.stdout], [4, ""])
      assert.include(repository.stderr, "du/nothing: does it exist?")
      const layout = yield* loggedIn(["du", "--layout", "/nonexistent/layout"])
      assert.deepStrictEqual([layout.code, layout.stdout], [4, ""])
    })
  )
})
