/**
 * Artifacts that we copy between registries and layouts are what oras, regctl, crane, cosign and skopeo find there, and what they
 * copy is what we find.
 */
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import type { ContentStore, Reader } from "@effect-acr/artifacts/ContentStore"
import * as Copy from "@effect-acr/artifacts/Copy"
import * as ImageLayout from "@effect-acr/artifacts/ImageLayout"
import * as Repository from "@effect-acr/artifacts/Repository"
import type * as Digest from "@effect-acr/client/Digest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Reference from "@effect-acr/client/Reference"
import { RegistryContent } from "@effect-acr/client/RegistryContent"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { attach, completeAt, putArtifact } from "./support/artifacts.ts"
import { isInstalled, temporaryFolder } from "./support/command.ts"
import * as Cosign from "./support/cosign.ts"
import * as Registries from "./support/registries.ts"
import { skopeoFor } from "./support/skopeo.ts"
import { isThere, type Registry, type ToolName, toolFor } from "./support/tools.ts"

const sbom = MediaType.MediaType.make("application/spdx+json")
const report = MediaType.MediaType.make("application/vnd.contoso.report.v1")

/** A registry with a client of it, and what other tools need to know. */
const start = (registry: (typeof Registries.registries)[number]) =>
  Effect.map(Layer.build(registry.layer), (context) => {
    const running = Context.get(context, Registries.Running)
    const content = Context.get(context, RegistryContent)
    const open = (repository: string) =>
      Effect.map(
        Effect.orDie(Effect.fromResult(Reference.parse(`${running.loginServer}/${repository}`))),
        (reference) => Repository.make(content, reference)
      )
    return { running, open, host: running.loginServer }
  })

const skopeoOf = (registry: Effect.Success<ReturnType<typeof start>>) =>
  Effect.map(skopeoFor(registry.host, registry.running.certificate), ({ certificates, home, run }) => {
    const { login } = registry.running
    const creds = (side: string) =>
      login === undefined ? [] : [`--${side}creds`, `${login.username}:${Redacted.value(login.password)}`]
    return { home, run, at: (side: string) => [`--${side}cert-dir`, certificates, ...creds(side)] }
  })

const rootOf = <E>(store: Reader<E>, tag: string) =>
  Effect.map(store.resolve(tag), (found) => Option.getOrThrow(found).digest)

/** The artifact types of what refers to a manifest. */
const typesAt = <E>(store: Reader<E>, subject: Digest.Digest) =>
  Effect.map(Stream.runCollect(store.referrers(subject)), (all) =>
    all.map(({ artifactType }) => String(artifactType)).toSorted()
  )

const OrasList = Schema.fromJsonString(
  Schema.Struct({ referrers: Schema.Array(Schema.Struct({ artifactType: Schema.String })) })
)
const RegctlList = Schema.fromJsonString(Schema.NullOr(Schema.Array(Schema.Struct({ artifactType: Schema.String }))))

type Tool = Effect.Success<ReturnType<typeof toolFor>>

const orasTypes = (oras: Tool, ...args: ReadonlyArray<string>) =>
  oras.run("discover", "--format", "json", ...args).pipe(
    Effect.flatMap(Schema.decodeEffect(OrasList)),
    Effect.map(({ referrers }) => referrers.map(({ artifactType }) => artifactType).toSorted())
  )

const regctlTypes = (regctl: Tool, image: string) =>
  regctl.run("artifact", "list", image, "--format", "{{json .Descriptors}}").pipe(
    Effect.flatMap(Schema.decodeEffect(RegctlList)),
    Effect.map((entries) => (entries ?? []).map(({ artifactType }) => artifactType).toSorted())
  )

const signature = "application/vnd.example.signature.v1+json"

/** An artifact in a repository, to which oras has attached an SBOM, if it is there, and we a report. */
const artifactIn = <E>(store: ContentStore<E>, oras: Option.Option<Tool>, image: string) =>
  Effect.gen(function* () {
    const artifact = yield* putArtifact(store, "v1")
    yield* attach(store, artifact.index, report, "a report")
    if (Option.isSome(oras)) {
      yield* Effect.promise(() => writeFile(join(oras.value.home, "sbom.json"), `{"by":"oras"}`))
      yield* oras.value.run("attach", image, "--artifact-type", sbom, "sbom.json")
    }
    return artifact
  })

/** A tool, if it is there. */
const ifThere = (name: ToolName, ...registries: ReadonlyArray<Registry>) =>
  isThere(name) ? Effect.asSome(toolFor(name, ...registries)) : Effect.succeedNone

const installed = Registries.registries.filter((registry) => registry.isThere)

/** Each registry as the source of one copy and as the target of another. */
const pairs = installed.flatMap((source, at) => {
  const target = installed[(at + 1) % installed.length]
  return target === undefined ? [] : [{ source, target }]
})

