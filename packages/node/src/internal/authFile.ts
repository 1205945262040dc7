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

const text = Schema.optionalKey(Schema.NullOr(Schema.String))

const Entry = Schema.Struct({
  auth: text,
  username: text,
  password: text,
  identitytoken: text,
  registrytoken: text
})

const File = Schema.Struct({
  auths: Schema.optionalKey(Schema.NullOr(Schema.Record(Schema.String, Schema.NullOr(Entry)))),
  credHelpers: Schema.optionalKey(Schema.NullOr(Schema.Record(Schema.String, Schema.String))),
  credsStore: text
})

export type AuthFile = typeof File.Type

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(File))

/** Nobody has so many logins. */
const maxBytes = 1024 * 1024

const unavailable = (path: string, description: string) =>
  new CredentialUnavailable({ credential: path, problem: "Failed", description })

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
  if (Option.isNone(content)) return Option.none()
  const file = decode(content.value)
  // What a parser would say quotes the file.
  return Option.isSome(file) ? file : yield* unavailable(path, "it is not what container tools write")
})

/** The names under which Docker Hub goes. */
const hub = ["docker.io", "index.docker.io", "registry-1.docker.io"]

/** How tools of docker write a registry. */
export const serverOf = (loginServer: string): string =>
  hub.includes(loginServer) ? "https://index.docker.io/v1/" : loginServer

/** The registry that a key stands for: old ones are addresses of its interface. */
const registryOf = (key: string): string => {
  const host = key.replace(/^https?:\/\//, "").replace(/\/(?:v[12]\/?)?$/, "")
  return hub.includes(host) ? "docker.io" : host.toLowerCase()
}

/** The entry of a registry: under its very name, or under another that stands for it. */
const entryOf = <A>(entries: { readonly [key: string]: A } | null | undefined, loginServer: string): A | undefined => {
  if (entries === undefined || entries === null) return undefined
  if (Object.hasOwn(entries, loginServer)) return entries[loginServer]
  const registry = registryOf(loginServer)
  return Object.entries(entries).find(([key]) => registryOf(key) === registry)?.[1]
}

const nonEmpty = (value: string | null | undefined): value is string =>
  value !== undefined && value !== null && value !== ""

/** The name of the credential helper for a registry: its own, or that of all. */
export const helperFor = (file: AuthFile, loginServer: string): string | undefined =>
  [entryOf(file.credHelpers, loginServer), file.credsStore].find(nonEmpty)

/** `user:password` in base64, as it stands in a header. */
const decodeAuth = (auth: string): Option.Option<Credential> =>
  Result.getSuccess(Base64.decodeString(auth)).pipe(
    // Some tools end it as a text of C ends.
    Option.map((decoded) => decoded.replace(/\0+$/, "")),
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

/** The login of a registry that stands in the file itself. */
export const loginFor = (file: AuthFile, loginServer: string): Option.Option<Credential> => {
  const entry = entryOf(file.auths, loginServer)
  if (entry === undefined || entry === null) return Option.none()
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
