/**
 * Reads and changes the file in which container tools keep their logins.
 */
import { basename, dirname, resolve } from "node:path"
import type { Credential, Password, RefreshToken } from "@effect-acr/client/Credentials"
import { CredentialUnavailable } from "@effect-acr/client/RegistryError"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { type PlatformError, systemError } from "effect/PlatformError"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Base64 from "effect/encoding/Base64"
import * as JsonText from "./jsonText.ts"
import * as RegistryKey from "./registryKey.ts"

const text = Schema.optionalKey(Schema.NullOr(Schema.String))

const Entry = Schema.Struct({
  auth: text,
  username: text,
  password: text,
  identitytoken: text,
  registrytoken: text
})

type Entry = typeof Entry.Type

/** Entries are read one by one when they are needed, so that an odd one costs no other. */
const Entries = Schema.Record(Schema.String, Schema.Unknown)

type Entries = typeof Entries.Type

/** What container tools write, as far as it counts here. */
export interface AuthFile {
  readonly auths: Entries
  readonly credHelpers: Entries
  readonly credsStore: unknown
}

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(Entries))
const decodeEntry = Schema.decodeUnknownOption(Entry)
const isEntries = Schema.is(Entries)

const entriesIn = (value: unknown): Entries => (isEntries(value) ? value : {})

/** Far above the size of a real file. */
const maxBytes = 1024 * 1024

const unavailable = (source: string, description: string) =>
  new CredentialUnavailable({ credential: source, problem: "Failed", description })

/** Reads the content of a file or a variable, which is `source` in errors. */
export const parse = (source: string, content: string): Effect.Effect<AuthFile, CredentialUnavailable> =>
  Option.match(content.length > maxBytes ? Option.none() : decode(content), {
    // What a parser would say quotes the file.
    onNone: () => Effect.fail(unavailable(source, "it is not what container tools write")),
    onSome: (file) =>
      Effect.succeed({
        // In the old `.dockercfg` the logins are all that there is.
        auths: Object.hasOwn(file, "auths") ? entriesIn(file["auths"]) : file,
        credHelpers: entriesIn(file["credHelpers"]),
        credsStore: file["credsStore"]
      })
  })

/** Distinguishes the failure of this module from those of the file system. */
const moduleName = "AuthFile"

/** Reading a pipe or a device may never end. */
const notAFile = (path: string) =>
  systemError({ _tag: "BadResource", module: moduleName, method: "read", pathOrDescriptor: path })

/**
 * The text of a file, if there is one. docker reads an empty file as one without logins. A text that is too long is none of
 * container tools, and is returned as one that no tool writes.
 */
const textAt = (path: string): Effect.Effect<Option.Option<string>, PlatformError, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (files) =>
    files.stat(path).pipe(
      Effect.flatMap(({ size, type }) => {
        if (type !== "File") return Effect.fail(notAFile(path))
        return Number(size) > maxBytes ? Effect.succeed("null") : files.readFileString(path)
      }),
      Effect.map((text) => (text.trim() === "" ? "{}" : text)),
      Effect.asSome,
      Effect.catchIf(
        ({ reason }) => reason._tag === "NotFound",
        () => Effect.succeedNone
      )
    )
  )

/** Why a file cannot be read or written: a text, and the code of the system or of Effect. */
export interface Problem {
  readonly description: string
  readonly code?: string
}

export const problemOf = ({ reason }: PlatformError, action: string): Problem => {
  if (reason.module === moduleName) return { description: "it is no file" }
  const code = Predicate.hasProperty(reason.cause, "code") ? String(reason.cause.code) : reason._tag
  return { description: `it can't be ${action}`, code }
}

export const shown = ({ code, description }: Problem): string =>
  code === undefined ? description : `${description} (${code})`

/** The file at a path, if there is one. */
export const read = Effect.fnUntraced(function* (
  path: string
): Effect.fn.Return<Option.Option<AuthFile>, CredentialUnavailable, FileSystem.FileSystem> {
  const content = yield* Effect.mapError(textAt(path), (error) => unavailable(path, shown(problemOf(error, "read"))))
  return yield* Effect.transposeOption(Option.map(content, (text) => parse(path, text)))
})

