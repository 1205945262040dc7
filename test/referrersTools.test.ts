/**
 * Referrers and signatures of oras, regctl, cosign and crane beside ours, against each registry of the tests: we list what
 * they attach, and they list what we attach.
 */
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as BlobSource from "@effect-acr/client/BlobSource"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import { RegistryContent } from "@effect-acr/client/RegistryContent"
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { isInstalled } from "./support/command.ts"
import * as Cosign from "./support/cosign.ts"
import { pushImage } from "./support/dockerRegistryImage.ts"
import * as Registries from "./support/registries.ts"
import { skopeoFor } from "./support/skopeo.ts"
import { isThere, type ToolName, toolFor } from "./support/tools.ts"

const sbom = MediaType.MediaType.make("application/spdx+json")
const report = MediaType.MediaType.make("application/vnd.contoso.report.v1")

/** The types of what cosign attaches. */
const cosignSignature = "application/vnd.dev.cosign.artifact.sig.v1+json"
const cosignSbom = "application/vnd.dev.cosign.artifact.sbom.v1+json"
const sigstoreBundle = "application/vnd.dev.sigstore.bundle.v0.3+json"

/** The annotation that tells the attachments of a test apart. */
const key = "org.example.name"

/** What the tools say of a referrer. */
const Entry = Schema.Struct({
  digest: Schema.String,
  artifactType: Schema.optionalKey(Schema.String),
  annotations: Schema.optionalKey(Schema.Record(Schema.String, Schema.String))
})

/** Type and name of each attachment, in an order that does not depend on the registry. */
const summary = (entries: ReadonlyArray<typeof Entry.Type>): ReadonlyArray<string> =>
  entries.map(({ annotations, artifactType }) => `${annotations?.[key]}: ${artifactType}`).toSorted()

const fallbackTag = (digest: string) => digest.replace(":", "-")

/** A tool with its files, and the host of the registry that it is to use. */
const use = (name: ToolName) =>
  Effect.gen(function* () {
    const registry = yield* Registries.Running
    const tool = yield* toolFor(name, registry)
    yield* Effect.promise(() => writeFile(join(tool.home, "file.json"), `{"by":"${name}"}`))
    return { ...tool, host: registry.loginServer }
  })

type Tool = Effect.Success<ReturnType<typeof use>>

/** An image with the tag `v1`. */
const imageIn = (repository: string) =>
  Effect.map(pushImage(repository, { tags: ["v1"] }), ({ descriptor }) => descriptor)

/** What this client lists. */
const listed = (repository: string, reference: string, artifactType?: string) =>
  Effect.flatMap(RegistryContent, (content) =>
    Stream.runCollect(content.referrers(repository, reference, artifactType === undefined ? {} : { artifactType }))
  )

const ours = (repository: string, reference: string, artifactType?: string) =>
  Effect.map(listed(repository, reference, artifactType), summary)

/** Attaches a small file to a manifest. */
const attach = Effect.fnUntraced(function* (
  repository: string,
  subject: Descriptor,
  artifactType: MediaType.MediaType,
  name: string
) {
  const content = yield* RegistryContent
  const config = yield* content.uploadBlob(repository, BlobSource.fromString("{}"), { mediaType: MediaType.ociEmpty })
  const file = yield* content.uploadBlob(repository, BlobSource.fromString(name), { mediaType: artifactType })
  const { descriptor } = yield* content.putManifest(
    repository,
    Manifest.image({ config, layers: [file], artifactType, subject, annotations: { [key]: name } })
  )
  return descriptor
})

const OrasList = Schema.fromJsonString(Schema.Struct({ referrers: Schema.Array(Entry) }))

const orasAttach = (oras: Tool, image: string, artifactType: string, name: string, ...more: ReadonlyArray<string>) =>
  oras.run("attach", image, "--artifact-type", artifactType, "--annotation", `${key}=${name}`, ...more, "file.json")

const orasList = (oras: Tool, image: string, ...more: ReadonlyArray<string>) =>
  oras.run("discover", "--format", "json", ...more, image).pipe(
    Effect.flatMap(Schema.decodeEffect(OrasList)),
    Effect.map(({ referrers }) => summary(referrers))
  )

const RegctlList = Schema.fromJsonString(Schema.NullOr(Schema.Array(Entry)))

