/**
 * What Azure Container Registry really said of manifests and blobs: the client understands it, and the emulator says
 * the same.
 */
import {
  BlobSource,
  Credentials,
  Digest,
  RegistryContent,
  RegistryError,
  RetryPolicy,
  type Transport
} from "@effect-acr/client"
import { NodeRegistryHttpClient } from "@effect-acr/node"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as HttpClient from "effect/http/HttpClient"
import { assertBytes, at, cases, digestOf, entryOf, imageIn, locationOf } from "./support/contentCases.ts"
import { emulated } from "./support/emulator.ts"
import { assertAnswersAsRecorded } from "./support/recordedAnswers.ts"
import {
  compact,
  contentRecordings,
  type Entry,
  haveRecordings,
  header,
  isForm,
  isInsufficient,
  isOAuth,
  recording,
  replaying,
  type Sent,
  uriOf
} from "./support/recordings.ts"

/** All headers that storage gets: none of them tells who asks. */
const toldToStorage = new Set(["x-ms-client-request-id", "accept", "accept-encoding", "range", "user-agent"])

/** What holds of every request, besides what its entry was found by. */
const assertSent = (entry: Entry, { body, request, url }: Sent, endpoint: string) => {
  const what = `of ${request.method} ${url.href}`
  const recorded = (name: string) => header(entry.RequestHeaders, name)
  const mediaType = request.headers["content-type"]?.split(";", 1)[0]
  assert.strictEqual(mediaType, recorded("content-type"), `content-type ${what}`)
  // The tokens in forms are masked.
  if (!isForm(entry)) {
    const length = request.headers["content-length"] ?? String(body.length)
    assert.strictEqual(length, recorded("content-length") ?? "0", `content-length ${what}`)
  }
  // Where the registry named an address it is its own business what that holds.
  const isNamed = url.search.includes("_state=") || url.origin !== endpoint
  if (isNamed) assert.strictEqual(url.href, entry.RequestUri)
  if (request.method === "PATCH") {
    assert.strictEqual(request.headers["content-range"], header(entry.ResponseHeaders, "range"))
  }
  if (url.origin !== endpoint) {
    assert.deepStrictEqual(
      Object.keys(request.headers).filter((name) => !toldToStorage.has(name)),
      [],
      `headers ${what}`
    )
  }
  if (request.method === "GET" && url.pathname.includes("/manifests/") && entry.StatusCode === 200) {
    assert.include(request.headers["accept"], header(entry.ResponseHeaders, "content-type"))
  }
}

const isUpload = ({ RequestUri }: Entry): boolean => RequestUri.includes("/blobs/uploads/")

/**
 * The recorded clients sent the bytes of a blob, and then committed. This client sends both in one request, to the location of
 * the session, and the registry answers as it did to the commit.
 */
const committedAtOnce = (entries: ReadonlyArray<Entry>): ReadonlyArray<Entry> => {
  const sent = entries.filter((entry) => entry.RequestMethod === "PATCH")
  const commits = entries.filter((entry) => entry.RequestMethod === "PUT" && isUpload(entry))
  return entries
    .filter((entry) => !sent.includes(entry))
    .map((entry) => {
      const bytes = sent[commits.indexOf(entry)]
      return bytes === undefined ? entry : committing(bytes, entry)
    })
}

/** The request that sends these bytes with this commit. */
const committing = (bytes: Entry, commit: Entry): Entry => ({
  ...bytes,
  RequestMethod: "PUT",
  RequestUri: `${bytes.RequestUri}&digest=${encodeURIComponent(digestOf(bytes.sent))}`,
  StatusCode: commit.StatusCode,
  ResponseHeaders: commit.ResponseHeaders,
  ResponseBody: commit.ResponseBody,
  answered: commit.answered
})

const entraToken = Credentials.layerEntra(Effect.succeed(Redacted.make("entra-token")))