const nonEmpty = (value: unknown): value is string => typeof value === "string" && value !== ""

/** The name of the credential helper for a registry: its own, or that of all. */
export const helperFor = (file: AuthFile, loginServer: string): string | undefined =>
  [...RegistryKey.entriesFor(file.credHelpers, loginServer, undefined), file.credsStore].find(nonEmpty)

/** A text without the zero bytes at its end: some tools end it as a text of C ends. */
const withoutEnd = (text: string): string => {
  let length = text.length
  while (length > 0 && text.charCodeAt(length - 1) === 0) length--
  return text.slice(0, length)
}

/** `user:password` in base64, as it stands in a header. */
const decodeAuth = (auth: string): Option.Option<Credential> =>
  Result.getSuccess(Base64.decodeString(auth)).pipe(
    Option.map(withoutEnd),
    Option.filter((decoded) => decoded.includes(":")),
    Option.map((decoded) => {
      const colon = decoded.indexOf(":")
      return {
        _tag: "Password",
        username: decoded.slice(0, colon),
        password: Redacted.make(decoded.slice(colon + 1))
      }
    })
  )

const loginOf = (entry: Entry): Option.Option<Credential> => {
  if (nonEmpty(entry.identitytoken)) {
    return Option.some({ _tag: "RefreshToken", token: Redacted.make(entry.identitytoken) })
  }
  if (nonEmpty(entry.registrytoken)) {
    return Option.some({ _tag: "AccessToken", token: Redacted.make(entry.registrytoken) })
  }
  if (nonEmpty(entry.username) && nonEmpty(entry.password)) {
    return Option.some({ _tag: "Password", username: entry.username, password: Redacted.make(entry.password) })
  }
  return nonEmpty(entry.auth) ? decodeAuth(entry.auth) : Option.none()
}

/** Go writes an empty text or `null` for what is not set, and docker an entry without a login beside a helper. */
const isUnset = (entry: Entry): boolean => !Object.values(entry).some(nonEmpty)

/** Whether the file has logins for parts of a registry. */
export const hasParts = ({ auths }: AuthFile): boolean => Object.keys(auths).some(RegistryKey.isForPart)

/**
 * The login that stands in the file itself, for a repository or for the registry as a whole. Fails if there are entries for
 * it, but none that can be read.
 */
export const loginFor = (
  file: AuthFile,
  {
    loginServer,
    repository,
    source
  }: {
    readonly loginServer: string
    readonly repository: string | undefined
    /** The file, in errors and in the login. */
    readonly source: string
  }
): Effect.Effect<Option.Option<Credential>, CredentialUnavailable> => {
  const set = RegistryKey.entriesFor(file.auths, loginServer, repository)
    .map((entry) => decodeEntry(entry ?? {}))
    .filter((entry) => Option.isNone(entry) || !isUnset(entry.value))
  const login = Option.firstSomeOf(set.map(Option.flatMap(loginOf)))
  return set.length > 0 && Option.isNone(login)
    ? Effect.fail(unavailable(source, `its entry for ${loginServer} can't be read`))
    : Effect.succeed(Option.map(login, (found) => ({ ...found, source })))
}

/** The registries that the file names, with a login or with a helper that may have one. */
export const registriesIn = ({ auths, credHelpers }: AuthFile): ReadonlyArray<string> =>
  [...Object.keys(auths), ...Object.keys(credHelpers)].flatMap((key) => RegistryKey.registryOf(key) ?? [])

/** A file to change. */
export interface Document {
  /** Where to write it: links are followed, so that a link to the file stays one. */
  readonly path: string
  /** What it holds: an object of JSON. None if there is no file yet. */
  readonly text: Option.Option<string>
}

const decodeMembers = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Unknown))

