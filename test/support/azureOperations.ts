/**
 * What the operations of every client of Azure return on an emulator with some images, in the words of the programs under
 * `test/tools`.
 */
import { createHash } from "node:crypto"
import { join } from "node:path"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type AzureClient, commandOf } from "./azureClients.ts"
import { run, temporaryFolder } from "./command.ts"
import { start } from "./emulatorCommand.ts"

/** The flags by which the emulator has some repositories before. */
const seeds = ["alpine", "busybox", "nginx"].flatMap((name) => ["--seed", `${name}:v1`])

const sha256 = (content: Uint8Array | string): string => `sha256:${createHash("sha256").update(content).digest("hex")}`

/** More than two chunks of 4 MiB, and a byte. */
export const largeSize = 9 * 1024 * 1024 + 1

const large = Uint8Array.from({ length: largeSize }, (_, index) => index % 251)

export const largeDigest = sha256(large)

/** By twos, as the pages of a list are. */
const inTwos = (names: ReadonlyArray<string>): ReadonlyArray<ReadonlyArray<string>> =>
  names.flatMap((_, index) => (index % 2 === 0 ? [names.slice(index, index + 2)] : []))

const decodeDigests = Schema.decodeUnknownEffect(Schema.Tuple([Schema.String, Schema.String]))

/**
 * What all clients return. The digests of the two manifests are those that the program says, because each client writes
 * JSON otherwise.
 */
export const expected = Effect.fnUntraced(function* (
  operations: { readonly [name: string]: unknown },
  repository: string,
  repositories: ReadonlyArray<string>
) {
  const [first, second] = yield* decodeDigests(operations["digests"])
  return {
    digests: [first, second],
    manifest: { digest: first, size: "a layer".length, tags: ["v1", "v2"], canDelete: true },
    upload: [sha256("{}"), sha256("a layer")],
    "upload in chunks": largeDigest,
    "download in chunks": largeDigest,
    "download of a deleted blob": "404 BLOB_UNKNOWN",
    "put manifests": [first, first, second, second],
    "get manifest by tag": true,
    "get manifest by digest": true,
    "a missing manifest": "404 MANIFEST_UNKNOWN",
    "a manifest of a missing repository": "404 MANIFEST_UNKNOWN",
    repositories: [repositories],
    "repositories by two": inTwos(repositories),
    "tags by two": [["v1", "v2"], ["v3"]],
    "tags, newest first": [["v3"], ["v2"], ["v1"]],
    "tags, oldest first": [["v1"], ["v2"], ["v3"]],
    "manifests, newest first": [[`${second} v3`], [`${first} v1 v2`]],
    "manifests, oldest first": [[`${first} v1 v2`], [`${second} v3`]],
    "tags of a missing repository": "404 NAME_UNKNOWN",
    repository: { name: repository, manifests: 2, tags: 3, canDelete: true },
    tag: { name: "v1", digest: first, canDelete: true },
    "properties of a missing repository": "404 NAME_UNKNOWN",
    "properties of a missing manifest": "404 MANIFEST_UNKNOWN",
    "properties of a missing tag": "404 TAG_UNKNOWN",
    lock: [false, false, false],
    "deletion of what is locked": Array.from({ length: 3 }, () => "405 REGISTRY_DISALLOWED_OPERATION"),
    unlock: [true, true, true],
    "a deleted tag": "404 TAG_UNKNOWN",
    "a deleted manifest": "404 MANIFEST_UNKNOWN",
    "what is left": true,
    // These clients take a 404 for what was wanted.
    "deletion of what is missing": ["no error", "no error", "no error"],
    "a deleted repository": "404 NAME_UNKNOWN",
    "without a login": "401 UNAUTHORIZED",
    "with another token": "401"
  }
})

const decode = Schema.decodeEffect(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown)))

/** Runs it against an emulator of its own, over TLS, and returns what its operations returned. */
export const operationsOf = Effect.fnUntraced(function* (client: AzureClient) {
  const home = yield* temporaryFolder
  const certificateFile = join(home, "certificate.pem")
  const { ready } = yield* start("--https", "--ca-out", certificateFile, ...seeds)
  assert.deepInclude(ready, { blobs: "redirect", certificateFile })
  const { args, command } = commandOf(client)
  return yield* decode(
    yield* run(command, args, {
      cwd: home,
      env: {
        HOME: home,
        REGISTRY_ENDPOINT: ready.endpoint,
        ENTRA_TOKEN: ready.logins.entraToken,
        // The certificate of the emulator alone is trusted.
        SSL_CERT_FILE: certificateFile,
        REQUESTS_CA_BUNDLE: certificateFile
      }
    })
  )
}, Effect.scoped)
