/**
 * Verbs that transfer: between registries, layouts, archives and folders.
 */
import { execFileSync } from "node:child_process"
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import * as Copy from "@effect-acr/artifacts/Copy"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Archive from "../src/archive.ts"
import { document, Line } from "../src/transfer.ts"
import * as Pull from "../src/verbs/pull.ts"
import * as Push from "../src/verbs/push.ts"
import * as FullPipe from "./support/fullPipe.ts"
import { loggedIn } from "./support/registry.ts"

const writes = Effect.flatMap(AcrEmulator.AcrEmulator, ({ journal }) =>
  Effect.map(journal, (entries) =>
    entries.filter(({ method, path }) => !["GET", "HEAD"].includes(method) && !path.startsWith("/oauth2/"))
  )
)

/** Seeds an image, and forgets the requests so far. */
const image = (repository: string, tags: ReadonlyArray<string> = ["v1"]) =>
  Effect.gen(function* () {
    const emulator = yield* AcrEmulator.AcrEmulator
    const digest = yield* emulator.seed({
      repository,
      tags,
      layers: [{ sizeInBytes: 30_000 }, { sizeInBytes: 50_000 }]
    })
    yield* emulator.clearJournal
    return digest
  })

const folderOf = (content: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const folder = yield* files.makeTempDirectoryScoped()
    for (const [name, text] of Object.entries(content)) yield* files.writeFileString(`${folder}/${name}`, text)
    return folder
  })

const tagsOf = (repository: string) =>
  Effect.map(loggedIn(["ls", `$REGISTRY/${repository}`]), ({ stdout }) => stdout.trim().split("\n"))

const decoded = <A, I>(schema: Schema.Codec<A, I>, text: string) =>
  Schema.decodeEffect(Schema.fromJsonString(schema))(text)

/** Runs the command, and returns also what it logs. */
const warned = <A extends object, E, R>(run: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const said: Array<unknown> = []
    const recording: Console.Console = Object.assign(Object.create(console), {
      error: (...texts: ReadonlyArray<unknown>) => said.push(...texts)
    })
    return Effect.map(Effect.provideService(run, Console.Console, recording), (result) => ({
      ...result,
      said: said.join("\n")
    }))
  })

const lines = (text: string): ReadonlyArray<string> => text.split("\n").filter((line) => line !== "")