/** Runs an effect in conversation with a recording, all of which it must use. */
const against = Effect.fnUntraced(function* <A, E>(
  entries: ReadonlyArray<Entry>,
  effect: Effect.Effect<A, E, RegistryContent.RegistryContent | Transport.Transport>
) {
  const used = new Map<Entry, Sent>()
  const endpoint = entries.map((entry) => uriOf(entry).origin)[0] ?? ""
  // No wait, as nothing that is recorded comes of one.
  const retry = { ...RetryPolicy.defaultPolicy, schedule: Schedule.recurs(1) }
  const result = yield* effect.pipe(
    Effect.provide(
      RegistryContent.layer({ endpoint, retry }).pipe(
        Layer.provide(entraToken),
        Layer.provide(Layer.succeed(HttpClient.HttpClient, replaying(entries, used)))
      )
    )
  )
  used.forEach((sent, entry) => assertSent(entry, sent, endpoint))
  // A client that asks for the right scope ahead is never told that its token does not suffice.
  assert.deepStrictEqual(
    entries.filter((entry) => !used.has(entry) && !isInsufficient(entry)).map((entry) => entry.RequestUri),
    []
  )
  return result
})

describe("the client understands the recording", () => {
  for (const name of contentRecordings) {
    const { prepare = Effect.succeed, replay } = cases[name]
    it.effect.runIf(haveRecordings)(name, () =>
      Effect.gen(function* () {
        const entries = yield* prepare(yield* recording(name))
        yield* against(committedAtOnce(entries), replay(entries))
      })
    )
  }

  it.effect.runIf(haveRecordings)("and a manifest that says the same in other bytes is refused", () =>
    Effect.gen(function* () {
      const { prepare = Effect.succeed, replay } = cases["js/can_download_docker_manifest"]
      const recorded = yield* prepare(yield* recording("js/can_download_docker_manifest"))
      const original = yield* entryOf(recorded, "GET", 200)
      const entries = recorded.map((entry) =>
        entry === original ? { ...entry, answered: compact(entry.answered) } : entry
      )
      const error = yield* against(committedAtOnce(entries), Effect.flip(replay(entries)))
      assert.instanceOf(error, RegistryError.RegistryError)
      assert.deepInclude(error.reason, {
        _tag: "ContentMismatch",
        expected: digestOf(original.answered),
        actual: digestOf(compact(original.answered))
      })
    })
  )

  it.effect.runIf(haveRecordings)("and an upload begins anew where the registry says that it has nothing", () =>
    Effect.gen(function* () {
      const entries = yield* recording("go/TestBlobClient_GetUploadStatus")
      const opened = yield* entryOf(entries, "POST", 202)
      const status = yield* entryOf(entries, "GET", 204)
      const other = (yield* recording("js/can_upload_blob")).filter((entry) => !isOAuth(entry)).map(toHelloWorld)
      const sent = yield* entryOf(other, "PATCH", 202)
      const stored = yield* entryOf(other, "PUT", 201)

      // The first request with bytes meets with a fault, which is not recorded, and the blob does not exist. `0-0` then means that
      // nothing arrived. After the fault the bytes are sent before the commit, as they were recorded.
      const conversation = [
        ...entries.filter((entry) => entry.StatusCode === 401 || isOAuth(entry)),
        opened,
        { ...committing(at(sent, locationOf(opened)), stored), StatusCode: 500 },
        missing(sent),
        status,
        at(yield* entryOf(entries, "DELETE", 204), locationOf(status)),
        yield* entryOf(other, "POST", 202),
        sent,
        stored
      ]
      const descriptor = yield* against(
        conversation,
        Effect.flatMap(RegistryContent.RegistryContent, (content) =>
          content.uploadBlob("hello-world", BlobSource.fromBytes(sent.sent))
        )
      )
      assert.strictEqual(descriptor.digest, header(stored.ResponseHeaders, "docker-content-digest"))
    })
  )
})

const toHelloWorldText = (text: string): string =>
  text.replace("//myregistry.", "//azacrlivetest.").replace("/v2/oci-artifact/", "/v2/hello-world/")

/** The answer that the blob that was sent does not exist. */
const missing = (sent: Entry): Entry => ({
  ...sent,
  RequestMethod: "HEAD",
  RequestUri: new URL(`/v2/hello-world/blobs/${digestOf(sent.sent)}`, sent.RequestUri).href,
  RequestHeaders: { authorization: header(sent.RequestHeaders, "authorization") ?? "" },
  sent: new Uint8Array(),
  StatusCode: 404,
  ResponseHeaders: {},
  answered: new Uint8Array()
})