const regctlAttach = (
  regctl: Tool,
  image: string,
  artifactType: string,
  name: string,
  ...more: ReadonlyArray<string>
) =>
  regctl.run(
    "artifact",
    "put",
    "--subject",
    image,
    "--artifact-type",
    artifactType,
    "--annotation",
    `${key}=${name}`,
    "--file",
    "file.json",
    ...more
  )

const regctlList = (regctl: Tool, image: string, ...more: ReadonlyArray<string>) =>
  regctl.run("artifact", "list", image, "--format", "{{json .Descriptors}}", ...more).pipe(
    Effect.flatMap(Schema.decodeEffect(RegctlList)),
    Effect.map((entries) => summary(entries ?? []))
  )

/** The digest of the attachment with this name, as this client lists it. */
const digestOf = (repository: string, reference: string, name: string) =>
  Effect.map(listed(repository, reference), (all) => {
    const found = all.find(({ annotations }) => annotations?.[key] === name)
    assert(found !== undefined, `${name} is not listed`)
    return found.digest
  })

/** The entries under the tag that clients keep for a subject. */
const taggedEntries = Effect.fnUntraced(function* (repository: string, subject: string) {
  const { manifest } = yield* (yield* RegistryContent).manifest(repository, fallbackTag(subject))
  assert(manifest._tag === "ImageIndex")
  return summary(manifest.manifests)
})

const tagsOf = (repository: string) =>
  Effect.flatMap(RegistryContent, (content) =>
    Effect.map(Stream.runCollect(content.tags(repository)), (tags) => tags.map(String).toSorted())
  )

/** cosign with a key, without the public log of signatures. */
const cosignOffline = Effect.gen(function* () {
  const cosign = yield* use("cosign")
  const offline = yield* Cosign.offline(cosign)
  return { ...cosign, ...offline, experimental: cosign.runWith({ COSIGN_EXPERIMENTAL: "1" }) }
})

const predicate = ["--type", "spdxjson", "--predicate", "file.json"]

