/**
 * Parses names of registries, and references that begin with one.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Reference from "../../Reference.ts"
import type { RegistryError } from "../../RegistryError.ts"
import { isBareName } from "../acr/hosts.ts"
import { parseEndpoint } from "../http/endpoint.ts"
import { repositoryAt } from "../http/hub.ts"
import { parser } from "../schema/parser.ts"
import { refusedValue } from "../schema/refused.ts"
import { refuse } from "./arguments.ts"

const parseRegistry = parser(Reference.Registry)

/** The normalized login server of a registry: lower case, without the default port. */
const spelling = (registry: string): Result.Result<string, string> =>
  Result.map(parseEndpoint(`https://${registry}`), ({ host }) => host)

/** The login server of a name. */
export const loginServer = (operation: string, name: string, argument: string): Effect.Effect<string, RegistryError> =>
  parseRegistry(name).pipe(
    Result.mapError(({ message }) => message),
    Result.flatMap((registry) => Result.mapError(spelling(registry), (problem) => `it ${problem}`)),
    Effect.fromResult,
    Effect.catch((description) => refuse(operation, description, argument, name))
  )

/** A host alone: `localhost:5000` looks like an image with a tag, and `node:20` like a host with a port. */
const isHost = (text: string): boolean => Result.isSuccess(parseRegistry(text)) && /^localhost(?::|$)|[.[]/.test(text)

/** The same name with a registry before it, if that makes it a reference. */
const qualified = (registry: string, name: string): ReadonlyArray<string> => {
  const reference = `${registry}/${name}`
  return name !== "" && Result.isSuccess(Reference.parse(reference)) ? [reference] : []
}

/** The full references that a name without a registry may mean. */
const fullSpellings = (name: string): ReadonlyArray<string> => {
  if (isHost(name)) return []
  const [first = "", ...rest] = name.split("/")
  return [
    ...qualified("docker.io", rest.length === 0 ? `library/${name}` : name),
    ...(isBareName(first) ? qualified(`${first}.azurecr.io`, rest.join("/")) : [])
  ]
}

/** Names the capital letter in the name of a repository, if that is the only problem of a reference. */
const capitalIn = (text: string): string | undefined => {
  const [, registry = "", repository = "", rest = ""] = /^([^/]+\/)([^:@]*)(.*)$/.exec(text) ?? []
  const [capital] = /[A-Z]/.exec(repository) ?? []
  const lowered = `${registry}${repository.toLowerCase()}${rest}`
  if (capital === undefined || Result.isFailure(Reference.parse(lowered))) return undefined
  const expected = refusedValue(lowered) === lowered ? `: expected ${lowered}` : ""
  return `the name of a repository has no capital letters, and this one has "${capital}"${expected}`
}

/** The problem of a text that is not a reference. */
const problemOf = (text: string, message: string): string => {
  const [scheme] = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text) ?? []
  if (scheme !== undefined) {
    const bare = text.slice(scheme.length)
    // A text that may be a secret is not repeated.
    const isShown = Result.isSuccess(Reference.parse(bare)) && refusedValue(bare) === bare
    return `a reference has no scheme: expected ${isShown ? bare : "myregistry.azurecr.io/library/alpine:3.20"}`
  }
  const capital = capitalIn(text)
  if (capital !== undefined) return capital
  const registry = text.replace(/\/$/, "")
  if (isHost(registry) && refusedValue(registry) === registry) {
    return `it names a registry and no repository: expected ${registry}/library/alpine:3.20`
  }
  const [hub, acr] = fullSpellings(text)
  // The first line says what was expected. The second names a part of the schema, which callers do not know.
  if (hub === undefined) return message.split("\n", 1).join("")
  // A text that may be a secret is not repeated.
  const [example, azure] = refusedValue(hub) === hub ? [hub, acr] : ["docker.io/library/alpine:3.20"]
  const alternative = azure === undefined ? "" : `, or ${azure} for a registry of Azure`
  return `it names no registry, and none is assumed: expected ${example} for Docker Hub${alternative}`
}

/** A reference and its login server. */
export interface Located {
  /** The reference, with the full name of the repository. */
  readonly reference: Reference.Reference
  readonly loginServer: string
}

const read = (operation: string, text: string): Effect.Effect<Reference.Reference, RegistryError> =>
  Effect.catch(Effect.fromResult(Reference.parse(text)), ({ message }) =>
    refuse(operation, problemOf(text, message), "reference", text)
  )

/** Parses a reference, or accepts a parsed one. */
export const locate = (operation: string, input: string | Reference.Reference): Effect.Effect<Located, RegistryError> =>
  Effect.gen(function* () {
    const reference = typeof input === "string" ? yield* read(operation, input) : input
    const host = yield* loginServer(operation, reference.registry, "reference")
    return {
      reference: { ...reference, repository: repositoryAt(`https://${host}`, reference.repository) },
      loginServer: host
    }
  })
