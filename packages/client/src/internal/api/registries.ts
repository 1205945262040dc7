/**
 * Reads names of registries, and references that begin with one.
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

/** The login server of a registry, in its only spelling: by its address, where case and the default port do not count. */
const spelling = (registry: string): Result.Result<string, string> =>
  Result.map(parseEndpoint(`https://${registry}`), ({ host }) => host)

/** The login server that a name stands for. */
export const loginServer = (operation: string, name: string, argument: string): Effect.Effect<string, RegistryError> =>
  parseRegistry(name).pipe(
    Result.mapError(({ message }) => message),
    Result.flatMap((registry) => Result.mapError(spelling(registry), (problem) => `it ${problem}`)),
    Effect.fromResult,
    Effect.catch((description) => refuse(operation, description, argument, name))
  )

/** A host on its own: `localhost:5000` has the form of an image with a tag, as `node:20` has that of a host with a port. */
const isHost = (text: string): boolean => Result.isSuccess(parseRegistry(text)) && /^localhost(?::|$)|[.[]/.test(text)

/** The same name with a registry before it, if that makes it a reference. */
const qualified = (registry: string, name: string): ReadonlyArray<string> => {
  const reference = `${registry}/${name}`
  return name !== "" && Result.isSuccess(Reference.parse(reference)) ? [reference] : []
}

/** What may have been meant by a name without a registry, in full. */
const fullSpellings = (name: string): ReadonlyArray<string> => {
  if (isHost(name)) return []
  const [first = "", ...rest] = name.split("/")
  return [
    ...qualified("docker.io", rest.length === 0 ? `library/${name}` : name),
    ...(isBareName(first) ? qualified(`${first}.azurecr.io`, rest.join("/")) : [])
  ]
}

/** Says which capital letter is in the name of a repository, if that is all that is wrong with a reference. */
const capitalIn = (text: string): string | undefined => {
  const [, registry = "", repository = "", rest = ""] = /^([^/]+\/)([^:@]*)(.*)$/.exec(text) ?? []
  const [capital] = /[A-Z]/.exec(repository) ?? []
  const lowered = `${registry}${repository.toLowerCase()}${rest}`
  if (capital === undefined || Result.isFailure(Reference.parse(lowered))) return undefined
  const expected = refusedValue(lowered) === lowered ? `: expected ${lowered}` : ""
  return `the name of a repository has no capital letters, and this one has "${capital}"${expected}`
}

/** What is wrong with a text that is no reference. */
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
  // The first line says what was expected. The second names a part of the reference, which callers do not know.
  if (hub === undefined) return message.split("\n", 1).join("")
  // A text that may be a secret is not repeated.
  const [example, azure] = refusedValue(hub) === hub ? [hub, acr] : ["docker.io/library/alpine:3.20"]
  const alternative = azure === undefined ? "" : `, or ${azure} for a registry of Azure`
  return `it names no registry, and none is assumed: expected ${example} for Docker Hub${alternative}`
}

/** A reference, and the login server that it names. */
export interface Located {
  /** With the repository as the registry knows it. */
  readonly reference: Reference.Reference
  readonly loginServer: string
}

const read = (operation: string, text: string): Effect.Effect<Reference.Reference, RegistryError> =>
  Effect.catch(Effect.fromResult(Reference.parse(text)), ({ message }) =>
    refuse(operation, problemOf(text, message), "reference", text)
  )

/** Reads a reference, or takes one that was read. */
export const locate = (operation: string, input: string | Reference.Reference): Effect.Effect<Located, RegistryError> =>
  Effect.gen(function* () {
    const reference = typeof input === "string" ? yield* read(operation, input) : input
    const host = yield* loginServer(operation, reference.registry, "reference")
    return {
      reference: { ...reference, repository: repositoryAt(`https://${host}`, reference.repository) },
      loginServer: host
    }
  })
