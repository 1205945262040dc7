/**
 * The recordings of what Azure Container Registry says of manifests and blobs: how to have the same conversations.
 */
import { createHash } from "node:crypto"
import { BlobSource, type Operation, RegistryContent, Transport } from "@effect-acr/client"
import { AcrEmulator } from "@effect-acr/emulator"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { type ContentRecording, dataIn, type Entry, header, isOAuth, recording, uriOf } from "./recordings.ts"

export const digestOf = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`

export const assertBytes = (actual: Uint8Array, expected: Uint8Array, what: string) => {
  assert.strictEqual(Buffer.compare(actual, expected), 0, what)
}

/** The entries with this method and status that are about content. */
const entriesOf = (
  entries: ReadonlyArray<Entry>,
  method: Entry["RequestMethod"],
  status: number
): ReadonlyArray<Entry> =>
  entries.filter((entry) => !isOAuth(entry) && entry.RequestMethod === method && entry.StatusCode === status)

/** The first of them. */
export const entryOf = (
  entries: ReadonlyArray<Entry>,
  method: Entry["RequestMethod"],
  status: number
): Effect.Effect<Entry> => Effect.fromNullishOr(entriesOf(entries, method, status)[0]).pipe(Effect.orDie)

/** The digest that the registry states. */
const statedDigest = (entry: Entry): string => header(entry.ResponseHeaders, "docker-content-digest") ?? ""

export const locationOf = (entry: Entry): string =>
  new URL(header(entry.ResponseHeaders, "location") ?? "", entry.RequestUri).href

/** The repository and the name at the end of `/v2/<repository>/manifests/<name>` or `/v2/<repository>/blobs/<name>`. */
const named = (entry: Entry): { readonly repository: string; readonly name: string } => {
  const parts = /^\/v2\/(.+)\/(?:manifests|blobs)\/([^/]+)$/.exec(decodeURIComponent(uriOf(entry).pathname))
  return { repository: parts?.[1] ?? "", name: parts?.[2] ?? "" }
}

const Errors = Schema.Struct({ errors: Schema.Array(Schema.JsonObject) })

/** What a manifest says of its parts. */
const Parts = Schema.Struct({
  config: Schema.Struct({ mediaType: Schema.String, digest: Schema.String, size: Schema.Int }),
  layers: Schema.Array(Schema.Struct({ mediaType: Schema.String, digest: Schema.String, size: Schema.Int }))
})

/** Uploads what was uploaded, in the same order. */
const upload = Effect.fnUntraced(function* (entries: ReadonlyArray<Entry>, repository: string) {
  const content = yield* RegistryContent.RegistryContent
  const closed = entriesOf(entries, "PUT", 201).filter(({ RequestUri }) => RequestUri.includes("/blobs/uploads/"))
  const uploaded = yield* Effect.forEach(entriesOf(entries, "PATCH", 202), ({ sent }) =>
    content.uploadBlob(repository, BlobSource.fromBytes(sent))
  )
  assert.isAtLeast(uploaded.length, 1)
  assert.deepStrictEqual(
    uploaded.map(({ digest }) => String(digest)),
    closed.map(statedDigest)
  )
  return uploaded
})

/** Gets the manifest that the recorded client got. */
const getManifest = Effect.fnUntraced(function* (entries: ReadonlyArray<Entry>) {
  const content = yield* RegistryContent.RegistryContent
  const entry = yield* entryOf(entries, "GET", 200)
  const { name, repository } = named(entry)
  const { bytes, descriptor, manifest } = yield* content.manifest(repository, name)
  assertBytes(bytes, entry.answered, "the manifest")
  assert.strictEqual(descriptor.digest, statedDigest(entry))
  assert.strictEqual(descriptor.mediaType, header(entry.ResponseHeaders, "content-type"))
  assert.strictEqual(String(descriptor.size), header(entry.ResponseHeaders, "content-length"))
  const said = yield* Schema.decodeUnknownEffect(Parts)(entry.ResponseBody)
  assert.deepStrictEqual(yield* Schema.decodeUnknownEffect(Parts)(manifest), said)
  return { descriptor, said, repository }
})

/** The entry at another address: nothing was recorded there, but the registry says the same everywhere. */
export const at = (entry: Entry, RequestUri: string): Entry => ({ ...entry, RequestUri })

/** How a registry lets a session be given up: the token for it, and the deletion, at any address. */
const cancellation = Effect.fnUntraced(function* (address: string) {
  const entries = yield* recording("go/TestBlobClient_GetUploadStatus")
  const token = entries.filter((entry) => isOAuth(entry) && scopeOf(entry).endsWith(":delete"))
  return [...token, at(yield* entryOf(entries, "DELETE", 204), address)]
})

/** What the parts of a blob come to. */
const contentOf = (parts: ReadonlyArray<Entry>): Uint8Array => Buffer.concat(parts.map(({ answered }) => answered))

/** The entry of a form with other fields. */
const withForm = (entry: Entry, change: (fields: URLSearchParams) => void): Entry => {
  const fields = new URLSearchParams(new TextDecoder().decode(entry.sent))
  change(fields)
  return { ...entry, sent: new TextEncoder().encode(fields.toString()) }
}

const withoutTenant = (entry: Entry): Entry => withForm(entry, (fields) => fields.delete("tenant"))

const scopeOf = ({ sent }: Entry): string => new URLSearchParams(new TextDecoder().decode(sent)).get("scope") ?? ""

/** Asks an upload session how far it has come: uploads do so after a fault, other programs have no reason to. */
const askStatus = (
  path: string
): Operation.Operation<{ readonly range: string | undefined; readonly location: string | undefined }> => ({
  name: "askStatus",
  method: "GET",
  path,
  scopes: ["repository:hello-world:pull,push"],
  bucket: "read",
  missing: "upload",
  success: [204],
  repeat: "always",
  decode: ({ headers }) => Effect.succeed({ range: headers["range"], location: headers["location"] })
})

/** What a folder of `data` holds: the only file without a name of its own is the layer. */
export const imageIn = Effect.fnUntraced(function* (folder: "docker" | "oci-artifact") {
  const data = yield* dataIn(folder)
  const layer = Array.from(data.keys()).find((name) => !name.endsWith(".json")) ?? ""
  const file = (name: string) => Effect.orDie(Effect.fromNullishOr(data.get(name)))
  return {
    layerName: layer,
    layer: yield* file(layer),
    config: yield* file("config.json"),
    manifest: yield* file("manifest.json")
  }
})

/** Pushes what a folder of `data` holds, the manifest as it stands there. */
const pushImage = Effect.fnUntraced(function* (repository: string, folder: "docker" | "oci-artifact") {
  const content = yield* RegistryContent.RegistryContent
  const { config, layer, manifest } = yield* imageIn(folder)
  yield* Effect.forEach([layer, config], (blob) => content.uploadBlob(repository, BlobSource.fromBytes(blob)))
  yield* content.putManifest(repository, manifest)
})

/** A recording: how to have the same conversation, and what an emulator must hold for it. */
export interface Case {
  readonly replay: (
    entries: ReadonlyArray<Entry>
  ) => Effect.Effect<void, unknown, RegistryContent.RegistryContent | Transport.Transport>
  /** What is replayed, if not the recording as it is. */
  readonly prepare?: (entries: ReadonlyArray<Entry>) => Effect.Effect<ReadonlyArray<Entry>, unknown>
  readonly seed?: (
    entries: ReadonlyArray<Entry>
  ) => Effect.Effect<unknown, unknown, AcrEmulator.AcrEmulator | RegistryContent.RegistryContent>
  /** Whether the recorded login is none. */
  readonly wrongToken?: boolean
}

export const cases: { readonly [name in ContentRecording]: Case } = {
  "js/can_download_docker_manifest": {
    replay: Effect.fnUntraced(function* (entries) {
      const [layer, config] = yield* upload(entries, "library/hello-world")
      const { said } = yield* getManifest(entries)
      assert.deepStrictEqual(
        said.layers.map(({ digest, size }) => ({ digest, size })),
        [{ digest: String(layer?.digest), size: Number(layer?.size) }]
      )
      assert.strictEqual(said.config.digest, String(config?.digest))
    }),
    // The image had been there before.
    seed: () => pushImage("library/hello-world", "docker")
  },

  "js/can_upload_blob": {
    replay: Effect.fnUntraced(function* (entries) {
      const content = yield* RegistryContent.RegistryContent
      const [uploaded] = yield* upload(entries, "oci-artifact")
      const { name, repository } = named(yield* entryOf(entries, "GET", 307))
      assert.strictEqual(name, String(uploaded?.digest))
      const stored = yield* entryOf(entries, "GET", 200)
      assertBytes(yield* content.blobBytes(repository, name), stored.answered, "the blob")
      const [sent] = entriesOf(entries, "PATCH", 202)
      assertBytes(stored.answered, sent?.sent ?? new Uint8Array(), "what was uploaded")
    })
  },

  "js/can_upload_oci_manifest": {
    replay: Effect.fnUntraced(function* (entries) {
      const content = yield* RegistryContent.RegistryContent
      yield* upload(entries, "oci-artifact")
      const put = entriesOf(entries, "PUT", 201).find(({ RequestUri }) => RequestUri.includes("/manifests/"))
      const { sent } = yield* Effect.fromNullishOr(put)
      // It names no media type itself.
      const { descriptor: pushed } = yield* content.putManifest("oci-artifact", sent, {
        mediaType: "application/vnd.oci.image.manifest.v1+json"
      })
      const { descriptor, repository } = yield* getManifest(entries)
      assert.deepStrictEqual(descriptor, pushed)
      assert.strictEqual(yield* content.deleteManifest(repository, descriptor.digest), pushed.digest)
    })
  },

  "go/TestBlobClient_GetChunk": {
    replay: Effect.fnUntraced(function* (entries) {
      const content = yield* RegistryContent.RegistryContent
      const parts = entriesOf(entries, "GET", 206)
      // More than there is may be asked for: the second part ends with the blob.
      const read = yield* Effect.forEach(parts, (entry) => {
        const { name, repository } = named(entry)
        const [first = 0, last = 0] = (header(entry.RequestHeaders, "range") ?? "").match(/\d+/g)?.map(Number) ?? []
        return Stream.runCollect(content.blobRange(repository, name, { offset: first, length: last - first + 1 }))
      })
      assert.strictEqual(parts.length, 2)
      assertBytes(Buffer.concat(read.flat()), contentOf(parts), "the blob")
      assert.deepStrictEqual(
        parts.map((entry) => named(entry).name),
        [digestOf(contentOf(parts)), digestOf(contentOf(parts))]
      )
    }),
    seed: (entries) =>
      Effect.flatMap(RegistryContent.RegistryContent, (content) =>
        content.uploadBlob("alpine", BlobSource.fromBytes(contentOf(entriesOf(entries, "GET", 206))))
      )
  },

  "go/TestBlobClient_GetUploadStatus": {
    // An upload whose source asks for the status, and fails: its session is given up, as the recorded client did.
    replay: Effect.fnUntraced(function* (entries) {
      const content = yield* RegistryContent.RegistryContent
      const transport = yield* Transport.Transport
      const session = new URL(locationOf(yield* entryOf(entries, "POST", 202)))
      const asked = Effect.gen(function* () {
        const status = yield* transport.execute(askStatus(session.pathname + session.search))
        const recorded = yield* entryOf(entries, "GET", 204)
        assert.deepStrictEqual(status, {
          range: header(recorded.ResponseHeaders, "range"),
          location: header(recorded.ResponseHeaders, "location")
        })
        return yield* Effect.fail("there is no more" as const)
      })
      const error = yield* Effect.flip(
        content.uploadBlob("hello-world", BlobSource.fromStream(Stream.fromEffect(asked)))
      )
      assert.strictEqual(error, "there is no more")
    })
  },

  "go/TestBlobClient_MountBlob": {
    replay: Effect.fnUntraced(function* (entries) {
      const content = yield* RegistryContent.RegistryContent
      const { searchParams } = uriOf(yield* entryOf(entries, "POST", 202))
      const error = yield* Effect.flip(
        content.mountBlob("hello-world", {
          digest: searchParams.get("mount") ?? "",
          from: searchParams.get("from") ?? ""
        })
      )
      assert.strictEqual(error.reason._tag === "NotFound" ? error.reason.resource : error.reason._tag, "blob")
    }),
    // The recorded client left the session behind that was opened instead; ours gives it up.
    prepare: Effect.fnUntraced(function* (entries) {
      return [...entries, ...(yield* cancellation(locationOf(yield* entryOf(entries, "POST", 202))))]
    })
    // The registry held the blob, and still opened a session; the emulator does so only where it does not hold it.
  },

  "go/TestClient_GetManifest_wrongTag": {
    replay: Effect.fnUntraced(function* (entries) {
      const content = yield* RegistryContent.RegistryContent
      const entry = yield* entryOf(entries, "GET", 404)
      const { name, repository } = named(entry)
      const error = yield* Effect.flip(content.manifest(repository, name))
      const { errors } = yield* Schema.decodeUnknownEffect(Errors)(entry.ResponseBody)
      assert.strictEqual(error.reason._tag === "NotFound" ? error.reason.resource : error.reason._tag, "manifest")
      assert.strictEqual(error.response?.status, 404)
      assert.deepStrictEqual(error.response?.errors, errors)
      assert.strictEqual(error.response?.correlationId, header(entry.ResponseHeaders, "x-ms-correlation-request-id"))
    }),
    seed: () =>
      Effect.flatMap(AcrEmulator.AcrEmulator, (emulator) => emulator.seed({ repository: "alpine", tags: ["latest"] }))
  },

  "go/Test_authenticationClient_ExchangeAADAccessTokenForACRRefreshToken_fail": {
    replay: Effect.fnUntraced(function* (entries) {
      const content = yield* RegistryContent.RegistryContent
      const error = yield* Effect.flip(content.manifest("alpine", "wrong-tag"))
      assert.strictEqual(error.reason._tag, "Unauthenticated")
      assert.strictEqual(error.response?.status, 401)
      assert.deepStrictEqual(error.response?.errors, [])
      const [challenge] = entries
      assert.strictEqual(
        error.request?.url,
        `${challenge === undefined ? "" : uriOf(challenge).origin}/oauth2/exchange`
      )
    }),
    // A client exchanges no token before the registry has asked for one, which another recording of it has. That one was
    // refused for a tenant which our client never names: the token does.
    prepare: Effect.fnUntraced(function* (entries) {
      const challenge = yield* entryOf(yield* recording("go/TestClient_GetManifest_wrongTag"), "GET", 401)
      return [challenge, ...entries.map(withoutTenant)]
    }),
    wrongToken: true
  }
}