layer(Layer.merge(AcrEmulator.layer(), NodeServices.layer), { excludeTestServices: true })(
  "verbs that transfer",
  (it) => {
    describe("cp", () => {
      it.effect("copies under several tags, and reports the outcome of each", () =>
        Effect.gen(function* () {
          const digest = yield* image("cp/several")
          const { code, stderr, stdout } = yield* loggedIn(["cp", "$REGISTRY/cp/several:v1", "$REGISTRY/cp/to:a,b"])
          assert.strictEqual(code, 0, stderr)
          assert.strictEqual(stdout, `${digest}\ta\tset\n${digest}\tb\tset\n`)
          assert.match(stderr, /^sent: 1 object, [\d.]+ \w+; mounted: 3 objects, [\d.]+ KiB\n$/)
          assert.deepStrictEqual(yield* tagsOf("cp/to"), ["a", "b"])
        })
      )

      it.effect("gives the target the tag of the source, and sends nothing twice", () =>
        Effect.gen(function* () {
          const digest = yield* image("cp/same")
          const copy = ["cp", "$REGISTRY/cp/same:v1", "$REGISTRY/cp/same-there"]
          assert.strictEqual((yield* loggedIn(copy)).stdout, `${digest}\tv1\tset\n`)
          const again = yield* loggedIn(copy)
          assert.strictEqual(again.stdout, `${digest}\tv1\tunchanged\n`)
          assert.match(again.stderr, /^there already: 1 object, [\d.]+ B \(images without their blobs\)\n$/)
        })
      )

      it.effect("gives the target the tag of a source that has a digest, too", () =>
        Effect.gen(function* () {
          const digest = yield* image("cp/both")
          const source = `$REGISTRY/cp/both:v1@${digest}`
          for (const to of [["$REGISTRY/cp/both-there"], ["--to-layout", yield* folderOf()]]) {
            assert.strictEqual((yield* loggedIn(["cp", source, ...to])).stdout, `${digest}\tv1\tset\n`)
          }
          const other = yield* loggedIn(["cp", source, "$REGISTRY/cp/both-there:v2"])
          assert.strictEqual(other.stdout, `${digest}\tv2\tset\n`)
          const alone = yield* loggedIn(["cp", `$REGISTRY/cp/both@${digest}`, "$REGISTRY/cp/both-alone"])
          assert.strictEqual(alone.stdout, `${digest}\n`)
        })
      )

      it.effect("fails as refused where the registry takes no sparse index", () =>
        Effect.gen(function* () {
          const emulator = yield* AcrEmulator.AcrEmulator
          const platforms = ["linux/amd64", "linux/arm64"]
          yield* emulator.seed({ repository: "cp/sparse", tags: ["v1"], platforms })
          const call = ["cp", "--index", "sparse", "--platform", "linux/amd64"]
          const { code, stderr } = yield* loggedIn([...call, "$REGISTRY/cp/sparse:v1", "$REGISTRY/cp/sparse-there"])
          assert.strictEqual(code, 6, stderr)
        })
      )

      it.effect("prints no progress and no sums with -q", () =>
        Effect.gen(function* () {
          const digest = yield* image("cp/quiet")
          const { stderr, stdout } = yield* loggedIn(["cp", "-q", "$REGISTRY/cp/quiet:v1", "$REGISTRY/cp/quiet-there"])
          assert.deepStrictEqual({ stderr, stdout }, { stderr: "", stdout: `${digest}\n` })
        })
      )

      it.effect("goes from a layout to a layout and from there to a registry, with the same digest", () =>
        Effect.gen(function* () {
          const digest = yield* image("cp/layout", ["v1", "v2"])
          const folder = yield* folderOf()
          const out = yield* loggedIn(["cp", "$REGISTRY/cp/layout:v1", "--to-layout", `${folder}/a`])
          assert.strictEqual(out.stdout, `${digest}\tv1\tset\n`)
          const between = yield* loggedIn([
            "cp",
            "--from-layout",
            `${folder}/a`,
            "v1",
            "--to-layout",
            `${folder}/b`,
            "x,y"
          ])
          assert.strictEqual(between.stdout, `${digest}\tx\tset\n${digest}\ty\tset\n`)
          const back = yield* loggedIn(["cp", "--from-layout", `${folder}/b`, "--all-tags", "$REGISTRY/cp/back"])
          assert.strictEqual(back.code, 0, back.stderr)
          assert.deepStrictEqual(yield* tagsOf("cp/back"), ["x", "y"])
        })
      )

      it.effect("goes through an archive, under another name", () =>
        Effect.gen(function* () {
          const digest = yield* image("cp/archive")
          const file = `${yield* folderOf()}/image.tar`
          const saved = yield* loggedIn(["cp", "$REGISTRY/cp/archive:v1", "--to-archive", file, "v7", "--json"])
          const { artifacts } = yield* decoded(Archive.document, saved.stdout)
          assert.deepStrictEqual(artifacts, [{ name: "v7", digest }])
          const pushed = yield* loggedIn(["cp", "--from-archive", file, "v7", "$REGISTRY/cp/from-archive"])
          assert.strictEqual(pushed.stdout, `${digest}\tv7\tset\n`)
        })
      )

      it.effect("reports by a schema with --json, and each event on a line of its own with --jsonl", () =>
        Effect.gen(function* () {
          const root = yield* image("cp/json")
          const json = yield* loggedIn(["cp", "--json", "$REGISTRY/cp/json:v1", "$REGISTRY/cp/json-there"])
          const { reports } = yield* decoded(document, json.stdout)
          assert.deepStrictEqual(
            reports.map((report) => report.root),
            [root]
          )
          const events = yield* loggedIn(["cp", "--jsonl", "$REGISTRY/cp/json:v1", "--to-layout", yield* folderOf()])
          const read = yield* Effect.forEach(lines(events.stdout), (line) => decoded(Copy.Event, line))
          assert.strictEqual(read[0]?._tag, "Planned")
          assert.include(
            read.map(({ _tag }) => _tag),
            "Progress"
          )
          assert.strictEqual(read.at(-1)?._tag, "Finished")
          assert.strictEqual(events.stderr, "")
        })
      )

      it.effect("reports that signatures of cosign 2, which are tags, are left out, and how to include them", () =>
        Effect.gen(function* () {
          const digest = yield* image("cp/cosigned")
          yield* image("cp/signature", ["s"])
          const tag = `${digest.replace(":", "-")}.sig`
          yield* loggedIn(["cp", "$REGISTRY/cp/signature:s", `$REGISTRY/cp/cosigned:${tag}`])
          const copy = ["cp", "$REGISTRY/cp/cosigned:v1", "$REGISTRY/cp/cosigned-there"]
          const line = "1 cosign tag left out: --cosign-tags copies them\n"
          assert.include((yield* loggedIn(copy)).stderr, line)
          assert.strictEqual((yield* loggedIn([...copy, "--jsonl"])).stderr, line)
          assert.strictEqual((yield* loggedIn([...copy, "-q"])).stderr, "")
          for (const flag of ["--no-referrers", "--cosign-tags"]) {
            assert.notInclude((yield* loggedIn([...copy, flag])).stderr, "cosign tag left out")
          }
          const all = ["cp", "--all-tags", "$REGISTRY/cp/cosigned", "$REGISTRY/cp/cosigned-all"]
          assert.notInclude((yield* loggedIn(all)).stderr, "left out")

          const folder = yield* folderOf()
          const box = ["export", "$REGISTRY/cp/cosigned:v1"]
          const archive = yield* loggedIn([...box, `${folder}/a.tar`])
          assert.include(archive.stderr, `1 cosign tag left out: eacr export takes them by name, ${tag}\n`)
          const both = yield* loggedIn([...box, `$REGISTRY/cp/cosigned:${tag}`, `${folder}/b.tar`])
          assert.deepStrictEqual({ code: both.code, stderr: both.stderr }, { code: 0, stderr: "" })
          const layout = yield* loggedIn([...box, `${folder}/layout`, "--format", "layout"])
          assert.include(layout.stderr, "1 cosign tag left out: eacr cp --cosign-tags --to-layout copies them\n")
          const docker = yield* loggedIn([...box, `${folder}/c.tar`, "--format", "docker"])
          assert.strictEqual(docker.stderr, "")
        })
      )

      it.effect("reports that referrers of an index are left out with some of its platforms", () =>
        Effect.gen(function* () {
          const emulator = yield* AcrEmulator.AcrEmulator
          const platforms = ["linux/amd64", "linux/arm64"]
          const digest = yield* emulator.seed({ repository: "cp/index", tags: ["v1"], platforms })
          const folder = yield* folderOf({ "sbom.json": "{}" })
          yield* loggedIn(["attach", "$REGISTRY/cp/index:v1", `${folder}/sbom.json`, "--artifact-type", "text/sbom"])
          yield* loggedIn(["tag", "$REGISTRY/cp/index:v1", `${digest.replace(":", "-")}.sig`])
          const copy = ["cp", "$REGISTRY/cp/index:v1", "$REGISTRY/cp/index-there"]
          const { code, stderr } = yield* loggedIn([...copy, "--platform", "linux/amd64", "--cosign-tags"])
          assert.strictEqual(code, 0)
          assert.include(
            stderr,
            `1 referrer and 1 cosign tag left out: --platform makes another index than ${digest}, which they are about\n`
          )
        })
      )

      it.effect("sends nothing with --dry-run, and shows what it would do", () =>
        Effect.gen(function* () {
          yield* image("cp/dry")
          const { code, stderr } = yield* loggedIn(["cp", "--dry-run", "$REGISTRY/cp/dry:v1", "$REGISTRY/cp/dry-there"])
          assert.strictEqual(code, 0)
          assert.match(stderr, /^dry run, would be /)
          assert.deepStrictEqual(yield* writes, [])
        })
      )

      it.effect("keeps a tag with --on-tag fail, and copies with each of the other flags", () =>
        Effect.gen(function* () {
          yield* image("cp/flags")
          yield* image("cp/other", ["taken"])
          const emulator = yield* AcrEmulator.AcrEmulator
          yield* emulator.seed({ repository: "cp/other", tags: ["taken"], layers: [{ content: "another" }] })
          const failed = yield* loggedIn([
            "cp",
            "--on-tag",
            "fail",
            "$REGISTRY/cp/flags:v1",
            "$REGISTRY/cp/other:taken"
          ])
          assert.deepStrictEqual({ code: failed.code, stdout: failed.stdout }, { code: 6, stdout: "" })
          const kept = yield* loggedIn(["cp", "--on-tag", "keep", "$REGISTRY/cp/flags:v1", "$REGISTRY/cp/other:taken"])
          assert.match(kept.stdout, /\ttaken\tkept\n$/)
          // The digest is what the tag names, and not what was left out.
          const named = yield* loggedIn(["digest", "$REGISTRY/cp/other:taken"])
          assert.strictEqual(kept.stdout.split("\t")[0], named.stdout.trim())
          const all = ["--no-referrers", "--cosign-tags", "--foreign-layers", "--verify", "--concurrency", "1"]
          const more = yield* loggedIn(["cp", ...all, "$REGISTRY/cp/flags:v1", "$REGISTRY/cp/other:more"])
          assert.strictEqual(more.code, 0, more.stderr)
        })
      )

      it.effect("reports that a tag moved, or would move", () =>
        Effect.gen(function* () {
          const emulator = yield* AcrEmulator.AcrEmulator
          const digest = yield* image("cp/moving")
          yield* emulator.seed({ repository: "cp/moved", tags: ["v1"], layers: [{ content: "another" }] })
          const copy = ["cp", "$REGISTRY/cp/moving:v1", "$REGISTRY/cp/moved:v1,new"]
          const planned = yield* loggedIn([...copy, "--dry-run"])
          assert.strictEqual(planned.stdout, `${digest}\tv1\twould be moved\n${digest}\tnew\twould be set\n`)
          assert.strictEqual((yield* loggedIn(copy)).stdout, `${digest}\tv1\tmoved\n${digest}\tnew\tset\n`)
        })
      )

      it.effect(
        "copies none of all tags with --on-tag fail if one of them must not be moved, and names each of those",
        () =>
          Effect.gen(function* () {
            const emulator = yield* AcrEmulator.AcrEmulator
            const digest = yield* image("cp/all", ["v1", "v2", "v3"])
            const another = yield* emulator.seed({
              repository: "cp/all-there",
              tags: ["v2", "v3"],
              layers: [{ content: "another" }]
            })
            yield* emulator.clearJournal
            const copy = ["cp", "--all-tags", "$REGISTRY/cp/all", "$REGISTRY/cp/all-there"]
            const refused = yield* loggedIn([...copy, "--on-tag", "fail"])
            assert.deepStrictEqual({ code: refused.code, stdout: refused.stdout }, { code: 6, stdout: "" })
            assert.match(refused.stderr, /nothing was copied:\n {2}the tag v2 names .*\n {2}the tag v3 names /)
            assert.deepStrictEqual(yield* writes, [])
            const kept = yield* loggedIn([...copy, "--on-tag", "keep"])
            assert.strictEqual(kept.stdout, `${digest}\tv1\tset\n${another}\tv2\tkept\n${another}\tv3\tkept\n`)
            const free = yield* loggedIn([
              "cp",
              "--all-tags",
              "--on-tag",
              "fail",
              "$REGISTRY/cp/all",
              "$REGISTRY/cp/free"
            ])
            assert.strictEqual(free.code, 0, free.stderr)
          })
      )

      it.effect("continues if one of all tags fails, and reports the outcome of each", () =>
        Effect.gen(function* () {
          const files = yield* FileSystem.FileSystem
          const digest = yield* image("cp/partly", ["v1"])
          const emulator = yield* AcrEmulator.AcrEmulator
          const other = yield* emulator.seed({ repository: "cp/partly", tags: ["v2"], layers: [{ content: "other" }] })
          const folder = yield* folderOf()
          yield* loggedIn(["cp", "--all-tags", "$REGISTRY/cp/partly", "--to-layout", folder])
          yield* files.remove(`${folder}/blobs/${digest.replace(":", "/")}`)
          const copy = ["cp", "--from-layout", folder, "--all-tags"]
          const text = yield* loggedIn([...copy, "$REGISTRY/cp/partly-text"])
          assert.strictEqual(text.code, 3)
          assert.strictEqual(text.stdout, `${other}\tv2\tset\n\tv1\tfailed\n`)
          assert.match(text.stderr, /^error: cannot copy v1\n/)
          assert.include(text.stderr, "sent: ")
          const json = yield* loggedIn([...copy, "--json", "$REGISTRY/cp/partly-json"])
          const { failed, reports } = yield* decoded(document, json.stdout)
          assert.deepStrictEqual([json.code, failed[0]?.reference, reports[0]?.root], [3, "v1", other])
          const jsonl = yield* loggedIn([...copy, "--jsonl", "$REGISTRY/cp/partly-jsonl"])
          const events = yield* Effect.forEach(lines(jsonl.stdout), (line) => decoded(Line, line))
          assert.deepStrictEqual([jsonl.code, events.filter(({ _tag }) => _tag === "Failed").length], [3, 1])
          yield* files.remove(`${folder}/blobs/${other.replace(":", "/")}`)
          const none = yield* loggedIn([...copy, "$REGISTRY/cp/partly-none"])
          assert.deepStrictEqual({ code: none.code, stdout: none.stdout }, { code: 4, stdout: "" }, none.stderr)
        })
      )

      it.effect("of all tags names the source without one, and needs one to be there", () =>
        Effect.gen(function* () {
          const digest = yield* image("cp/named")
          const folder = yield* folderOf()
          yield* loggedIn(["cp", "$REGISTRY/cp/named:v1", "--to-layout", folder])
          for (const from of [
            ["$REGISTRY/cp/named:v1"],
            [`$REGISTRY/cp/named@${digest}`],
            ["--from-layout", folder, "v1"]
          ]) {
            const { code, stderr, stdout } = yield* loggedIn(["cp", "--all-tags", ...from, "$REGISTRY/cp/named-there"])
            assert.deepStrictEqual({ code, stdout }, { code: 2, stdout: "" }, stderr)
            assert.include(stderr, "neither tag nor digest")
          }
          const { code, stderr, stdout } = yield* loggedIn(["cp", "--all-tags", "$REGISTRY/cp/nmed", "$REGISTRY/cp/x"])
          assert.deepStrictEqual({ code, stdout }, { code: 4, stdout: "" })
          assert.include(stderr, "cp/nmed has no tags: does it exist?")
        })
      )

      it.effect("leaves lists of referrers out, and no image whose tag looks like theirs", () =>
        Effect.gen(function* () {
          const emulator = yield* AcrEmulator.AcrEmulator
          const digest = yield* image("cp/lists")
          const [like, other] = [`sha256-${"a".repeat(64)}`, `sha256-${"b".repeat(64)}`]
          yield* loggedIn(["tag", "$REGISTRY/cp/lists:v1", like, "sha256-short"])
          yield* emulator.seed({ repository: "cp/lists", platforms: ["linux/amd64", "linux/s390x"], tags: [other] })
          yield* emulator.seed({
            repository: "cp/lists",
            platforms: ["linux/amd64", "linux/arm64"],
            tags: [digest.replace(":", "-")]
          })
          const { code } = yield* loggedIn(["cp", "--all-tags", "$REGISTRY/cp/lists", "$REGISTRY/cp/lists-there"])
          assert.strictEqual(code, 0)
          const { stdout } = yield* loggedIn(["ls", "$REGISTRY/cp/lists-there"])
          assert.deepStrictEqual(
            stdout
              .trim()
              .split("\n")
              .map((line) => line.split("\t")[0]),
            [like, other, "sha256-short", "v1"]
          )
        })
      )

      it.effect("reports which argument is wrong before anything is sent", () =>
        Effect.gen(function* () {
          yield* image("cp/wrong")
          const calls = [
            ["cp", "$REGISTRY/cp/wrong:v1"],
            ["cp", "$REGISTRY/cp/wrong:v1", `$REGISTRY/cp/there@sha256:${"0".repeat(64)}`],
            ["cp", "$REGISTRY/cp/wrong:v1", "$REGISTRY/cp/there:a,,b"],
            ["cp", "--all-tags", "$REGISTRY/cp/wrong", "$REGISTRY/cp/there:a"],
            ["cp", "--concurrency", "0", "$REGISTRY/cp/wrong:v1", "$REGISTRY/cp/there"]
          ]
          for (const call of calls) {
            const { code, stderr, stdout } = yield* loggedIn(call)
            assert.deepStrictEqual({ code, stdout }, { code: 2, stdout: "" }, stderr)
          }
          assert.deepStrictEqual(yield* writes, [])
        })
      )
    })

    describe("push, attach and pull", () => {
      it.effect("take files to a repository and back", () =>
        Effect.gen(function* () {
          const files = yield* FileSystem.FileSystem
          const from = yield* folderOf({ "report.json": "{}", "a b.txt": "text" })
          const to = `${yield* folderOf()}/new`
          const paths = [`${from}/report.json:application/json`, `${from}/a b.txt`]
          const annotation = ["--annotation", "org.example.build=7"]
          const pushed = yield* loggedIn(["push", "$REGISTRY/files/both:v1,latest", ...paths, ...annotation, "--json"])
          const { digest, tags } = yield* decoded(Push.document, pushed.stdout)
          assert.deepStrictEqual(tags, ["v1", "latest"])
          const manifest = JSON.parse((yield* loggedIn(["raw", "$REGISTRY/files/both:v1"])).stdout)
          assert.strictEqual(manifest.layers[0].mediaType, "application/json")
          assert.strictEqual(manifest.annotations["org.example.build"], "7")
          const pulled = yield* loggedIn(["pull", "$REGISTRY/files/both:latest", "-o", to, "--json"])
          const { artifacts } = yield* decoded(Pull.document, pulled.stdout)
          assert.strictEqual(artifacts[0]?.digest, digest)
          assert.deepStrictEqual(yield* files.readDirectory(to), ["a b.txt", "report.json"])
          assert.strictEqual(yield* files.readFileString(`${to}/a b.txt`), "text")
        })
      )

      it.effect("print the SBOM of an image in one line", () =>
        Effect.gen(function* () {
          yield* image("files/sbom")
          const folder = yield* folderOf({ "sbom.json": '{"spdxVersion":"SPDX-2.3"}' })
          const type = "application/spdx+json"
          const attach = ["attach", "$REGISTRY/files/sbom:v1", `${folder}/sbom.json:${type}`, "--artifact-type", type]
          const planned = yield* loggedIn([...attach, "--dry-run"])
          assert.match(planned.stdout, /\twould be attached\t/)
          assert.deepStrictEqual(yield* writes, [])
          const attached = yield* loggedIn(attach)
          assert.strictEqual(attached.stdout, planned.stdout.replace("would be ", ""))
          assert.match((yield* loggedIn(attach)).stdout, /\tattached before\t/)
          const { code, stderr, stdout } = yield* loggedIn([
            "pull",
            "$REGISTRY/files/sbom:v1",
            "--attached",
            type,
            "-o",
            "-"
          ])
          assert.deepStrictEqual(
            { code, stderr, stdout },
            { code: 0, stderr: "", stdout: '{"spdxVersion":"SPDX-2.3"}' }
          )
          const other = yield* loggedIn([
            "pull",
            "$REGISTRY/files/sbom:v1",
            "--attached",
            "application/none",
            "-o",
            "-"
          ])
          assert.strictEqual(other.code, 4)
        })
      )

      it.effect("replace no file of a folder unless a flag says so, and write none if one would be", () =>
        Effect.gen(function* () {
          const files = yield* FileSystem.FileSystem
          const from = yield* folderOf({ a: "new a", b: "new b" })
          yield* files.makeDirectory(`${from}/dist`)
          yield* files.writeFileString(`${from}/dist/x`, "new x")
          const to = yield* folderOf({ b: "mine" })
          yield* loggedIn(["push", "$REGISTRY/files/kept:v1", `${from}/a`, `${from}/b`, `${from}/dist`])
          const pull = ["pull", "$REGISTRY/files/kept:v1", "-o", to]
          const refused = yield* loggedIn(pull)
          assert.deepStrictEqual({ code: refused.code, stdout: refused.stdout }, { code: 6, stdout: "" })
          assert.include(refused.stderr, '"b" is there already')
          assert.include(refused.stderr, "--overwrite")
          assert.deepStrictEqual(yield* files.readDirectory(to), ["b"])
          assert.strictEqual(yield* files.readFileString(`${to}/b`), "mine")
          const replaced = yield* loggedIn([...pull, "--overwrite"])
          assert.strictEqual(replaced.code, 0, replaced.stderr)
          assert.strictEqual(yield* files.readFileString(`${to}/b`), "new b")
          const again = yield* loggedIn(pull)
          assert.deepStrictEqual(again, replaced)
          yield* files.writeFileString(`${to}/dist/x`, "mine!")
          yield* files.remove(`${to}/a`)
          const inFolder = yield* loggedIn(pull)
          assert.deepStrictEqual({ code: inFolder.code, stdout: inFolder.stdout }, { code: 6, stdout: "" })
          assert.isFalse(yield* files.exists(`${to}/a`))
        })
      )

      it.effect("read a manifest once", () =>
        Effect.gen(function* () {
          const emulator = yield* AcrEmulator.AcrEmulator
          const from = yield* folderOf({ a: "once" })
          yield* loggedIn(["push", "$REGISTRY/files/once:v1", `${from}/a`])
          yield* emulator.clearJournal
          yield* loggedIn(["pull", "$REGISTRY/files/once:v1", "-o", yield* folderOf()])
          const reads = (yield* emulator.journal).filter(
            ({ method, path, status }) => method === "GET" && status === 200 && path.includes("/manifests/")
          )
          assert.strictEqual(reads.length, 1)
        })
      )

      it.effect("refuse attached artifacts with two files of one name, unless the files are equal", () =>
        Effect.gen(function* () {
          const files = yield* FileSystem.FileSystem
          yield* image("files/attached")
          const type = "application/spdx+json"
          const attach = Effect.fnUntraced(function* (content: string, more: ReadonlyArray<string> = []) {
            const folder = yield* folderOf({ "sbom.json": content })
            const call = ["attach", "$REGISTRY/files/attached:v1", `${folder}/sbom.json`, "--artifact-type", type]
            assert.strictEqual((yield* loggedIn([...call, ...more])).code, 0)
          })
          const to = yield* folderOf()
          const pull = ["pull", "$REGISTRY/files/attached:v1", "--attached", type, "-o", to]
          yield* attach("one")
          yield* attach("one", ["--annotation", "build=2"])
          const { artifacts } = yield* decoded(Pull.document, (yield* loggedIn([...pull, "--json"])).stdout)
          assert.deepStrictEqual(
            artifacts.map((one) => one.files.map(({ title }) => title)),
            [["sbom.json"], ["sbom.json"]]
          )
          yield* attach("two")
          const { code, stderr, stdout } = yield* loggedIn([...pull, "--overwrite"])
          assert.deepStrictEqual({ code, stdout }, { code: 6, stdout: "" })
          assert.match(
            stderr,
            /two artifacts have a file sbom.json with different content: sha256:\w+ and sha256:\w+\n/
          )
          assert.strictEqual(yield* files.readFileString(`${to}/sbom.json`), "one")
        })
      )

      it.effect("report what is missing in a call", () =>
        Effect.gen(function* () {
          const file = yield* loggedIn(["attach", "$REGISTRY/files/x:v1", "--artifact-type", "text/note"])
          assert.deepStrictEqual([file.code, file.stdout], [2, ""])
          assert.include(file.stderr, "Missing required argument: file")
          const type = yield* loggedIn(["attach", "$REGISTRY/files/x:v1", "note.txt"])
          assert.deepStrictEqual([type.code, type.stdout], [2, ""])
          assert.include(type.stderr, "Missing required flag: --artifact-type")
          assert.match((yield* loggedIn(["attach", "--help"])).stdout, /--artifact-type TYPE +Required\./)
        })
      )

      it.effect("refuse an image, and several files for standard output", () =>
        Effect.gen(function* () {
          yield* image("files/image")
          const pulled = yield* loggedIn(["pull", "$REGISTRY/files/image:v1", "-o", `${yield* folderOf()}/x`])
          assert.deepStrictEqual({ code: pulled.code, stdout: pulled.stdout }, { code: 2, stdout: "" })
          assert.include(pulled.stderr, "eacr export")
          const folder = yield* folderOf({ a: "1", b: "2" })
          yield* loggedIn(["push", "$REGISTRY/files/two:v1", `${folder}/a`, `${folder}/b`])
          const several = yield* loggedIn(["pull", "$REGISTRY/files/two:v1", "-o", "-"])
          assert.deepStrictEqual({ code: several.code, stdout: several.stdout }, { code: 2, stdout: "" })
          assert.include(several.stderr, "2 files")
        })
      )

      it.effect("send nothing with --dry-run, with the digest that a push has", () =>
        Effect.gen(function* () {
          const emulator = yield* AcrEmulator.AcrEmulator
          const folder = yield* folderOf({ a: "dry" })
          yield* emulator.clearJournal
          const planned = yield* loggedIn(["push", "$REGISTRY/files/dry:v1", `${folder}/a`, "--dry-run"])
          assert.deepStrictEqual(yield* writes, [])
          assert.match(planned.stderr, /^dry run, would be sent: 3 objects/)
          const pushed = yield* loggedIn(["push", "$REGISTRY/files/dry:v1", `${folder}/a`])
          assert.match(planned.stdout, /^sha256:\w+\tv1\twould be pushed\n$/)
          assert.strictEqual(pushed.stdout, planned.stdout.replace("would be ", ""))
        })
      )

      it.effect("do the same with a layout", () =>
        Effect.gen(function* () {
          const folder = yield* folderOf({ "a.txt": "in a layout" })
          const layout = ["--layout", `${folder}/layout`]
          const pushed = yield* loggedIn(["push", ...layout, "v1,v2", `${folder}/a.txt`])
          assert.strictEqual(lines(pushed.stdout).length, 2, pushed.stderr)
          const attached = yield* loggedIn([
            "attach",
            ...layout,
            "v1",
            `${folder}/a.txt`,
            "--artifact-type",
            "text/note"
          ])
          assert.strictEqual(attached.code, 0, attached.stderr)
          const own = yield* loggedIn(["pull", ...layout, "v2", "-o", "-"])
          const note = yield* loggedIn(["pull", ...layout, "v2", "--attached", "text/note", "-o", "-"])
          assert.deepStrictEqual([own.stdout, note.stdout], ["in a layout", "in a layout"])
        })
      )
    })

    describe("export and import", () => {
      it.effect("take all tags through an archive and a layout", () =>
        Effect.gen(function* () {
          const digest = yield* image("box/from", ["v1", "v2"])
          const folder = yield* folderOf()
          for (const [format, file] of [
            ["oci", `${folder}/oci.tar`],
            ["docker", `${folder}/docker.tar`],
            ["layout", `${folder}/layout`]
          ] as const) {
            const names = ["$REGISTRY/box/from:v1", "$REGISTRY/box/from:v2"]
            const exported = yield* loggedIn(["export", "--format", format, ...names, file])
            assert.strictEqual(exported.code, 0, exported.stderr)
            assert.include(exported.stdout, digest)
            const imported = yield* loggedIn(["import", file, `$REGISTRY/box/${format}`])
            assert.strictEqual(imported.stdout, `${digest}\tv1\tset\n${digest}\tv2\tset\n`, imported.stderr)
          }
        })
      )

      it.effect("replace no archive unless a flag says so", () =>
        Effect.gen(function* () {
          const files = yield* FileSystem.FileSystem
          yield* image("box/kept")
          const folder = yield* folderOf({ "old.tar": "mine" })
          const file = `${folder}/old.tar`
          const calls = [
            ["export", "$REGISTRY/box/kept:v1", file],
            ["cp", "$REGISTRY/box/kept:v1", "--to-archive", file]
          ]
          for (const call of calls) {
            yield* files.writeFileString(file, "mine")
            const { code, stderr, stdout } = yield* loggedIn(call)
            assert.deepStrictEqual({ code, stdout }, { code: 6, stdout: "" })
            assert.include(stderr, `${file} is there already\n  --overwrite replaces it`)
            assert.strictEqual(yield* files.readFileString(file), "mine")
            assert.strictEqual((yield* loggedIn([...call, "--overwrite"])).code, 0)
            assert.notStrictEqual(yield* files.readFileString(file), "mine")
          }
          const copy = yield* loggedIn(["cp", "--overwrite", "$REGISTRY/box/kept:v1", "$REGISTRY/box/x"])
          assert.strictEqual(copy.code, 2)
        })
      )

      it.effect("say what stands where no archive can be", () =>
        Effect.gen(function* () {
          yield* image("box/places")
          const folder = yield* folderOf()
          const { writer } = yield* FullPipe.make
          const places = [
            [`/proc/self/fd/${writer}`, 2, " is a pipe or a device: with - the archive goes to standard output\n"],
            [folder, 2, " is a folder: name a file in it\n"],
            [`${folder}/none/new.tar`, 4, `  there is no folder ${folder}/none\n`]
          ] as const
          for (const [file, expected, words] of places) {
            for (const more of [[], ["--overwrite"]]) {
              const { code, stderr } = yield* loggedIn(["export", "$REGISTRY/box/places:v1", file, ...more])
              assert.strictEqual(code, expected, stderr)
              assert.include(stderr, words)
            }
          }
          const plan = ["purge", "$REGISTRY/box/places", "--untagged", "--plan", `${folder}/none/plan.json`]
          const { code, stderr } = yield* loggedIn(plan)
          assert.strictEqual(code, 4)
          assert.include(stderr, `  there is no folder ${folder}/none\n`)
        })
      )

      it.effect("leave the old archive if the new one fails", () =>
        Effect.gen(function* () {
          const files = yield* FileSystem.FileSystem
          const digest = yield* image("box/failing")
          const folder = yield* folderOf({ "old.tar": "mine" })
          yield* loggedIn(["cp", "$REGISTRY/box/failing:v1", "--to-layout", `${folder}/layout`])
          const raw = JSON.parse((yield* loggedIn(["raw", "--layout", `${folder}/layout`, digest])).stdout)
          yield* files.remove(`${folder}/layout/blobs/${raw.layers[1].digest.replace(":", "/")}`)
          const call = ["export", "--overwrite", "--layout", `${folder}/layout`, "v1", `${folder}/old.tar`]
          assert.strictEqual((yield* loggedIn(call)).code, 4)
          assert.deepStrictEqual(yield* files.readDirectory(folder), ["layout", "old.tar"])
          assert.strictEqual(yield* files.readFileString(`${folder}/old.tar`), "mine")
        })
      )

      it.effect("tell by their exit code that a layer is not what its digest names", () =>
        Effect.gen(function* () {
          const files = yield* FileSystem.FileSystem
          yield* image("box/corrupt")
          const layout = `${yield* folderOf()}/layout`
          yield* loggedIn(["cp", "$REGISTRY/box/corrupt:v1", "--to-layout", layout])
          const raw = JSON.parse((yield* loggedIn(["raw", "--layout", layout, "v1"])).stdout)
          const [{ digest, size }] = raw.layers
          yield* files.writeFile(`${layout}/blobs/${digest.replace(":", "/")}`, new Uint8Array(size))
          for (const call of [
            ["export", "--layout", layout, "v1", `${layout}.tar`],
            ["export", "--layout", layout, "v1", "-"],
            ["cp", "--from-layout", layout, "v1", "$REGISTRY/box/corrupt-there"]
          ]) {
            const { code, stderr } = yield* loggedIn(call)
            assert.strictEqual(code, 8, stderr)
          }
        })
      )

      it.effect("say in words what is missing", () =>
        Effect.gen(function* () {
          const emulator = yield* AcrEmulator.AcrEmulator
          yield* emulator.seed({ repository: "box/multi", tags: ["v1"], platforms: ["linux/amd64", "linux/arm64"] })
          const folder = yield* folderOf()
          const nowhere = yield* loggedIn(["export", "$REGISTRY/box/multi:v1"])
          assert.strictEqual(nowhere.code, 2)
          assert.include(nowhere.stderr, "the artifact comes first, then the file")
          const absent = yield* loggedIn(["import", `${folder}/nofile.tar`, "$REGISTRY/box/absent"])
          assert.strictEqual(absent.code, 4)
          assert.include(absent.stderr, `  there is no file ${folder}/nofile.tar\n`)
          const docker = ["export", "--format", "docker", "$REGISTRY/box/multi:v1", `${folder}/multi.tar`]
          const { code, stderr } = yield* loggedIn(docker)
          assert.strictEqual(code, 2)
          assert.include(stderr, "its platforms are linux/amd64, linux/arm64\n  choose one: --platform\n")
        })
      )

      it.effect("give the one artifact the tags of the call, and refuse several", () =>
        Effect.gen(function* () {
          const digest = yield* image("box/one", ["v1", "v2"])
          const folder = yield* folderOf()
          yield* loggedIn(["export", "$REGISTRY/box/one:v1", `${folder}/one.tar`])
          yield* loggedIn(["export", "$REGISTRY/box/one:v1", "$REGISTRY/box/one:v2", `${folder}/two.tar`])
          const one = yield* loggedIn(["import", `${folder}/one.tar`, "$REGISTRY/box/named:x,y"])
          assert.strictEqual(one.stdout, `${digest}\tx\tset\n${digest}\ty\tset\n`)
          const two = yield* loggedIn(["import", `${folder}/two.tar`, "$REGISTRY/box/named:x"])
          assert.deepStrictEqual({ code: two.code, stdout: two.stdout }, { code: 2, stdout: "" })
          const planned = yield* loggedIn(["import", "--dry-run", `${folder}/one.tar`, "$REGISTRY/box/planned:x"])
          assert.match(planned.stderr, /^dry run, would be /)
        })
      )

      it.effect("explain a folder as the layout that it is, with the options of the call", () =>
        Effect.gen(function* () {
          const folder = yield* folderOf({ "a.tar": "" })
          const layout = yield* loggedIn(["import", "--explain", folder, "$REGISTRY/box/x:v1", "--dry-run"])
          assert.include(layout.stdout, `ImageLayout.open("${folder}")`)
          assert.include(layout.stdout, 'Copy.run(source, target, reference, { tags: ["v1"], isDryRun: true })')
          const archive = yield* loggedIn(["import", "--explain", `${folder}/a.tar`, "$REGISTRY/box/x"])
          assert.include(archive.stdout, `ImageArchive.read("${folder}/a.tar")`)
        })
      )

      it.effect("refuse an archive without a tag, and one in which two artifacts have the same", () =>
        Effect.gen(function* () {
          const files = yield* FileSystem.FileSystem
          const digest = yield* image("box/untagged")
          const source = yield* folderOf()
          yield* loggedIn(["cp", "$REGISTRY/box/untagged:v1", "--to-layout", source])
          const index = JSON.parse(yield* files.readFileString(`${source}/index.json`))
          const [entry] = index.manifests
          const write = (manifests: ReadonlyArray<unknown>) =>
            files.writeFileString(`${source}/index.json`, JSON.stringify({ ...index, manifests }))
          const named = (name: string) => ({ ...entry, annotations: { "org.opencontainers.image.ref.name": name } })
          yield* write([{ ...entry, annotations: {} }])
          const untagged = yield* loggedIn(["import", source, "$REGISTRY/box/no-tag"])
          assert.deepStrictEqual({ code: untagged.code, stdout: untagged.stdout }, { code: 2, stdout: "" })
          assert.include(untagged.stderr, "it holds no tags")
          const given = yield* loggedIn(["import", source, "$REGISTRY/box/no-tag:x"])
          assert.strictEqual(given.stdout, `${digest}\tx\tset\n`, given.stderr)
          yield* write([named("docker.io/library/a:v1"), named("docker.io/library/b:v1")])
          const twice = yield* loggedIn(["import", source, "$REGISTRY/box/twice"])
          assert.deepStrictEqual({ code: twice.code, stdout: twice.stdout }, { code: 2, stdout: "" })
          assert.include(twice.stderr, "several artifacts with the tag v1")
          yield* write([named("docker.io/library/a:v1"), named("docker.io/library/b:v2")])
          const one = yield* loggedIn(["import", source, "$REGISTRY/box/one-of-two:v2"])
          assert.strictEqual(one.stdout, `${digest}\tv2\tset\n`, one.stderr)
        })
      )

      it.effect("say that index.json lists what cannot be read, with 3", () =>
        Effect.gen(function* () {
          const files = yield* FileSystem.FileSystem
          const digest = yield* image("box/odd")
          const source = yield* folderOf()
          yield* loggedIn(["cp", "$REGISTRY/box/odd:v1", "--to-layout", source])
          const index = JSON.parse(yield* files.readFileString(`${source}/index.json`))
          const [entry] = index.manifests
          const odd = (change: object) => ({
            ...entry,
            ...change,
            annotations: { "org.opencontainers.image.ref.name": "v2" }
          })
          const archive = `${yield* folderOf()}/odd.tar`
          for (const change of [{ size: -1 }, { digest: "sha256:zz" }]) {
            const manifests = [entry, odd(change)]
            yield* files.writeFileString(`${source}/index.json`, JSON.stringify({ ...index, manifests }))
            yield* Effect.sync(() => execFileSync("tar", ["-cf", archive, "-C", source, "."]))
            for (const args of [
              ["ls", "--layout", source],
              ["ls", "--archive", archive],
              ["import", "--dry-run", source, "$REGISTRY/box/odd-layout"],
              ["import", "--dry-run", archive, "$REGISTRY/box/odd-archive"],
              ["cp", "--dry-run", "--all-tags", "--from-archive", archive, "$REGISTRY/box/odd-copy"]
            ]) {
              const { code, said, stdout } = yield* warned(loggedIn(args))
              assert.strictEqual(code, 3, args.join(" "))
              assert.include(stdout, "v1")
              assert.strictEqual(said.match(/^warn: .* lack 1 entry of index.json/gm)?.length, 1, said)
            }
          }
          // What is read by its name is complete.
          const one = yield* warned(loggedIn(["digest", "--layout", source, "v1"]))
          assert.deepStrictEqual([one.code, one.stdout, one.said], [0, `${digest}\n`, ""])
        })
      )

      it.effect("import what comes on standard input", () =>
        Effect.gen(function* () {
          const files = yield* FileSystem.FileSystem
          const digest = yield* image("box/stream")
          const folder = yield* folderOf()
          yield* loggedIn(["export", "$REGISTRY/box/stream:v1", `${folder}/a.tar`])
          const stdin = yield* files.readFile(`${folder}/a.tar`)
          const { code, stderr, stdout } = yield* loggedIn(["import", "-", "$REGISTRY/box/streamed"], { stdin })
          assert.deepStrictEqual({ code, stdout }, { code: 0, stdout: `${digest}\tv1\tset\n` }, stderr)
        })
      )

      it.effect("take artifacts out of a layout, without an escape code in any output", () =>
        Effect.gen(function* () {
          const digest = yield* image("box/plain")
          const folder = yield* folderOf()
          const env = { FORCE_COLOR: "1" }
          for (const call of [
            ["cp", "$REGISTRY/box/plain:v1", "--to-layout", `${folder}/layout`],
            ["export", "--layout", `${folder}/layout`, "v1", `${folder}/image.tar`],
            ["import", `${folder}/image.tar`, "$REGISTRY/box/out-of-layout:v1"]
          ]) {
            const { code, stderr, stdout } = yield* loggedIn(call, { env })
            assert.strictEqual(code, 0, stderr)
            assert.include(stdout, digest, call[0])
            // oxlint-disable-next-line no-control-regex
            assert.notMatch(stdout + stderr, /\u001b/)
          }
        })
      )

      it.effect("refuse artifacts of two repositories in one archive", () =>
        Effect.gen(function* () {
          yield* image("box/a")
          yield* image("box/b")
          const file = `${yield* folderOf()}/both.tar`
          const { code, stderr } = yield* loggedIn(["export", "$REGISTRY/box/a:v1", "$REGISTRY/box/b:v1", file])
          assert.strictEqual(code, 2)
          assert.include(stderr, "another repository")
        })
      )
    })
  }
)
