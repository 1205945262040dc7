/**
 * Packs folders into tar archives, reproducibly: the same folder produces the same bytes. Unpacks archives safely.
 *
 * `Artifact.push` and `Artifact.pull` use both. Neither handles compression: use `Compression` of `@effect-acr/client`.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type * as Stream from "effect/Stream"
import type { FolderError } from "./FolderError.ts"
import * as Packing from "./internal/folder/pack.ts"
import type { PackOptions } from "./internal/folder/pack.ts"
import * as Unpacking from "./internal/folder/unpack.ts"
import type { Unpacked, UnpackOptions } from "./internal/folder/unpack.ts"

export type { PackOptions } from "./internal/folder/pack.ts"
export type { Unpacked, UnpackOptions } from "./internal/folder/unpack.ts"

/**
 * Packs a folder into a tar archive, as a stream of bytes. The same files produce the same bytes on every machine.
 *
 * **Details**
 *
 * Entries are sorted by the UTF-8 bytes of their names, each folder before its content. Folders and executable files have the
 * mode 0755, other files 0644, regardless of the umask. Owners are 0, all times are the same instant, and extended attributes are
 * left out. Names that do not fit the ustar format, or are not ASCII, are in pax headers. Two blocks of zeros end the archive.
 *
 * The folder itself has no entry, so that the folder it is unpacked into keeps its mode; with a `prefix`, that folder has an
 * entry. Symbolic links are kept and not followed; links that are absolute or lead out of the folder are refused. Further names
 * of one file become hard links. Each file is read once. Memory grows with the number of names in a folder, not with the size of
 * files.
 *
 * Fails with `FolderError`: `RefusedEntry` for refused links, for names of whiteouts (`.wh.…`) and for names that are not valid
 * Unicode, `FileChanged` if a file changes while it is read, and `FileFailed`.
 *
 * **Gotchas**
 *
 * `pack` accepts some content that `unpack` refuses: two names that are the same file on macOS or Windows (`A` and `a`), names
 * with control characters, names more than 128 folders deep, and links that go up through another link.
 *
 * If a file is rewritten with the same number of bytes while it is read, the change goes unnoticed. On Windows no file is
 * executable, so that the bytes differ there if the folder has executable files.
 *
 * **Example** (An archive of a folder)
 *
 * ```ts
 * import { Folder } from "@effect-acr/artifacts"
 * import { Effect, FileSystem, Stream } from "effect"
 *
 * export const pack = Effect.gen(function* () {
 *   const files = yield* FileSystem.FileSystem
 *   yield* Stream.run(Folder.pack("site"), files.sink("site.tar"))
 * })
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const pack: (
  folder: string,
  options?: PackOptions
) => Stream.Stream<Uint8Array, FolderError, FileSystem.FileSystem | Path.Path> = Packing.pack

/**
 * Unpacks an uncompressed tar archive into a folder, which is created if it does not exist.
 *
 * **Details**
 *
 * Nothing in the folder changes until the stream has ended without an error: if the stream verifies a digest and fails at its
 * last byte, the folder is unchanged. Then the files are renamed into place one by one, so that each is either the old or the new
 * one, complete. An interruption before the renaming leaves nothing behind; during the renaming, it waits. If the file system
 * fails during the renaming, for example for lack of space, some files are new and others old: no file system can rename many
 * files in one operation.
 *
 * If two entries have the same name, the later one wins. Permission bits and the times of files and folders are taken from the
 * archive, regardless of the umask; setuid, setgid and sticky bits, owners, extended attributes and the times of links are not
 * applied. The folder itself keeps its mode. Folders that no entry names get the mode 0755. Files in the folder that the archive
 * does not name stay.
 *
 * An entry is refused if its name leads out of the folder or cannot be written on this platform, if its name and another one are
 * the same file on some file systems, if it is a link that leads outside, or if it is a device, a pipe or a whiteout of an
 * image's layer. A hard link must name a file of an earlier entry. Nothing is written through a symbolic link, whether from the
 * archive or already in the folder. If a link is in the place of a file, the file replaces it. A link in the place of a folder is
 * refused, and so is a folder in the place of a file.
 *
 * Fails with `RefusedEntry`, `LimitExceeded`, `InvalidArchive` (also if the archive is truncated or has sparse files),
 * `AlreadyThere` if `overwrite` is false, or `FileFailed`, and with the errors of the stream.
 *
 * **Gotchas**
 *
 * Files are not synced: a loss of power may undo what was unpacked last. A killed process leaves a folder `.effect-acr-<random>`
 * behind, which can be removed. On file systems without hard links, hard links become copies.
 *
 * **Example** (A compressed archive)
 *
 * ```ts
 * import { Folder } from "@effect-acr/artifacts"
 * import { Compression } from "@effect-acr/client"
 * import { Effect, FileSystem } from "effect"
 *
 * export const unpack = Effect.gen(function* () {
 *   const files = yield* FileSystem.FileSystem
 *   const archive = Compression.decompress(files.stream("site.tar.gz"))
 *   return yield* Folder.unpack(archive, "site", { maxBytes: "1 GiB" })
 * })
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const unpack: <E, R>(
  archive: Stream.Stream<Uint8Array, E, R>,
  folder: string,
  options?: UnpackOptions
) => Effect.Effect<Unpacked, E | FolderError, FileSystem.FileSystem | Path.Path | R> = Unpacking.unpack
