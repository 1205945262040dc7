/**
 * What the command says of errors of registries.
 */
import type { ConnectionProblem, Reason, RegistryError } from "@effect-acr/client/RegistryError"
import { type ExitCode, exitCodes } from "../exitCode.ts"
import { type Reading, unlocks } from "../problem.ts"

const registryCodes: Record<RegistryError["reason"]["_tag"], ExitCode> = {
  Unauthenticated: exitCodes.denied,
  CredentialUnavailable: exitCodes.denied,
  Forbidden: exitCodes.denied,
  NotFound: exitCodes.notFound,
  Locked: exitCodes.refused,
  Unsupported: exitCodes.refused,
  Throttled: exitCodes.unavailable,
  Unavailable: exitCodes.unavailable,
  InvalidRequest: exitCodes.wrongCall,
  InvalidResponse: exitCodes.contentDiffers,
  ContentMismatch: exitCodes.contentDiffers,
  TooLarge: exitCodes.unsafe,
  Refused: exitCodes.unsafe
}

/**
 * The registry's own errors beyond the reason, and the ids by which its operators find the request. A missing or wrong
 * login needs no ids: the user can fix it, and `--verbose` shows the requests.
 */
const answerOf = ({ reason, request, response }: RegistryError): ReadonlyArray<string> => {
  const said = (response?.errors ?? [])
    .map(({ code, message }) => [code, message].filter((part) => part !== "").join(": "))
    .filter((text) => !reason.message.includes(text.replace(/[.\s]+$/, "")))
  if (reason._tag === "Unauthenticated") return said
  const asked = request === undefined ? [] : [`${request.method} ${request.url}`]
  const status = response === undefined ? [] : [`status ${response.status}`]
  const ids = [
    ...(request === undefined ? [] : [`client request id ${request.clientRequestId}`]),
    ...(response?.correlationId === undefined ? [] : [`correlation id ${response.correlationId}`])
  ]
  return [...said, [...asked, ...status, ...ids].join(", ")].filter((line) => line !== "")
}

const loginServerOf = ({ request }: RegistryError): string => {
  const host = request === undefined ? undefined : URL.parse(request.url)?.host
  return host ?? "<registry>"
}

/** The flags and variables of the command that mend a connection. */
export const connectionHelp: Record<ConnectionProblem, string> = {
  WithoutTls: "for a registry without TLS: --plain-http, which sends the login unprotected",
  ProbablyWithTls: "for a registry with TLS on this machine: --no-plain-http",
  UntrustedIssuer:
    "if the certificate is right, trust its authority: --ca-file FILE, or NODE_USE_SYSTEM_CA=1 for those of the system"
}

/** Why a connection failed and which flag helps, if one does. The library's own message names its options instead. */
export const ofConnection = (reason: Reason): { readonly why: string; readonly help: string } | undefined =>
  reason._tag === "Unavailable" && reason.problem !== undefined
    ? { why: reason.description, help: connectionHelp[reason.problem] }
    : undefined

const nameOf = (repository: string, name: string): string => `${repository}${name.includes(":") ? "@" : ":"}${name}`

/** How to remove the lock that refused a request. The registry does not say whether it is that of the repository. */
const lockHelp = (error: RegistryError): string => {
  const path = (URL.parse(error.request?.url ?? "")?.pathname ?? "").replace(/%2f/gi, "/").replace(/%3a/gi, ":")
  const [, repository = "<repository>", name] =
    /^\/(?:v2|acr\/v1)\/(.+)\/(?:blobs\/|(?:manifests|_manifests|_tags)\/([^/]+)$)/.exec(path) ?? []
  const whole = `${loginServerOf(error)}/${repository}`
  return name === undefined
    ? unlocks(whole)
    : `${unlocks(nameOf(whole, name))}\nor its repository, if that is what is locked: eacr unlock ${whole}`
}

const registryHelp = (error: RegistryError): string | undefined => {
  if (error.operation === "Transport.check" && error.reason._tag === "Unauthenticated") {
    return "the registry refuses this login: the user name or the password is wrong, or has expired"
  }
  switch (error.reason._tag) {
    case "Unauthenticated":
    case "CredentialUnavailable":
      return `log in: eacr login ${loginServerOf(error)}. Which login is used: eacr whoami ${loginServerOf(error)}`
    case "Forbidden":
      return `the login lacks a permission. Which login is used: eacr whoami ${loginServerOf(error)}`
    case "Locked":
      return error.reason.by === "lock" ? lockHelp(error) : undefined
    case "Throttled":
      return "try again later"
    case "Unavailable":
      return ofConnection(error.reason)?.help ?? `what can be reached: eacr doctor ${loginServerOf(error)}`
    default:
      return undefined
  }
}

export const ofRegistry = (error: RegistryError): Reading => ({
  why: [
    ...(error.completed === undefined ? [] : [`before that, ${error.completed}`]),
    ofConnection(error.reason)?.why ?? error.reason.message,
    ...answerOf(error)
  ].join("\n"),
  help: registryHelp(error),
  code: registryCodes[error.reason._tag]
})
