/**
 * Faults in manifests, blobs, ACR's API and the names of things.
 */
import type { Fault } from "./fault.ts"

const folder = "packages/client/src"

export const content: ReadonlyArray<Fault> = [
  {
    wrong: "the digest that the registry states counts more than the one requested",
    file: `${folder}/internal/content/reading.ts`,
    find: "const expected = Digest.isDigest(reference) ? reference : stated",
    replace: "const expected = stated ?? (Digest.isDigest(reference) ? reference : undefined)"
  },
  {
    wrong: "a registry that stored another manifest goes unnoticed",
    file: `${folder}/internal/content/manifests.ts`,
    find: "      return yield* fail(operation, new ContentMismatch({ description, expected: digest, actual }))\n",
    replace: ""
  },
  {
    wrong: "a blob without a size fills the memory",
    file: `${folder}/internal/content/blobs.ts`,
    find: "return size > limitBytes ? tooLarge : Effect.void",
    replace: "return Effect.void"
  },
  {
    wrong: "content comes compressed, and does not match its digest",
    file: `${folder}/internal/api/distribution.ts`,
    find: 'const uncompressed = { "accept-encoding": "identity" }',
    replace: 'const uncompressed = { "accept-encoding": "gzip" }'
  },
  {
    wrong: "a blob is mounted with a token that may not read its repository",
    file: `${folder}/internal/api/distribution.ts`,
    find: "scopes: mount === undefined ? mayPush(repository) : [...mayPush(repository), ...mayPull(mount.from)]",
    replace: "scopes: mayPush(repository)"
  },
  {
    wrong: "the second page of the tags of a manifest holds those of all manifests",
    file: `${folder}/internal/api/management.ts`,
    find: "next: Option.map(page.next, (link) => askingFor(link, wanted))",
    replace: "next: Option.map(page.next, (link) => link)"
  },
  {
    wrong: "a repository is deleted twice, and the result does not say what was deleted",
    file: `${folder}/internal/api/management.ts`,
    find: '  repeat: "unprocessed",\n  decode: deletedRepository',
    replace: '  repeat: "always",\n  decode: deletedRepository'
  },
  {
    wrong: "a restore is sent again when its answer is lost",
    file: `${folder}/internal/api/management.ts`,
    find: '  repeat: "unprocessed",\n  decode: restoredManifest(digest)',
    replace: '  repeat: "always",\n  decode: restoredManifest(digest)'
  },
  {
    wrong: "a restore of another manifest is taken for done",
    file: `${folder}/internal/api/management.ts`,
    find: "restored.digest === digest",
    replace: "true"
  },
  {
    wrong: "an odd result of a scan costs the record of its manifest",
    file: `${folder}/internal/api/properties.ts`,
    find: "quarantineState: Schema.optionalKey(Schema.Unknown)",
    replace: "quarantineState: Schema.optionalKey(Schema.String)"
  },
  {
    wrong: "a manifest that is an image and an index at once is accepted",
    file: `${folder}/Manifest.ts`,
    find: 'ImageManifest.check(unambiguous("manifests"), ',
    replace: "ImageManifest.check("
  },
  {
    wrong: "the configuration of an image is not among its blobs",
    file: `${folder}/Manifest.ts`,
    find: "blobs: [manifest.config, ...manifest.layers]",
    replace: "blobs: manifest.layers"
  },
  {
    wrong: "one digest has several spellings",
    file: `${folder}/Digest.ts`,
    find: "Schema.isPattern(/^(?:sha256:[0-9a-f]{64}|",
    replace: "Schema.isPattern(/^(?:sha256:[0-9a-fA-F]{64}|"
  },
  {
    wrong: "a repository of several parts loses the first of them",
    file: `${folder}/Reference.ts`,
    find: 'const slash = input.indexOf("/")',
    replace: 'const slash = input.lastIndexOf("/")'
  },
  {
    wrong: "bytes of a file that are being sent are written over",
    file: `${folder}/BlobSource.ts`,
    find: "const inBetween = 4",
    replace: "const inBetween = 1"
  },
  {
    wrong: "a stream that is read from an offset has the wrong bytes",
    file: `${folder}/BlobSource.ts`,
    find: "left = Math.max(0, left - piece.length)",
    replace: "left -= piece.length"
  },
  {
    wrong: "a registry leads the client to where it is not itself",
    file: `${folder}/Outbound.ts`,
    find: '=> target === "public" || target === registry',
    replace: "=> true"
  }
]
