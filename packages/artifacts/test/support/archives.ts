/**
 * Tar archives, also such as no program makes, and what is in folders.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Tar from "effect/encoding/Tar"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as PlatformError from "effect/PlatformError"
import * as Stream from "effect/Stream"
import * as FolderError from "../../src/FolderError.ts"
import { unpack, type UnpackOptions } from "../../src/Folder.ts"

/** An archive as a program writes it. */
export const archive = (...entries: ReadonlyArray<Tar.Entry>): Stream.Stream<Uint8Array, Tar.TarError> =>
  Stream.pipeThroughChannel(Stream.fromIterable(entries), Tar.encode())

const encoder = new TextEncoder()
const blockBytes = 512

const octal = (value: number, length: number) => encoder.encode(value.toString(8).padStart(length - 1, "0"))

/** A header of v7 as it stands in the archive, with whatever fields, and the blocks of its content. */
export const raw = (fields: {
  readonly name: string | Uint8Array
  readonly typeflag?: string
  readonly linkname?: string
  readonly mode?: number
  readonly content?: string
  /** The size that the header states. */
  readonly size?: number
}): Uint8Array => {
  const content = encoder.encode(fields.content ?? "")
  const bytes = new Uint8Array(blockBytes * (1 + Math.ceil(content.length / blockBytes)))
  const header = bytes.subarray(0, blockBytes)
  header.set(typeof fields.name === "string" ? encoder.encode(fields.name) : fields.name, 0)
  header.set(octal(fields.mode ?? 0o644, 8), 100)
  header.set(octal(0, 8), 108)
  header.set(octal(0, 8), 116)
  header.set(octal(fields.size ?? content.length, 12), 124)
  header.set(octal(0, 12), 136)
  header.set(encoder.encode(fields.typeflag ?? "0"), 156)
  header.set(encoder.encode(fields.linkname ?? ""), 157)
  header.fill(0x20, 148, 156)
  header.set(
    octal(
      header.reduce((sum, byte) => sum + byte, 0),
      8
    ),
    148
  )
  bytes.set(content, blockBytes)
  return bytes
}

const digits = (length: number): number => String(length).length

/** An extended header with these records, for the entry after it. */
export const pax = (records: Readonly<Record<string, string>>): Uint8Array => {
  const lines = Object.entries(records).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`
    const bytes = encoder.encode(rest).length
    return `${bytes + digits(bytes + digits(bytes))}${rest}`
  })
  return raw({ name: "PaxHeaders", typeflag: "x", content: lines.join("") })
}

export const end = new Uint8Array(2 * blockBytes)

/** What is in a folder: the kind of each file, its permissions, and its content or target. Links are not followed. */
export const treeOf = (
  folder: string
): Effect.Effect<Record<string, string>, never, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const tree: Record<string, string> = {}
    const visit = (name: string): Effect.Effect<void> =>
      Effect.gen(function* () {
        for (const one of (yield* files.readDirectory(path.join(folder, name))).toSorted()) {
          const inner = name === "" ? one : `${name}/${one}`
          const at = path.join(folder, inner)
          const info = yield* files.lstat(at)
          const mode = (info.mode & 0o7777).toString(8)
          if (info.type === "SymbolicLink") tree[inner] = `-> ${yield* files.readLink(at)}`
          else if (info.type === "Directory") {
            tree[inner] = `folder ${mode}`
            yield* visit(inner)
          } else tree[inner] = `${mode} ${yield* files.readFileString(at)}`
        }
      }).pipe(Effect.orDie)
    yield* visit("")
    return tree
  })

/** A folder beside another that nothing may be written into. */
export const place = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const base = yield* files.makeTempDirectoryScoped({ prefix: "effect-acr-unpack-" })
  const at = (name: string) => path.join(base, name)
  yield* files.makeDirectory(at("folder"))
  yield* files.makeDirectory(at("outside"))
  yield* files.writeFileString(at("outside/secret"), "secret")
  return { base, folder: at("folder"), at: (name: string) => path.join(base, "folder", name) }
})

export const outside = { outside: "folder 755", "outside/secret": "644 secret" }

/** What is in the base of a folder, without the folder itself. */
export const restOf = (base: string) =>
  Effect.map(treeOf(base), (tree) =>
    Object.fromEntries(Object.entries(tree).filter(([name]) => name !== "folder" && !name.startsWith("folder/")))
  )

/** The reason for which an archive is refused. */
export const reasonOf = <E, R>(tar: Stream.Stream<Uint8Array, E, R>, folder: string, options?: UnpackOptions) =>
  Effect.map(Effect.flip(unpack(tar, folder, options)), (error) =>
    error instanceof FolderError.FolderError ? error.reason : assert.fail(String(error))
  )

export const bytes = (...parts: ReadonlyArray<Uint8Array>) => Stream.fromIterable(parts)

export const old = { kept: "644 kept", replaced: "644 old" }

/** A folder with files of before. */
export const used = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const one = yield* place
  yield* files.writeFileString(one.at("kept"), "kept")
  yield* files.writeFileString(one.at("replaced"), "old")
  return one
})

/** An error of a file system. */
export const denied = (method: string, at: string) =>
  PlatformError.systemError({ _tag: "PermissionDenied", module: "FileSystem", method, pathOrDescriptor: at })
