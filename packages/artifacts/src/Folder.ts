/**
 * Folders as tar archives: packed so that the same folder gives the same bytes, and unpacked without harm.
 *
 * `Artifact.push` and `Artifact.pull` use both. Neither compresses: `Compression` of `@effect-acr/client` does.
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
 * Packs a folder into a tar archive, as a stream of bytes. The same files give the same bytes, on every machine.
 *
 * **Details**
 *
 * Entries are in the order of the bytes of their names in UTF-8, a folder before what is in it. Folders and executable files have the
 * mode 0755, other files 0644, whatever the umask. Owners are 0, times are one instant, and extended attributes are left out. Names
 * that do not fit the ustar format, or are not ASCII, are in pax headers. Two blocks of zeros end the archive.
 *
 * The folder itself has no entry, since it keeps its mode where it is unpacked; with a `prefix`, that folder has one. Symbolic links are kept, and not followed; those that are absolute or
 * leave the folder are refused. Further names of one file are hard links. Each file is read once. Memory does not grow with
 * the size of files, but with the number of names in a folder.
 *
 * Fails with `FolderError`: `RefusedEntry` for what is refused, for names of whiteouts (`.wh.…`) and for names that are not valid
 * Unicode, `FileChanged` if a file changes while it is read, and `FileFailed`.
 *
 * **Gotchas**
 *
 * Two names that are one file on macOS or Windows (`A` and `a`) are packed, and `unpack` refuses them. So it does with names that have
 * control characters or are in more than 128 folders, and with links that go up through another link.
 *
 * A file that is rewritten with as many bytes while it is read is not noticed. On Windows no file is executable, so that the bytes
 * differ there.
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
 * Unpacks a tar archive, which is not compressed, into a folder. The folder is made if it is not there.
 *
 * **Details**
 *
 * Nothing in the folder changes until the stream has ended without an error: a stream that verifies a digest, and fails at its
 * last byte, leaves the folder as it was. Then each file gets its name at once, so that it is the old one or the new one, whole.
 * An interruption before that leaves nothing behind; during that, it waits. If the file system fails in the middle of it, for
 * lack of space, some files are new and others old: there is no operation that renames many files as one.
 *
 * Of two entries with one name, the later wins. Permission bits and the times of files and folders are those of the archive,
 * whatever the umask of the process; setuid, setgid and sticky bits, owners, extended attributes and the times of links are not
 * applied. The folder itself keeps its mode. Folders that no entry names get the mode 0755. Files in the folder that the archive
 * does not name stay.
 *
 * An entry is refused if its name leaves the folder or cannot be written on this platform, if two names are one file on
 * some file systems, if a link leads outside, or if it is a device, a pipe or a whiteout of an image's layer. A hard link needs a
 * file of an earlier entry. Nothing is written through a symbolic link, be it of the archive or in the folder: a link in the place
 * of a file is replaced, and one in the place of a folder is refused, as is a folder in the place of a file.
 *
 * Fails with `RefusedEntry`, `LimitExceeded`, `InvalidArchive` (also if the archive is cut off, or has sparse files),
 * `AlreadyThere` without `overwrite`, or `FileFailed`, and with the errors of the stream.
 *
 * **Gotchas**
 *
 * Files are not synced: a loss of power may undo what was unpacked last. A process that is killed leaves a folder
 * `.effect-acr-<random>` behind, which can be removed. On file systems without hard links, hard links become copies.
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
