/**
 * Reads the file in which container tools keep their logins.
 */
import type { Credential } from "@effect-acr/client/Credentials"
import { CredentialUnavailable } from "@effect-acr/client/RegistryError"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Base64 from "effect/encoding/Base64"
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

/** The file at a path, if there is one. */
export const read = Effect.fnUntraced(function* (
  path: string
): Effect.fn.Return<Option.Option<AuthFile>, CredentialUnavailable, FileSystem.FileSystem> {
  const files = yield* FileSystem.FileSystem
  const content = yield* files.stat(path).pipe(
    Effect.flatMap(({ size }) => (Number(size) > maxBytes ? Effect.succeed("") : files.readFileString(path))),
    Effect.asSome,
    Effect.catch(({ reason }) =>
      reason._tag === "NotFound"
        ? Effect.succeedNone
        : Effect.fail(unavailable(path, `it can't be read (${reason._tag})`))
    )
  )
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
    /** The file, in errors. */
    readonly source: string
  }
): Effect.Effect<Option.Option<Credential>, CredentialUnavailable> => {
  const set = RegistryKey.entriesFor(file.auths, loginServer, repository)
    .map((entry) => decodeEntry(entry ?? {}))
    .filter((entry) => Option.isNone(entry) || !isUnset(entry.value))
  const login = Option.firstSomeOf(set.map(Option.flatMap(loginOf)))
  return set.length > 0 && Option.isNone(login)
    ? Effect.fail(unavailable(source, `its entry for ${loginServer} can't be read`))
    : Effect.succeed(login)
}
