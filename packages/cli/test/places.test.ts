/**
 * One verb on several places: what it answers does not depend on where the content is. And names of files and folders, which are
 * taken as they are.
 */
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import { loggedIn } from "./support/registry.ts"

const seeded = AcrEmulator.layer({
  seed: [
    { repository: "shop/api", tags: ["v1", "stable"], platforms: ["linux/amd64", "linux/arm64"] },
    { repository: "shop/api", tags: ["v2"], layers: [{ files: { "app/version": "2" } }] }
  ]
})

/** What a call prints that must not fail. */
const printed = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
  const { code, stderr, stdout } = yield* loggedIn(args)
  assert.strictEqual(code, 0, `${args.join(" ")}: ${stderr}`)
  return stdout
})

const folder = Effect.flatMap(FileSystem.FileSystem, (files) => files.makeTempDirectoryScoped())

/** An image in a layout and in an archive. */
const copiesOf = Effect.fnUntraced(function* (tag: string) {
  const home = yield* folder
  yield* printed("cp", `$REGISTRY/shop/api:${tag}`, "--to-layout", `${home}/layout`)
  yield* printed("cp", `$REGISTRY/shop/api:${tag}`, "--to-archive", `${home}/file.tar`)
  return [
    ["--layout", `${home}/layout`],
    ["--archive", `${home}/file.tar`]
  ]
})

/** Verbs whose whole answer is about content. */
const verbs = ["digest", "raw", "tree", "validate", "show"]

/** A document without what the API of Azure alone says. */
const contentOf = (text: string): unknown => {
  const { lock: _, repositoryLock: __, tagLock: ___, tags: ____, ...content } = JSON.parse(text)
  return content
}

layer(Layer.merge(seeded, NodeServices.layer), { excludeTestServices: true })(
  "a verb on a registry, a layout and an archive",
  (it) => {
    for (const verb of verbs) {
      it.effect(`answers the same: ${verb}`, () =>
        Effect.gen(function* () {
          for (const tag of ["v1", "v2"]) {
            const expected = yield* printed(verb, `$REGISTRY/shop/api:${tag}`, "--json")
            for (const place of yield* copiesOf(tag)) {
              const answer = yield* printed(verb, ...place, tag, "--json")
              assert.deepStrictEqual(contentOf(answer), contentOf(expected), place.join(" "))
            }
          }
        }).pipe(Effect.scoped)
      )
    }

    it.effect("lists the same tags", () =>
      Effect.gen(function* () {
        const home = yield* folder
        yield* printed("cp", "--all-tags", "$REGISTRY/shop/api", "--to-layout", home)
        const listed = yield* printed("ls", "$REGISTRY/shop/api", "--json", "--sort", "name")
        assert.strictEqual(yield* printed("ls", "--layout", home, "--json", "--sort", "name"), listed)
      }).pipe(Effect.scoped)
    )

    it.effect("escapes control characters in tags of a layout, and does not complete such tags", () =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const home = yield* folder
        yield* printed("cp", "$REGISTRY/shop/api:v2", "--to-layout", home)
        const index = yield* files.readFileString(`${home}/index.json`)
        yield* files.writeFileString(`${home}/index.json`, index.replace('"v2"', String.raw`"v2\u009b2J"`))
        for (const flags of [
          [],
          ["--json"],
          ["--jsonl"],
          ["--quiet"],
          ["--long"],
          ["--long", "--jsonl"],
          ["--long", "--json"]
        ]) {
          const shown = yield* printed("ls", "--layout", home, ...flags)
          assert.include(shown, "v2")
          assert.notInclude(shown, "\u009b", flags.join(" "))
        }
        assert.strictEqual(yield* printed("__complete", "--", "digest", "--layout", home, "v"), "")
      }).pipe(Effect.scoped)
    )

    it.effect.skipIf(process.platform === "win32")("takes a backslash as a part of a name", () =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const home = yield* folder
        const own = (name: string) => `${home}/${name}`
        yield* printed("cp", "$REGISTRY/shop/api:v2", "--to-layout", own(String.raw`a\layout`))
        yield* printed("export", "$REGISTRY/shop/api:v2", own(String.raw`an\archive.tar`))
        yield* printed("validate", "--layout", own(String.raw`a\layout`), "v2")
        yield* files.writeFileString(own(String.raw`some\notes.txt`), "notes")
        yield* printed("push", "$REGISTRY/notes:v1", own(String.raw`some\notes.txt`))
        yield* printed("pull", "$REGISTRY/notes:v1", "-o", own(String.raw`to\here`))
        const names = yield* files.readDirectory(home)
        assert.sameMembers(names, [
          String.raw`a\layout`,
          String.raw`an\archive.tar`,
          String.raw`some\notes.txt`,
          String.raw`to\here`
        ])
      }).pipe(Effect.scoped)
    )
  }
)