/** An entry about another repository of another registry, as if it had been recorded at this one. */
const toHelloWorld = (entry: Entry): Entry => ({
  ...entry,
  RequestUri: toHelloWorldText(entry.RequestUri),
  ResponseHeaders: Object.fromEntries(
    Object.keys(entry.ResponseHeaders).map((name) => [
      name,
      toHelloWorldText(header(entry.ResponseHeaders, name) ?? "")
    ])
  )
})

describe("the emulator answers as recorded", () => {
  for (const name of contentRecordings) {
    const { seed = () => Effect.void, wrongToken = false } = cases[name]
    it.live.runIf(haveRecordings)(name, () =>
      Effect.gen(function* () {
        const entries = yield* recording(name)
        yield* seed(entries)
        yield* assertAnswersAsRecorded(entries, { wrongToken })
      }).pipe(Effect.provide([emulated(), NodeRegistryHttpClient.layer]))
    )
  }
})

/** The digests that a registry stated in a recording. */
const digestsIn = (entries: ReadonlyArray<Entry>): ReadonlyArray<string> =>
  Array.from(
    new Set(entries.flatMap((entry) => header(entry.ResponseHeaders, "docker-content-digest") ?? []))
  ).toSorted()

describe("what was pushed then can be pushed again, and pulled", () => {
  const images = [
    {
      folder: "docker",
      recordedIn: "js/can_download_docker_manifest",
      mediaType: "application/vnd.docker.distribution.manifest.v2+json",
      /** It is the pushed manifest, white space and all. */
      asPushed: (manifest: Uint8Array) => manifest
    },
    {
      folder: "oci-artifact",
      recordedIn: "js/can_upload_oci_manifest",
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      // The file is indented: 567 bytes, whose digest is 04bc85af…. Azure's client parsed it and pushed what it wrote
      // itself, the same without white space: 402 bytes, whose digest is the 70e2ffca… of the recordings.
      asPushed: compact
    }
  ] as const

  for (const { asPushed, folder, mediaType, recordedIn } of images) {
    it.live.runIf(haveRecordings)(folder, () =>
      Effect.gen(function* () {
        const content = yield* RegistryContent.RegistryContent
        const { config, layer, layerName, manifest } = yield* imageIn(folder)
        const pushed = asPushed(manifest)
        assert.strictEqual(digestOf(layer), `sha256:${layerName}`)
        assert.deepStrictEqual(
          [config, layer, pushed].map(digestOf).toSorted(),
          digestsIn(yield* recording(recordedIn))
        )

        // The configuration of oci-artifact is gzip, in spite of its name, and is not to be unpacked.
        for (const blob of [layer, config]) {
          const uploaded = yield* content.uploadBlob(folder, BlobSource.fromBytes(blob))
          assert.strictEqual(uploaded.digest, digestOf(blob))
          assert.deepStrictEqual(yield* content.headBlob(folder, uploaded.digest), uploaded)
          assertBytes(yield* content.blobBytes(folder, uploaded), blob, "a blob with its size")
          const streamed = yield* Stream.runCollect(content.blob(folder, uploaded.digest))
          assertBytes(Buffer.concat(streamed), blob, "a blob by its digest")
        }

        // The file as it stands is a manifest too, only not the recorded one.
        for (const bytes of [pushed, manifest]) {
          const { descriptor: put } = yield* content.putManifest(folder, bytes, { mediaType, tag: "latest" })
          assert.strictEqual(String(put.mediaType), mediaType)
          assert.deepStrictEqual(put, {
            mediaType: put.mediaType,
            digest: Digest.Digest.make(digestOf(bytes)),
            size: bytes.length
          })
          assert.deepStrictEqual(yield* content.resolve(folder, "latest"), put)
          for (const reference of ["latest", put.digest]) {
            const pulled = yield* content.manifest(folder, reference)
            assertBytes(pulled.bytes, bytes, `the manifest ${reference}`)
            assert.deepStrictEqual(pulled.descriptor, put)
          }
        }
      }).pipe(Effect.provide(emulated()))
    )
  }
})