describe("referrers of other tools", () => {
  for (const registry of Registries.registries) {
    describe.runIf(registry.isThere)(`with ${registry.name}`, () => {
      layer(Layer.merge(registry.layer, NodeFileSystem.layer), { excludeTestServices: true })((it) => {
        it.effect.runIf(isThere("oras"))("oras attaches, and we list it until oras deletes it", () =>
          Effect.gen(function* () {
            const oras = yield* use("oras")
            const repository = "oras/theirs"
            const image = `${oras.host}/${repository}`
            const subject = yield* imageIn(repository)
            const { digest } = subject
            yield* orasAttach(oras, `${image}:v1`, sbom, "one")
            yield* orasAttach(oras, `${image}:v1`, report, "two")

            assert.deepStrictEqual(yield* ours(repository, "v1"), [`one: ${sbom}`, `two: ${report}`])
            assert.deepStrictEqual(yield* ours(repository, digest, report), [`two: ${report}`])

            yield* oras.run("manifest", "delete", "--force", `${image}@${yield* digestOf(repository, digest, "two")}`)
            assert.deepStrictEqual(yield* ours(repository, digest), [`one: ${sbom}`])
            yield* oras.run("manifest", "delete", "--force", `${image}@${yield* digestOf(repository, digest, "one")}`)
            assert.deepStrictEqual(yield* ours(repository, digest), [])
            // oras leaves an empty list.
            if (!registry.hasReferrersApi) assert.deepStrictEqual(yield* taggedEntries(repository, digest), [])
            yield* attach(repository, subject, report, "ours")
            assert.deepStrictEqual(yield* ours(repository, digest), [`ours: ${report}`])
          })
        )

        it.effect.runIf(isThere("oras"))("we attach, and oras lists it until we delete it", () =>
          Effect.gen(function* () {
            const content = yield* RegistryContent
            const oras = yield* use("oras")
            const repository = "oras/ours"
            const image = `${oras.host}/${repository}:v1`
            const subject = yield* imageIn(repository)
            const one = yield* attach(repository, subject, sbom, "one")
            const two = yield* attach(repository, subject, report, "two")

            assert.deepStrictEqual(yield* orasList(oras, image), [`one: ${sbom}`, `two: ${report}`])
            assert.deepStrictEqual(yield* orasList(oras, image, "--artifact-type", report), [`two: ${report}`])

            yield* content.deleteManifest(repository, one.digest)
            assert.deepStrictEqual(yield* orasList(oras, image), [`two: ${report}`])
            yield* content.deleteManifest(repository, two.digest)
            assert.deepStrictEqual(yield* orasList(oras, image), [])
            // The list that we left is empty.
            yield* orasAttach(oras, image, sbom, "three")
            assert.deepStrictEqual(yield* ours(repository, "v1"), [`three: ${sbom}`])
          })
        )

        it.effect.runIf(isThere("regctl"))("regctl attaches, and we list it until regctl deletes it", () =>
          Effect.gen(function* () {
            const regctl = yield* use("regctl")
            const repository = "regctl/theirs"
            const image = `${regctl.host}/${repository}`
            const { digest } = yield* imageIn(repository)
            yield* regctlAttach(regctl, `${image}:v1`, sbom, "one")
            yield* regctlAttach(regctl, `${image}:v1`, report, "two")

            assert.deepStrictEqual(yield* ours(repository, "v1"), [`one: ${sbom}`, `two: ${report}`])
            assert.deepStrictEqual(yield* ours(repository, digest, report), [`two: ${report}`])

            for (const name of ["two", "one"]) {
              const attached = yield* digestOf(repository, digest, name)
              yield* regctl.run("manifest", "delete", "--referrers", `${image}@${attached}`)
              assert.deepStrictEqual(yield* ours(repository, digest), name === "two" ? [`one: ${sbom}`] : [])
            }
            // regctl deletes the tag together with the last entry.
            assert.deepStrictEqual(yield* tagsOf(repository), ["v1"])
          })
        )

        it.effect.runIf(isThere("regctl"))("regctl deletes without a look at referrers, and we list it no more", () =>
          Effect.gen(function* () {
            const regctl = yield* use("regctl")
            const repository = "regctl/careless"
            const image = `${regctl.host}/${repository}`
            const { digest } = yield* imageIn(repository)
            yield* regctlAttach(regctl, `${image}:v1`, sbom, "one")
            yield* regctlAttach(regctl, `${image}:v1`, report, "two")
            yield* regctl.run("manifest", "delete", `${image}@${yield* digestOf(repository, digest, "one")}`)
            assert.deepStrictEqual(yield* ours(repository, digest), [`two: ${report}`])
            if (!registry.hasReferrersApi) {
              assert.deepStrictEqual(yield* taggedEntries(repository, digest), [`one: ${sbom}`, `two: ${report}`])
            }
          })
        )

        it.effect.runIf(isThere("regctl"))("we attach, and regctl lists it until we delete it", () =>
          Effect.gen(function* () {
            const content = yield* RegistryContent
            const regctl = yield* use("regctl")
            const repository = "regctl/ours"
            const image = `${regctl.host}/${repository}:v1`
            const subject = yield* imageIn(repository)
            const one = yield* attach(repository, subject, sbom, "one")
            const two = yield* attach(repository, subject, report, "two")

            const byType = ["--filter-artifact-type", report]
            assert.deepStrictEqual(yield* regctlList(regctl, image), [`one: ${sbom}`, `two: ${report}`])
            assert.deepStrictEqual(yield* regctlList(regctl, image, ...byType), [`two: ${report}`])
            // regctl sends its login on to where blobs are, if that is the same host.
            if (!registry.redirectsBlobs) {
              assert.strictEqual(yield* regctl.run("artifact", "get", "--subject", image, ...byType), "two")
            }

            yield* content.deleteManifest(repository, one.digest)
            assert.deepStrictEqual(yield* regctlList(regctl, image), [`two: ${report}`])
            yield* content.deleteManifest(repository, two.digest)
            assert.deepStrictEqual(yield* regctlList(regctl, image), [])
          })
        )

        it.effect.runIf(isThere("oras") && isThere("regctl"))(
          "oras, regctl and we attach to one image in turn, delete each other's, and all list the same",
          () =>
            Effect.gen(function* () {
              const content = yield* RegistryContent
              const oras = yield* use("oras")
              const regctl = yield* use("regctl")
              const repository = "mixed/writers"
              const image = `${oras.host}/${repository}:v1`
              const subject = yield* imageIn(repository)

              const expectAll = Effect.fnUntraced(function* (expected: ReadonlyArray<string>) {
                assert.deepStrictEqual(yield* ours(repository, "v1"), expected)
                assert.deepStrictEqual(yield* orasList(oras, image), expected)
                assert.deepStrictEqual(yield* regctlList(regctl, image), expected)
                if (!registry.hasReferrersApi) {
                  assert.deepStrictEqual(yield* taggedEntries(repository, subject.digest), expected)
                }
              })

              yield* orasAttach(oras, image, sbom, "oras 1")
              yield* attach(repository, subject, sbom, "ours 1")
              yield* regctlAttach(regctl, image, sbom, "regctl 1")
              yield* attach(repository, subject, report, "ours 2")
              yield* orasAttach(oras, image, report, "oras 2")
              yield* regctlAttach(regctl, image, report, "regctl 2")
              yield* expectAll([
                `oras 1: ${sbom}`,
                `oras 2: ${report}`,
                `ours 1: ${sbom}`,
                `ours 2: ${report}`,
                `regctl 1: ${sbom}`,
                `regctl 2: ${report}`
              ])

              const at = (name: string) =>
                Effect.map(digestOf(repository, "v1", name), (digest) => `${oras.host}/${repository}@${digest}`)
              yield* oras.run("manifest", "delete", "--force", yield* at("ours 1"))
              yield* regctl.run("manifest", "delete", "--referrers", yield* at("oras 2"))
              yield* content.deleteManifest(repository, yield* digestOf(repository, "v1", "regctl 1"))
              yield* expectAll([`oras 1: ${sbom}`, `ours 2: ${report}`, `regctl 2: ${report}`])
            })
        )

        it.effect.runIf(isThere("oras") && isThere("regctl"))(
          "oras and regctl copy an image with what is attached to it, and we list that at the copy",
          () =>
            Effect.gen(function* () {
              const oras = yield* use("oras")
              const regctl = yield* use("regctl")
              const source = `${oras.host}/copies/source:v1`
              const subject = yield* imageIn("copies/source")
              yield* orasAttach(oras, source, sbom, "oras")
              yield* regctlAttach(regctl, source, report, "regctl")
              yield* attach("copies/source", subject, sbom, "ours")

              yield* oras.run("copy", "--recursive", source, `${oras.host}/copies/oras:v1`)
              yield* regctl.run("image", "copy", "--referrers", source, `${regctl.host}/copies/regctl:v1`)
              for (const repository of ["copies/oras", "copies/regctl"]) {
                const expected = [`oras: ${sbom}`, `ours: ${sbom}`, `regctl: ${report}`]
                assert.deepStrictEqual(yield* ours(repository, "v1"), expected)
                assert.deepStrictEqual(yield* ours(repository, "v1", report), [`regctl: ${report}`])
              }
            })
        )

        it.effect.runIf(isThere("oras"))(
          "oras attaches by the tag whatever the registry has, and we list it once",
          () =>
            Effect.gen(function* () {
              const content = yield* RegistryContent
              const oras = yield* use("oras")
              const repository = "oras/tag"
              const image = `${oras.host}/${repository}:v1`
              const subject = yield* imageIn(repository)
              yield* attach(repository, subject, report, "ours")
              yield* orasAttach(oras, image, sbom, "oras", "--distribution-spec", "v1.1-referrers-tag")
              assert.deepStrictEqual(yield* ours(repository, "v1"), [`oras: ${sbom}`, `ours: ${report}`])
              assert.include(yield* taggedEntries(repository, subject.digest), `oras: ${sbom}`)

              yield* content.deleteManifest(repository, yield* digestOf(repository, "v1", "oras"))
              assert.deepStrictEqual(yield* ours(repository, "v1"), [`ours: ${report}`])
            })
        )

        it.effect.runIf(isThere("oras") && isThere("regctl"))(
          "oras and regctl attach to a platform of an image, and we list it for that platform",
          () =>
            Effect.gen(function* () {
              const content = yield* RegistryContent
              const { certificate, login, loginServer } = yield* Registries.Running
              const oras = yield* use("oras")
              const regctl = yield* use("regctl")
              const amd64 = yield* pushImage("platforms/source", { architecture: "amd64" })
              const arm64 = yield* pushImage("platforms/source", { architecture: "arm64" })
              const index = yield* content.putManifest(
                "platforms/source",
                Manifest.index({
                  manifests: [
                    { ...amd64.descriptor, platform: { os: "linux", architecture: "amd64" } },
                    { ...arm64.descriptor, platform: { os: "linux", architecture: "arm64" } }
                  ]
                }),
                { tags: ["v1"] }
              )
              let repository = "platforms/source"
              if (isInstalled("skopeo")) {
                repository = "platforms/copy"
                const skopeo = yield* skopeoFor(loginServer, certificate)
                const user = login === undefined ? [] : [`${login.username}:${Redacted.value(login.password)}`]
                yield* skopeo.run(
                  "copy",
                  "--all",
                  "--preserve-digests",
                  "--src-cert-dir",
                  skopeo.certificates,
                  "--dest-cert-dir",
                  skopeo.certificates,
                  ...user.flatMap((user) => ["--src-creds", user, "--dest-creds", user]),
                  `${skopeo.registry}/platforms/source:v1`,
                  `${skopeo.registry}/${repository}:v1`
                )
              }
              const image = `${loginServer}/${repository}:v1`

              yield* orasAttach(oras, image, sbom, "oras", "--platform", "linux/arm64")
              yield* regctlAttach(regctl, image, sbom, "regctl", "--platform", "linux/amd64")
              yield* attach(repository, arm64.descriptor, report, "ours")
              yield* attach(repository, index.descriptor, report, "of all")

              const ofArm64 = [`oras: ${sbom}`, `ours: ${report}`]
              assert.deepStrictEqual(yield* ours(repository, arm64.descriptor.digest), ofArm64)
              assert.deepStrictEqual(yield* orasList(oras, image, "--platform", "linux/arm64"), ofArm64)
              assert.deepStrictEqual(yield* regctlList(regctl, image, "--platform", "linux/arm64"), ofArm64)
              assert.deepStrictEqual(yield* ours(repository, amd64.descriptor.digest), [`regctl: ${sbom}`])
              assert.deepStrictEqual(yield* ours(repository, "v1"), [`of all: ${report}`])
              assert.deepStrictEqual(yield* orasList(oras, image), [`of all: ${report}`])
              assert.deepStrictEqual(yield* regctlList(regctl, image), [`of all: ${report}`])
            })
        )

        it.effect.runIf(isThere("cosign"))("cosign's signatures and attestations under tags are no referrers", () =>
          Effect.gen(function* () {
            const cosign = yield* cosignOffline
            const repository = "cosign/tags"
            const subject = yield* imageIn(repository)
            const image = `${cosign.host}/${repository}@${subject.digest}`
            const tag = fallbackTag(subject.digest)
            yield* cosign.run("sign", ...cosign.signing, image)
            yield* cosign.run("attest", ...cosign.signing, ...predicate, image)
            yield* cosign.run("attach", "sbom", "--sbom", "file.json", image)
            assert.deepStrictEqual(yield* ours(repository, "v1"), [])
            assert.deepStrictEqual(yield* tagsOf(repository), [`${tag}.att`, `${tag}.sbom`, `${tag}.sig`, "v1"])

            yield* attach(repository, subject, sbom, "ours")
            yield* cosign.run("verify", ...cosign.verifying, image)
            yield* cosign.run("verify-attestation", ...cosign.verifying, "--type", "spdxjson", image)
            assert.deepStrictEqual(yield* ours(repository, "v1"), [`ours: ${sbom}`])
          })
        )

        it.effect.runIf(isThere("cosign"))("cosign's signatures of OCI 1.1 are referrers", () =>
          Effect.gen(function* () {
            const content = yield* RegistryContent
            const cosign = yield* cosignOffline
            const repository = "cosign/signatures"
            const subject = yield* imageIn(repository)
            const image = `${cosign.host}/${repository}@${subject.digest}`
            const asReferrer = "--registry-referrers-mode=oci-1-1"
            const verify = cosign.run("verify", ...cosign.verifying, "--experimental-oci11", image)
            yield* attach(repository, subject, report, "ours 1")
            yield* cosign.experimental("sign", ...cosign.signing, asReferrer, image)
            yield* cosign.experimental("attach", "sbom", asReferrer, "--sbom", "file.json", image)
            yield* attach(repository, subject, sbom, "ours 2")

            assert.deepStrictEqual(yield* ours(repository, "v1"), [
              `ours 1: ${report}`,
              `ours 2: ${sbom}`,
              `undefined: ${cosignSbom}`,
              `undefined: ${cosignSignature}`
            ])
            const [signature, ...others] = yield* listed(repository, "v1", cosignSignature)
            assert.deepStrictEqual([signature?.artifactType, ...others], [cosignSignature])
            assert(signature !== undefined)
            const tree = yield* cosign.run("tree", "--experimental-oci11", image)
            for (const type of [report, sbom, cosignSignature, cosignSbom]) assert.include(tree, `${type} artifacts`)

            yield* verify
            yield* content.deleteManifest(repository, signature.digest)
            assert.include((yield* Effect.flip(verify)).stderr, "no signatures found")
            assert.deepStrictEqual(yield* listed(repository, "v1", cosignSignature), [])
          })
        )

        it.effect.runIf(isThere("cosign"))("cosign's bundles are referrers", () =>
          Effect.gen(function* () {
            const cosign = yield* cosignOffline
            const repository = "cosign/bundles"
            const subject = yield* imageIn(repository)
            const image = `${cosign.host}/${repository}@${subject.digest}`
            yield* cosign.run("sign", ...cosign.signing, "--new-bundle-format", image)
            yield* attach(repository, subject, sbom, "ours")
            yield* cosign.run("attest", ...cosign.signing, "--new-bundle-format", ...predicate, image)

            const bundles = yield* listed(repository, "v1", sigstoreBundle)
            assert.deepStrictEqual(
              bundles.map(({ annotations }) => annotations?.["dev.sigstore.bundle.predicateType"]).toSorted(),
              ["https://sigstore.dev/cosign/sign/v1", "https://spdx.dev/Document"]
            )
            assert.deepStrictEqual(yield* ours(repository, "v1", sbom), [`ours: ${sbom}`])
            if (!registry.hasReferrersApi) {
              assert.include(yield* taggedEntries(repository, subject.digest), `ours: ${sbom}`)
            }
            assert.deepStrictEqual(
              yield* tagsOf(repository),
              registry.hasReferrersApi ? ["v1"] : [fallbackTag(subject.digest), "v1"]
            )
            yield* cosign.run("verify", ...cosign.verifying, ...cosign.bundle, image)
            yield* cosign.run("verify-attestation", ...cosign.verifying, ...cosign.bundle, "--type", "spdxjson", image)
          })
        )

        it.effect.runIf(isThere("cosign"))(
          "cosign gives a copy the tag of its referrers, which we do not replace",
          () =>
            Effect.gen(function* () {
              const content = yield* RegistryContent
              const cosign = yield* use("cosign")
              const repository = "cosign/copy"
              const subject = yield* imageIn("cosign/source")
              yield* cosign.run("copy", `${cosign.host}/cosign/source:v1`, `${cosign.host}/${repository}:v1`)
              const tag = fallbackTag(subject.digest)
              const tagged = Effect.map(content.resolve(repository, tag), ({ digest }) => digest)
              assert.strictEqual(yield* tagged, subject.digest)
              assert.deepStrictEqual(yield* ours(repository, "v1"), [])

              const attaching = attach(repository, subject, sbom, "ours")
              if (registry.hasReferrersApi) {
                yield* attaching
                assert.deepStrictEqual(yield* ours(repository, "v1"), [`ours: ${sbom}`])
                return
              }
              const { completed, reason } = yield* Effect.flip(attaching)
              assert.strictEqual(reason._tag, "Refused")
              assert.include(completed ?? "", "was pushed")
              assert.strictEqual(yield* tagged, subject.digest)
              if (!isThere("oras")) return
              // oras replaces the tag with a list.
              const oras = yield* use("oras")
              yield* orasAttach(oras, `${oras.host}/${repository}:v1`, report, "oras")
              yield* attaching
              assert.deepStrictEqual(yield* ours(repository, "v1"), [`oras: ${report}`, `ours: ${sbom}`])
            })
        )

        it.effect.runIf(isThere("crane"))("crane copies a referrer, and we list it until crane deletes it", () =>
          Effect.gen(function* () {
            const crane = yield* use("crane")
            const subject = yield* imageIn("crane/source")
            const attached = yield* attach("crane/source", subject, sbom, "copied")
            const repository = "crane/copy"
            const copy = `${crane.host}/${repository}`
            yield* crane.run("copy", `${crane.host}/crane/source:v1`, `${copy}:v1`)
            yield* attach(repository, subject, report, "ours")
            yield* crane.run("copy", `${crane.host}/crane/source@${attached.digest}`, `${copy}:sbom`)

            assert.deepStrictEqual(yield* ours(repository, "v1"), [`copied: ${sbom}`, `ours: ${report}`])
            assert.deepStrictEqual(yield* ours(repository, "v1", sbom), [`copied: ${sbom}`])

            yield* crane.run("delete", `${copy}@${attached.digest}`)
            assert.deepStrictEqual(yield* ours(repository, "v1"), [`ours: ${report}`])
            if (!registry.hasReferrersApi) {
              // crane leaves the entry of what it deletes.
              assert.deepStrictEqual(yield* taggedEntries(repository, subject.digest), [
                `copied: ${sbom}`,
                `ours: ${report}`
              ])
            }
          })
        )
      })
    })
  }
})
