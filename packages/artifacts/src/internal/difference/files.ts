/**
 * Reads the files of images, layer by layer, and compares them.
 */
import * as Compression from "@effect-acr/client/Compression"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import * as Hasher from "@effect-acr/client/Hasher"
import * as Effect from "effect/Effect"
import * as Tar from "effect/encoding/Tar"
import * as Stream from "effect/Stream"
import type { Reader } from "../../ContentStore.ts"
import { FolderError, InvalidArchive, LimitExceeded, type Reason } from "../../FolderError.ts"
import { ofSource, OfSource } from "../sides.ts"
import { readRoot } from "../summary.ts"
import type { GraphError } from "../walk.ts"
import * as Tree from "./tree.ts"

/**
 * How to compare files.
 *
 * @category options
 * @since 0.1.0
 */
export interface FilesOptions {
  /** How many files, folders and links an image may have. Defaults to 1,000,000, which takes about 500 MB of memory. */
  readonly maxFiles?: number
}

interface Side<out E> {
  readonly reader: Reader<E>
  readonly root: Pick<Descriptor, "digest">
}

const defaultMaxFiles = 1_000_000

/** Deeper paths are no paths on Linux. */
const mostDepth = 2048

const whiteoutPrefix = ".wh."
const opaque = ".wh..wh..opq"

const failure = ({ digest }: Descriptor, reason: Reason) => new FolderError({ folder: `the layer ${digest}`, reason })

/** The parts of a path. `..` is dropped, which is safe since nothing is written. */
const partsOf = (path: string): ReadonlyArray<string> =>
  path.split("/").filter((part) => part !== "" && part !== "." && part !== "..")

const types: Record<Tar.EntryType, Tree.FileState["type"] | "hardlink" | undefined> = {
  File: "file",
  Directory: "folder",
  Symlink: "link",
  Hardlink: "hardlink",
  CharDevice: "device",
  BlockDevice: "device",
  Fifo: "device",
  Other: undefined
}

/** The digest of the content of a file. */
const digestOf = <E, R>(body: Stream.Stream<Uint8Array, E, R>) =>
  Effect.gen(function* () {
    const hash = (yield* Hasher.Hasher)("sha256")
    yield* Stream.runForEach(body, (piece) => Effect.sync(() => hash.update(piece)))
    return Digest.Digest.make(`sha256:${hash.hex()}`)
  })

/** The state of a name after an entry. */
const stateOf = <E, R>(tree: Tree.Tree, { body, header }: Tar.Entry<E, R>) =>
  Effect.gen(function* () {
    const { linkTarget = "", mode, size } = header
    const type = types[header.type]
    if (type === undefined) return undefined
    if (type === "file") return { type, mode, size, digest: yield* digestOf(body) }
    // A hard link has the content of its file.
    if (type === "hardlink") return Tree.stateOf(tree, partsOf(linkTarget))
    return { type, mode, size: 0, ...(type === "link" ? { target: linkTarget } : {}) }
  })

/** Applies an entry of a layer to the files below. */
const apply = <E, R>(tree: Tree.Tree, entry: Tar.Entry<E, R>, layer: number) =>
  Effect.gen(function* () {
    const parts = partsOf(entry.header.path)
    const folder = parts.slice(0, -1)
    const name = parts.at(-1)
    if (name === undefined) return
    if (name === opaque) return Tree.empty(tree, folder, layer)
    if (name.startsWith(whiteoutPrefix)) {
      return Tree.remove(tree, [...folder, name.slice(whiteoutPrefix.length)], layer)
    }
    const state = yield* stateOf(tree, entry)
    if (state !== undefined) Tree.put(tree, parts, state, layer)
  })

const described = (error: Compression.CompressionError | Tar.TarError): string => error.message

/** Reads a layer and applies it to the files below. */
const readLayer = <E>(
  reader: Reader<E>,
  tree: Tree.Tree,
  descriptor: Descriptor,
  layer: number,
  maxFiles: number
): Effect.Effect<void, E | FolderError, Compression.Compression> =>
  Compression.decompress(Stream.mapError(reader.blob(descriptor).read(0), ofSource)).pipe(
    Stream.pipeThroughChannel(Tar.decode()),
    Stream.runForEach((entry) =>
      Effect.gen(function* () {
        if (entry.header.path.split("/").length > mostDepth) {
          const description = `a path has more than ${mostDepth} parts`
          return yield* failure(descriptor, new LimitExceeded({ description }))
        }
        yield* apply(tree, entry, layer)
        if (tree.count > maxFiles) {
          const description = `the image has more than ${maxFiles} files`
          return yield* failure(descriptor, new LimitExceeded({ description }))
        }
      })
    ),
    Effect.mapError((error) => {
      if (error instanceof OfSource) return error.cause
      return error instanceof FolderError
        ? error
        : failure(descriptor, new InvalidArchive({ description: described(error) }))
    })
  )

/** Reads layers on top of `from` others. */
const readLayers = <E>(
  reader: Reader<E>,
  tree: Tree.Tree,
  layers: ReadonlyArray<Descriptor>,
  { from, maxFiles }: { readonly from: number; readonly maxFiles: number }
) =>
  Effect.forEach(layers, (layer, index) => readLayer(reader, tree, layer, from + index + 1, maxFiles), {
    discard: true
  })

const layersOf = <E>({ reader, root }: Side<E>): Effect.Effect<ReadonlyArray<Descriptor>, E | GraphError> =>
  Effect.map(readRoot(reader, root), ({ view }) => (view._tag === "ImageManifest" ? view.layers : []))

/** The number of lowest layers that two images share. */
const commonOf = (left: ReadonlyArray<Descriptor>, right: ReadonlyArray<Descriptor>): number => {
  const first = left.findIndex(({ digest }, index) => right[index]?.digest !== digest)
  return first < 0 ? left.length : first
}

/** Compares the files of two images. */
export const compare = <E1, E2>(
  left: Side<E1>,
  right: Side<E2>,
  { maxFiles = defaultMaxFiles }: FilesOptions = {}
): Effect.Effect<ReadonlyArray<Tree.FileDifference>, E1 | E2 | FolderError | GraphError, Compression.Compression> =>
  Effect.gen(function* () {
    const ofLeft = yield* layersOf(left)
    const ofRight = yield* layersOf(right)
    const common = commonOf(ofLeft, ofRight)
    const base = Tree.make()
    yield* readLayers(left.reader, base, ofLeft.slice(0, common), { from: 0, maxFiles })
    const other = Tree.clone(base)
    yield* readLayers(left.reader, base, ofLeft.slice(common), { from: common, maxFiles })
    yield* readLayers(right.reader, other, ofRight.slice(common), { from: common, maxFiles })
    return Tree.compare(base, other)
  })
