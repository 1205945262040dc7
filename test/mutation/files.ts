/**
 * Faults in archives of images, and in artifacts of files and folders.
 */
import type { Fault } from "./fault.ts"

const internal = "packages/artifacts/src/internal"

export const files: ReadonlyArray<Fault> = [
  {
    wrong: "a link of an archive leads to files outside of it",
    file: `${internal}/entryNames.ts`,
    find: 'if (target.startsWith("/")) return Option.none()',
    replace: 'if (target === "") return Option.none()'
  },
  {
    wrong: "an archive that is cut off within a file is opened",
    file: `${internal}/archive/seekable.ts`,
    find: "if (start + header.size > end) {",
    replace: "if (start > end) {"
  },
  {
    wrong: "a layer of a docker archive is taken without a look at its configuration",
    file: `${internal}/archive/images.ts`,
    find: "if (unpacked.hex() !== Digest.hex(diffId)) {",
    replace: 'if (unpacked.hex() === "") {'
  },
  {
    wrong: "an archive that has both is read by manifest.json",
    file: `${internal}/archive/opened.ts`,
    find: 'const layout = format === "docker" ? Option.none() : yield* ofLayout(archive)',
    replace: 'const layout = format !== "oci" ? Option.none() : yield* ofLayout(archive)'
  },
  {
    wrong: "an index of several platforms is written into a Docker archive as its first image",
    file: `${internal}/archive/plan.ts`,
    find: "if (others.length === 0) return first",
    replace: "if (others.length >= 0) return first"
  },
  {
    wrong: "everything of a stream is kept",
    file: `${internal}/archive/sequential.ts`,
    find: 'if (file.where._tag === "Next") file.where = { _tag: "Gone" }',
    replace: 'if (file.size === 0) file.where = { _tag: "Gone" }'
  },
  {
    wrong: "a folder is packed in the order of its names in UTF-16",
    file: `${internal}/folder/pack.ts`,
    find: ".toSorted((left, right) => compareBytes(left.key, right.key))",
    replace: ".toSorted((left, right) => (left.name < right.name ? -1 : 1))"
  },
  {
    wrong: "the modes of a packed folder depend on the umask",
    file: `${internal}/folder/pack.ts`,
    find: "{ mode: isExecutable(mode) ? 0o755 : 0o644 }",
    replace: "{ mode }"
  },
  {
    wrong: "a title leaves the folder of a pull",
    file: `${internal}/artifact/pull.ts`,
    find: "if (Option.isNone(problem)) continue",
    replace: 'if (Option.isNone(problem) || title !== "") continue'
  },
  {
    wrong: "a folder is unpacked whose digest is another",
    file: `${internal}/artifact/pull.ts`,
    find: "if (!Digest.isDigest(expected)) return content",
    replace: 'if (!Digest.isDigest(expected) || folder !== "") return content'
  },
  {
    wrong: "the annotations of an artifact are in the order in which they were given",
    file: `${internal}/artifact/pack.ts`,
    find: ".toSorted(([left], [right]) => (left < right ? -1 : 1))",
    replace: '.filter(([left]) => left !== "")'
  },
  {
    wrong: "the same artifact is attached twice",
    file: `${internal}/artifact/put.ts`,
    find: "listed.digest === digest",
    replace: "listed.digest === subject.digest"
  },
  {
    wrong: "a symbolic link in a folder is followed when a file is placed",
    file: `${internal}/folder/place.ts`,
    find: 'if (Option.exists(found, ({ type }) => type !== "Directory")) {',
    replace: 'if (Option.exists(found, ({ type }) => type === "File")) {'
  },
  {
    wrong: "a pull that replaces no file takes another file of the same size for its own",
    file: `${internal}/artifact/pull.ts`,
    find: 'Effect.catchTag("RegistryError", () => Effect.succeed(false))',
    replace: 'Effect.catchTag("RegistryError", () => Effect.succeed(true))'
  },
  {
    wrong: "a folder that is unpacked replaces no file, and takes another one of the same size for its own",
    file: `${internal}/folder/unpack.ts`,
    find: "if (!isEqual(piece.value, against.value)) return false",
    replace: "if (piece.value.length !== against.value.length) return false"
  },
  {
    wrong: "of two folders one is written, and then the other refused",
    file: `${internal}/artifact/pull.ts`,
    find: "publishes.push(publish)",
    replace: "yield* publish"
  },
  {
    wrong: "an unpacked link leads outside of the folder",
    file: `${internal}/folder/entries.ts`,
    find: 'if (at < 0) return "a link that leads outside of the folder"',
    replace: 'if (at < -9) return "a link that leads outside of the folder"'
  },
  {
    wrong: "further frames of a zstd stream are dropped",
    file: "packages/node/src/NodeCompression.ts",
    find: "Stream.map(content, split)",
    replace: "Stream.map(content, (piece) => (split(piece), [piece]))"
  }
]