/** Follows links also to a file that is not there yet, which `realPath` does not. */
const target = Effect.fnUntraced(function* (
  path: string,
  hops = 0
): Effect.fn.Return<string, PlatformError, FileSystem.FileSystem> {
  const files = yield* FileSystem.FileSystem
  const link = yield* Effect.option(files.readLink(path))
  // The limit of Linux, path_resolution(7). The file system refuses what is behind more.
  return Option.isNone(link) || hops === 40 ? path : yield* target(resolve(dirname(path), link.value), hops + 1)
})

const membersIn = (text: string): Option.Option<Entries> =>
  decodeMembers(text).pipe(
    Option.filter((members) => isEntries(members) && !Array.isArray(members)),
    Option.filter(isEntries)
  )

/** Opens the file at a path to change it. None if its content is not what container tools write. */
export const open = Effect.fnUntraced(function* (
  path: string
): Effect.fn.Return<Option.Option<Document>, PlatformError, FileSystem.FileSystem> {
  const text = yield* textAt(path)
  const document = { path: yield* target(path), text }
  return Option.isNone(text) || Option.isSome(membersIn(text.value)) ? Option.some(document) : Option.none()
})

const textOf = ({ text }: Document): string => Option.getOrElse(text, () => "{}")

const membersOf = (document: Document): Entries => Option.getOrElse(membersIn(textOf(document)), () => ({}))

/** The logins and helpers of a document. */
export const meaningOf = (document: Document): AuthFile => {
  const { auths, credHelpers, credsStore } = membersOf(document)
  return { auths: entriesIn(auths), credHelpers: entriesIn(credHelpers), credsStore }
}

/** ACR's documentation, "Authenticate with the registry": the user name of a login with a token. */
const tokenUser = "00000000-0000-0000-0000-000000000000"

const authOf = (username: string, password: string): string => Base64.encode(`${username}:${password}`)

/** An entry as `docker login` writes it. */
const entryOf = (login: Password | RefreshToken): Entry =>
  login._tag === "Password"
    ? { auth: authOf(login.username, Redacted.value(login.password)) }
    : { auth: authOf(tokenUser, ""), identitytoken: Redacted.value(login.token) }

/** The text of a document in which the login of a registry is. Without one, an empty entry, which stands beside a helper's login. */
export const put = (document: Document, loginServer: string, login?: Password | RefreshToken): string => {
  const server = RegistryKey.serverOf(loginServer)
  const isOther = (key: string) => key !== server && RegistryKey.isForWhole(key, loginServer)
  const entry = JsonText.put(server, login === undefined ? {} : entryOf(login))
  // The entry keeps its place.
  const change = JsonText.within("auths", (text, depth) => JsonText.remove(isOther)(entry(text, depth), depth))
  return change(textOf(document), 0)
}

const auths = (document: Document): Entries => entriesIn(membersOf(document)["auths"])

/** Whether the document has an entry for a registry as a whole. */
const hasEntry = (document: Document, loginServer: string): boolean =>
  Object.keys(auths(document)).some((key) => RegistryKey.isForWhole(key, loginServer))

/** Whether an entry for a registry as a whole holds a login. */
export const holdsLogin = (document: Document, loginServer: string): boolean =>
  Object.entries(auths(document)).some(
    ([key, entry]) =>
      RegistryKey.isForWhole(key, loginServer) && Option.exists(decodeEntry(entry ?? {}), (one) => !isUnset(one))
  )

/**
 * The text of a document without the entries for a registry as a whole. Undefined if it has none. Those for parts of it and for
 * patterns stay.
 */
export const remove = (document: Document, loginServer: string): string | undefined =>
  hasEntry(document, loginServer)
    ? JsonText.within(
        "auths",
        JsonText.remove((key) => RegistryKey.isForWhole(key, loginServer))
      )(textOf(document), 0)
    : undefined

