/**
 * The real disk, on which another program gets a turn before each call: between any two calls of a client, and at no
 * other time, so that a race has the same outcome in each run.
 */
import { NodeFileSystem } from "@effect/platform-node"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"

/** The name of a call, such as `rename`; calls on an open file begin with `file.`, such as `file.stat`. */
export type Meddle = (call: string, ...paths: ReadonlyArray<string>) => void

const meddledFile = (
  file: FileSystem.File,
  before: <A, E>(call: string, effect: Effect.Effect<A, E>) => typeof effect
) => {
  const meddled: FileSystem.File = {
    [FileSystem.FileTypeId]: FileSystem.FileTypeId,
    stat: Effect.suspend(() => before("file.stat", file.stat)),
    sync: Effect.suspend(() => before("file.sync", file.sync)),
    seek: (offset, from) => before("file.seek", file.seek(offset, from)),
    read: (buffer, options) => before("file.read", file.read(buffer, options)),
    readAlloc: (size, options) => before("file.readAlloc", file.readAlloc(size, options)),
    truncate: (length) => before("file.truncate", file.truncate(length)),
    write: (buffer) => before("file.write", file.write(buffer)),
    writeAll: (buffer) => before("file.writeAll", file.writeAll(buffer))
  }
  return meddled
}

export const layer = (meddle: Meddle): Layer.Layer<FileSystem.FileSystem> => {
  const turn = (call: string, ...paths: ReadonlyArray<string>) => Effect.sync(() => meddle(call, ...paths))
  const onFile = <A, E>(call: string, effect: Effect.Effect<A, E>) => Effect.andThen(turn(call), effect)
  return Layer.effect(
    FileSystem.FileSystem,
    Effect.map(FileSystem.FileSystem, (files) => {
      const meddled: FileSystem.FileSystem = {
        ...files,
        chmod: (path, mode) => Effect.andThen(turn("chmod", path), files.chmod(path, mode)),
        link: (from, to) => Effect.andThen(turn("link", from, to), files.link(from, to)),
        lstat: (path) => Effect.andThen(turn("lstat", path), files.lstat(path)),
        open: (path, options) =>
          Effect.map(Effect.andThen(turn("open", path), files.open(path, options)), (file) =>
            meddledFile(file, onFile)
          ),
        readLink: (path) => Effect.andThen(turn("readLink", path), files.readLink(path)),
        remove: (path, options) => Effect.andThen(turn("remove", path), files.remove(path, options)),
        rename: (from, to) => Effect.andThen(turn("rename", from, to), files.rename(from, to)),
        stat: (path) => Effect.andThen(turn("stat", path), files.stat(path)),
        stream: (path, options) => Stream.unwrap(Effect.as(turn("stream", path), files.stream(path, options)))
      }
      return meddled
    })
  ).pipe(Layer.provide(NodeFileSystem.layer))
}
