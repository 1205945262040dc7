/**
 * Files and folders as artifacts go both ways between this library and oras, and what is attached is found by oras and regctl.
 */
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as Artifact from "@effect-acr/artifacts/Artifact"
import * as ImageLayout from "@effect-acr/artifacts/ImageLayout"
import * as Repository from "@effect-acr/artifacts/Repository"
import * as Reference from "@effect-acr/client/Reference"
import { RegistryContent } from "@effect-acr/client/RegistryContent"
import * as NodeCompression from "@effect-acr/node/NodeCompression"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { temporaryFolder } from "./support/command.ts"
import * as Registries from "./support/registries.ts"
import { isThere, toolFor } from "./support/tools.ts"

const services = Layer.merge(NodeServices.layer, NodeCompression.layer)

const type = "application/vnd.contoso.site.v1"

/** A file, and a folder with what folders have. */
const fill = (folder: string) =>
  Effect.promise(async () => {
    await mkdir(join(folder, "site/img"), { recursive: true })
    await writeFile(join(folder, "report.json"), `{"passed":true}`)
    await writeFile(join(folder, "site/index.html"), "<p>hello</p>".repeat(10_000))
    await writeFile(join(folder, "site/img/grüße 😀.svg"), "<svg/>")
    await writeFile(join(folder, `site/${"long".repeat(40)}.txt`), "long")
    await writeFile(join(folder, "site/run.sh"), "#!/bin/sh")
    await chmod(join(folder, "site/run.sh"), 0o755)
    await symlink("index.html", join(folder, "site/latest.html"))
  })

/** The files in a folder with their content, and whether they can be run. */
const treeOf = (folder: string) =>
  Effect.promise(async () => {
    const names = await readdir(folder, { recursive: true, withFileTypes: true })
    const found = names.map(async (entry) => {
      const at = join(entry.parentPath, entry.name)
      const { mode } = await stat(at)
      const name = at.slice(folder.length + 1)
      if (entry.isDirectory()) return [name, "folder"] as const
      return [name, `${entry.isSymbolicLink() ? "link" : mode & 0o100} ${await readFile(at, "utf8")}`] as const
    })
    return Object.fromEntries((await Promise.all(found)).toSorted(([left], [right]) => (left < right ? -1 : 1)))
  })

const seeded = Effect.gen(function* () {
  const folder = yield* temporaryFolder
  yield* fill(folder)
  return { folder, tree: yield* treeOf(folder) }
})

const files = ["report.json", "site"]

describe("files and folders", () => {
  it.live.runIf(isThere("oras"))("that we push are pulled by oras", () =>
    Effect.gen(function* () {
      const { folder, tree } = yield* seeded
      const oras = yield* toolFor("oras")
      const layout = yield* ImageLayout.open(join(oras.home, "layout"))
      yield* Artifact.push(layout, "v1", { artifactType: type, files: files.map((name) => join(folder, name)) })
      yield* oras.run("pull", "--oci-layout", "layout:v1", "--output", "pulled")
      assert.deepStrictEqual(yield* treeOf(join(oras.home, "pulled")), tree)
    }).pipe(Effect.scoped, Effect.provide(services))
  )

  it.live.runIf(isThere("oras"))("that oras pushes are pulled by us", () =>
    Effect.gen(function* () {
      const oras = yield* toolFor("oras")
      yield* fill(oras.home)
      yield* oras.run("push", "--oci-layout", "layout:v1", "--artifact-type", type, ...files)
      const layout = yield* ImageLayout.open(join(oras.home, "layout"))
      const target = join(yield* temporaryFolder, "pulled")
      const { untitled } = yield* Artifact.pull(layout, "v1", target)
      assert.lengthOf(untitled, 0)
      assert.deepStrictEqual(yield* treeOf(target), (yield* seeded).tree)
    }).pipe(Effect.scoped, Effect.provide(services))
  )

  it.live.runIf(isThere("regctl"))("go both ways with regctl, which knows files alone", () =>
    Effect.gen(function* () {
      const regctl = yield* toolFor("regctl")
      yield* fill(regctl.home)
      const layout = yield* ImageLayout.open(join(regctl.home, "layout"))
      yield* Artifact.push(layout, "ours", { artifactType: type, files: [join(regctl.home, "report.json")] })
      yield* Effect.promise(() => mkdir(join(regctl.home, "got")))
      yield* regctl.run("artifact", "get", "ocidir://layout:ours", "--output", "got")
      assert.deepStrictEqual(yield* treeOf(join(regctl.home, "got")), { "report.json": `0 {"passed":true}` })

      const put = ["--artifact-type", type, "--file", "report.json", "--file-title"]
      yield* regctl.run("artifact", "put", ...put, "ocidir://theirs:v1")
      const target = join(yield* temporaryFolder, "pulled")
      yield* Artifact.pull(yield* ImageLayout.open(join(regctl.home, "theirs")), "v1", target)
      assert.deepStrictEqual(yield* treeOf(target), { "report.json": `0 {"passed":true}` })
    }).pipe(Effect.scoped, Effect.provide(services))
  )

  for (const registry of Registries.registries.filter((one) => one.isThere)) {
    it.live(
      `that we attach on ${registry.name} are found there by other tools`,
      () =>
        Effect.gen(function* () {
          const context = yield* Layer.build(registry.layer)
          const running = Context.get(context, Registries.Running)
          const reference = yield* Effect.fromResult(Reference.parse(`${running.loginServer}/shop/site`))
          const store = Repository.make(Context.get(context, RegistryContent), reference)
          const { folder } = yield* seeded
          const at = (name: string) => join(folder, name)
          const pushed = yield* Artifact.push(store, "v1", { artifactType: type, files: files.map(at) })
          const attach = Artifact.attach(store, "v1", {
            artifactType: "application/spdx+json",
            files: [at("report.json")]
          })
          const { descriptor, isNew, listedBy, subject } = yield* attach
          assert.isTrue(isNew)
          assert.isTrue(Option.isSome(listedBy))
          assert.strictEqual(subject.digest, pushed.descriptor.digest)
          assert.isFalse((yield* attach).isNew)
          const listed = yield* Stream.runCollect(store.referrers(subject.digest))
          assert.deepStrictEqual(
            listed.map(({ digest }) => digest),
            [descriptor.digest]
          )
          const image = `${running.loginServer}/shop/site:v1`
          if (isThere("oras")) {
            const oras = yield* toolFor("oras", running)
            assert.include(yield* oras.run("discover", "--format", "json", image), descriptor.digest)
            yield* oras.run("pull", image, "--output", "pulled")
            assert.deepStrictEqual(yield* treeOf(join(oras.home, "pulled")), (yield* seeded).tree)
          }
          // regctl sends its login on to where blobs are, if that is the same host.
          if (isThere("regctl") && !registry.redirectsBlobs) {
            const regctl = yield* toolFor("regctl", running)
            assert.include(yield* regctl.run("artifact", "list", image), descriptor.digest)
          }
        }).pipe(Effect.scoped, Effect.provide(services)),
      120_000
    )
  }
})