/** Gives a new file the mode and the owner of the one that it replaces, as docker does: root may run this for a user. */
const likeBefore = Effect.fnUntraced(function* (file: string, path: string) {
  const files = yield* FileSystem.FileSystem
  const before = yield* Effect.option(files.stat(path))
  if (Option.isNone(before)) return
  const { gid, mode, uid } = before.value
  if (Option.isSome(uid) && Option.isSome(gid)) yield* Effect.ignore(files.chown(file, uid.value, gid.value))
  yield* files.chmod(file, mode & 0o777)
})

/** How long a process holds the lock at most. One that is held longer is that of a process that was killed. */
const deadAfterMillis = 10_000

/** How long a process waits between two looks at the lock, in milliseconds. */
const pauseMillis = 10

/** Makes the folder that is the lock. Returns whether it did: not if another process holds the lock. */
const tryLock = Effect.fnUntraced(function* (folder: string) {
  const files = yield* FileSystem.FileSystem
  return yield* Effect.matchEffect(files.makeDirectory(folder, { mode: 0o700 }), {
    onFailure: (error) => (error.reason._tag === "AlreadyExists" ? Effect.succeed(false) : Effect.fail(error)),
    onSuccess: () => Effect.succeed(true)
  })
})

/** When the holder of the lock took it. The clocks of two machines differ, so that it tells holders apart and no more. */
const holderOf = (folder: string) =>
  FileSystem.FileSystem.use((files) => files.stat(folder)).pipe(
    Effect.map(({ mtime }) => Option.map(mtime, (date) => date.getTime())),
    Effect.orElseSucceed(() => Option.none<number>())
  )

const waitForLock = Effect.fnUntraced(function* (folder: string) {
  const files = yield* FileSystem.FileSystem
  let holder = yield* holderOf(folder)
  let sinceMillis = yield* Clock.currentTimeMillis
  while (!(yield* tryLock(folder))) {
    const now = yield* holderOf(folder)
    const nowMillis = yield* Clock.currentTimeMillis
    if (Option.getOrUndefined(now) !== Option.getOrUndefined(holder)) {
      holder = now
      sinceMillis = nowMillis
    } else if (nowMillis - sinceMillis >= deadAfterMillis) {
      yield* Effect.ignore(files.remove(folder, { recursive: true, force: true }))
    }
    yield* Effect.sleep(pauseMillis)
  }
})

/**
 * Keeps other processes of this library out while a file is read, changed and replaced. Between the comparison in `write` and its
 * renaming, one of two would lose its login otherwise, and not notice.
 */
export const lock = Effect.fnUntraced(function* (path: string) {
  const files = yield* FileSystem.FileSystem
  const file = yield* target(path)
  yield* files.makeDirectory(dirname(file), { recursive: true, mode: 0o700 })
  const folder = resolve(dirname(file), `.${basename(file)}.lock`)
  yield* Effect.acquireRelease(
    waitForLock(folder),
    () => Effect.ignore(files.remove(folder, { recursive: true, force: true })),
    { interruptible: true }
  )
})

/**
 * Replaces the file as a whole, so that a reader finds the old or the new one. Returns whether it did: not if the file is no
 * longer what the document was read from.
 *
 * docker's tools and podman write a file beside it and rename it, and lock nothing. The lock of this library keeps none of them
 * out, so that the file is compared right before it is renamed.
 */
export const write = Effect.fnUntraced(function* (
  { path, text }: Document,
  changed: string
): Effect.fn.Return<boolean, PlatformError, FileSystem.FileSystem> {
  const files = yield* FileSystem.FileSystem
  return yield* Effect.scoped(
    Effect.gen(function* () {
      // In the same folder, since a file can't be renamed from one file system to another.
      const folder = yield* files.makeTempDirectoryScoped({ directory: dirname(path), prefix: ".login-" })
      const file = resolve(folder, "config.json")
      yield* files.writeFileString(file, changed, { flag: "wx", mode: 0o600 })
      yield* likeBefore(file, path)
      const now = yield* textAt(path)
      if (Option.getOrUndefined(now) !== Option.getOrUndefined(text)) return false
      yield* files.rename(file, path)
      return true
    })
  )
})
