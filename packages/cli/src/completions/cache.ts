/**
 * Names of earlier completions, cached for a minute in the user's cache folder.
 */
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"

const maxAgeMillis = 60_000

const Entry = Schema.fromJsonString(
  Schema.Struct({ key: Schema.String, atMillis: Schema.Finite, names: Schema.Array(Schema.String) })
)

const variable = (name: string) => Config.option(Config.NonEmptyString(name))

/** The folder of the user's own caches: XDG Base Directory Specification; on Windows `%LOCALAPPDATA%`. */
const folder = Effect.gen(function* () {
  const path = yield* Path.Path
  const home = Option.map(yield* variable("HOME"), (own) => path.join(own, ".cache"))
  const caches = yield* variable("XDG_CACHE_HOME")
  const local = yield* variable("LOCALAPPDATA")
  return Option.map(Option.firstSomeOf([caches, local, home]), (parent) => path.join(parent, "eacr", "completions"))
})

/** The file of a key. Hashed, so that no name of a registry can lead out of the folder. */
const fileOf = (key: string): string => `${encodeURIComponent(key).replaceAll(".", "%2E")}.json`

const read = Effect.fnUntraced(function* (file: string, key: string) {
  const files = yield* FileSystem.FileSystem
  const entry = yield* Schema.decodeEffect(Entry)(yield* files.readFileString(file))
  const age = (yield* Clock.currentTimeMillis) - entry.atMillis
  return entry.key === key && age >= 0 && age < maxAgeMillis ? Option.some(entry.names) : Option.none()
})

/** Writes a temporary file and renames it, because two shells may complete at the same time. */
const write = Effect.fnUntraced(function* (parent: string, file: string, key: string, names: ReadonlyArray<string>) {
  const files = yield* FileSystem.FileSystem
  yield* files.makeDirectory(parent, { recursive: true, mode: 0o700 })
  const text = yield* Schema.encodeEffect(Entry)({ key, atMillis: yield* Clock.currentTimeMillis, names })
  yield* Effect.scoped(
    Effect.gen(function* () {
      const own = yield* files.makeTempFileScoped({ directory: parent, prefix: ".new-" })
      yield* files.writeFileString(own, text)
      yield* files.rename(own, file)
    })
  )
})

/** Takes names from the cache, or looks them up and caches them. Failures of the cache are ignored. */
export const cached = Effect.fnUntraced(function* <E, R>(
  key: string,
  lookup: Effect.Effect<ReadonlyArray<string>, E, R>
) {
  const path = yield* Path.Path
  const parent = yield* Effect.orElseSucceed(folder, () => Option.none<string>())
  if (Option.isNone(parent)) return yield* lookup
  const file = path.join(parent.value, fileOf(key))
  const kept = yield* Effect.orElseSucceed(read(file, key), () => Option.none<ReadonlyArray<string>>())
  if (Option.isSome(kept)) return kept.value
  const names = yield* lookup
  yield* Effect.ignore(write(parent.value, file, key, names))
  return names
})