const allTypes = (oras: Option.Option<Tool>) => [...(Option.isSome(oras) ? [sbom] : []), report, signature]

describe("an artifact that we copy", () => {
  for (const { source, target } of pairs) {
    it.live(
      `from ${source.name} to ${target.name} is found and pulled there by other tools`,
      () =>
        Effect.gen(function* () {
          const from = yield* start(source)
          const to = yield* start(target)
          const oras = yield* ifThere("oras", from.running, to.running)
          const store = yield* from.open("shop/api")
          const copy = yield* to.open("mirror/api")
          const { images, index } = yield* artifactIn(store, oras, `${from.host}/shop/api:v1`)
          const image = `${to.host}/mirror/api`

          const cosign = yield* Effect.transposeOption(
            Option.map(yield* ifThere("cosign", from.running, to.running), (tool) =>
              Effect.map(Cosign.offline(tool), (offline) => ({ ...tool, ...offline }))
            )
          )
          if (Option.isSome(cosign)) {
            const { run, signing } = cosign.value
            // The index under a tag, and an image by a bundle that refers to it: cosign looks for one of the two.
            yield* run("sign", ...signing, `${from.host}/shop/api@${index.digest}`)
            yield* run("sign", ...signing, "--new-bundle-format", `${from.host}/shop/api@${images[0]?.digest}`)
          }

          const done = yield* Copy.run(store, copy, "v1", { cosignTags: true })
          assert.strictEqual(done.root, index.digest)
          yield* completeAt(copy, "v1")
          const types = yield* typesAt(store, index.digest)
          assert.deepStrictEqual(yield* typesAt(copy, index.digest), types)
          assert.includeMembers(types.map(String), allTypes(oras).map(String))

          if (Option.isSome(oras)) {
            assert.deepStrictEqual(yield* orasTypes(oras.value, `${image}:v1`), types)
            const manifest = yield* oras.value.run("manifest", "fetch", "--descriptor", `${image}:v1`)
            assert.include(manifest, index.digest)
            yield* oras.value.run("copy", "--recursive", `${image}:v1`, `${to.host}/again/oras:v1`)
            assert.strictEqual(yield* rootOf(yield* to.open("again/oras"), "v1"), index.digest)
          }
          const regctl = yield* ifThere("regctl", to.running)
          if (Option.isSome(regctl)) {
            assert.deepStrictEqual(yield* regctlTypes(regctl.value, `${image}:v1`), types)
            assert.strictEqual((yield* regctl.value.run("image", "digest", `${image}:v1`)).trim(), index.digest)
            yield* regctl.value.run("image", "copy", "--referrers", `${image}:v1`, `${to.host}/again/regctl:v1`)
            assert.deepStrictEqual(yield* typesAt(yield* to.open("again/regctl"), index.digest), types)
          }
          const crane = yield* ifThere("crane", to.running)
          if (Option.isSome(crane)) {
            assert.strictEqual((yield* crane.value.run("digest", `${image}:v1`)).trim(), index.digest)
            yield* crane.value.run("copy", `${image}:v1`, `${to.host}/again/crane:v1`)
            assert.strictEqual(yield* rootOf(yield* to.open("again/crane"), "v1"), index.digest)
          }
          if (Option.isSome(cosign)) {
            const { bundle, run, verifying } = cosign.value
            yield* run("verify", ...verifying, `${image}:v1`)
            yield* run("verify", ...verifying, ...bundle, `${image}@${images[0]?.digest}`)
          }
          if (isInstalled("skopeo")) {
            const skopeo = yield* skopeoOf(to)
            const inspected = yield* skopeo.run("inspect", "--raw", ...skopeo.at(""), `docker://${image}:v1`)
            assert.include(inspected, String(images[0]?.digest))
            const all = ["--all", "--preserve-digests"]
            yield* skopeo.run(
              "copy",
              ...all,
              ...skopeo.at("src-"),
              `docker://${image}:v1`,
              `oci:${skopeo.home}/pulled:v1`
            )
            assert.strictEqual(yield* rootOf(yield* ImageLayout.open(join(skopeo.home, "pulled")), "v1"), index.digest)
          }
        }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
      120_000
    )
  }
})

describe("a layout of ours", () => {
  // regctl sends its login on to where blobs are, if that is the same host.
  const registry = installed.find(({ redirectsBlobs }) => !redirectsBlobs)

  it.live.runIf(registry !== undefined)(
    "is read by oras, regctl, crane and skopeo, with what refers to its images",
    () =>
      Effect.gen(function* () {
        if (registry === undefined) return
        const { open, running } = yield* start(registry)
        const oras = yield* ifThere("oras", running)
        const store = yield* open("shop/api")
        const { index } = yield* artifactIn(store, oras, `${running.loginServer}/shop/api:v1`)
        const folder = yield* temporaryFolder
        const layout = yield* ImageLayout.open(folder)
        yield* Copy.run(store, layout, "v1")
        const types = yield* typesAt(store, index.digest)
        assert.deepStrictEqual(yield* typesAt(layout, index.digest), types)

        if (Option.isSome(oras)) {
          assert.deepStrictEqual(yield* orasTypes(oras.value, "--oci-layout", `${folder}:v1`), types)
          yield* oras.value.run(
            "copy",
            "--recursive",
            "--from-oci-layout",
            `${folder}:v1`,
            `${running.loginServer}/from/oras:v1`
          )
          const pushed = yield* open("from/oras")
          assert.strictEqual(yield* rootOf(pushed, "v1"), index.digest)
          assert.deepStrictEqual(yield* typesAt(pushed, index.digest), types)
        }
        const regctl = yield* ifThere("regctl", running)
        if (Option.isSome(regctl)) {
          assert.deepStrictEqual(yield* regctlTypes(regctl.value, `ocidir://${folder}:v1`), types)
          const image = `${running.loginServer}/from/regctl:v1`
          yield* regctl.value.run("image", "copy", "--referrers", `ocidir://${folder}:v1`, image)
          const pushed = yield* open("from/regctl")
          assert.strictEqual(yield* rootOf(pushed, "v1"), index.digest)
          assert.deepStrictEqual(yield* typesAt(pushed, index.digest), types)
        }
        if (isInstalled("skopeo")) {
          const skopeo = yield* skopeoFor(running.loginServer, running.certificate)
          yield* skopeo.run("copy", "--all", "--preserve-digests", `oci:${folder}:v1`, `oci:${skopeo.home}/copied:v1`)
          assert.strictEqual(yield* rootOf(yield* ImageLayout.open(join(skopeo.home, "copied")), "v1"), index.digest)
        }
        const crane = yield* ifThere("crane", running)
        if (Option.isSome(crane)) {
          // crane pushes a layout whose index lists one manifest, and all that is in it.
          const alone = yield* temporaryFolder
          yield* Copy.run(layout, yield* ImageLayout.open(alone), "v1", { referrers: false })
          yield* crane.value.run("push", alone, `${running.loginServer}/from/crane:v1`)
          const pushed = yield* open("from/crane")
          assert.strictEqual(yield* rootOf(pushed, "v1"), index.digest)
        }
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
    120_000
  )

  it.live.runIf(registry !== undefined)(
    "is as good as one of oras, regctl, crane or skopeo: these are read, and copied back",
    () =>
      Effect.gen(function* () {
        if (registry === undefined) return
        const { open, running } = yield* start(registry)
        const oras = yield* ifThere("oras", running)
        const store = yield* open("shop/api")
        const image = `${running.loginServer}/shop/api:v1`
        const { index } = yield* artifactIn(store, oras, image)
        const types = yield* typesAt(store, index.digest)
        const home = yield* temporaryFolder

        const expectAll = (name: string, tag: string, expected: ReadonlyArray<string>) =>
          Effect.gen(function* () {
            const theirs = yield* ImageLayout.open(join(home, name))
            assert.strictEqual(yield* rootOf(theirs, tag), index.digest, name)
            assert.deepStrictEqual(yield* typesAt(theirs, index.digest), expected, name)
            const back = yield* open(`back/${name}`)
            yield* Copy.run(theirs, back, tag, { tags: ["v1"] })
            assert.strictEqual(yield* rootOf(back, "v1"), index.digest, name)
            assert.deepStrictEqual(yield* typesAt(back, index.digest), expected, name)
            // What we add leaves what was there.
            yield* Copy.run(store, theirs, "v1", { tags: ["ours"] })
            assert.deepStrictEqual(yield* typesAt(yield* ImageLayout.open(join(home, name)), index.digest), types, name)
            assert.strictEqual(yield* rootOf(theirs, tag), index.digest, name)
          })

        if (Option.isSome(oras)) {
          yield* oras.value.run("copy", "--recursive", image, "--to-oci-layout", `${home}/oras:v1`)
          yield* expectAll("oras", "v1", types)
        }
        const regctl = yield* ifThere("regctl", running)
        if (Option.isSome(regctl)) {
          yield* regctl.value.run("image", "copy", "--referrers", image, `ocidir://${home}/regctl:v1`)
          yield* expectAll("regctl", "v1", types)
        }
        const crane = yield* ifThere("crane", running)
        if (Option.isSome(crane)) {
          yield* crane.value.run("pull", "--format=oci", image, join(home, "crane"))
          yield* expectAll("crane", "@0", [])
        }
        if (isInstalled("skopeo")) {
          const skopeo = yield* skopeoOf({ running, open, host: running.loginServer })
          const all = ["--all", "--preserve-digests"]
          yield* skopeo.run("copy", ...all, ...skopeo.at("src-"), `docker://${image}`, `oci:${home}/skopeo:v1`)
          yield* expectAll("skopeo", "v1", [])
        }
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
    120_000
  )
})
