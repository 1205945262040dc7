/**
 * What failed, why, and what to do, in the words of the command.
 */
import type { ArchiveError } from "@effect-acr/artifacts/ArchiveError"
import type { ArtifactError } from "@effect-acr/artifacts/ArtifactError"
import type { Fault } from "@effect-acr/artifacts/Copy"
import type { CopyError } from "@effect-acr/artifacts/CopyError"
import type { FolderError } from "@effect-acr/artifacts/FolderError"
import type { GraphError } from "@effect-acr/artifacts/Graph"
import type { LayoutError } from "@effect-acr/artifacts/LayoutError"
import type { RetentionError } from "@effect-acr/artifacts/RetentionError"
import * as Platform from "@effect-acr/client/Platform"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import type { MigrationError } from "@effect-acr/migration/MigrationError"
import type { LoginStoreError } from "@effect-acr/node/DockerConfig"
import type * as Config from "effect/Config"
import * as Data from "effect/Data"
import { PlatformError } from "effect/PlatformError"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import { type ExitCode, exitCodes } from "./exitCode.ts"
import type { OutputFailed } from "./output.ts"
import { printable } from "@effect-acr/client/Printable"

/** A failure as the command prints it. */
export class Failure extends Data.TaggedError("Failure")<{
  /** What failed and on which object. */
  readonly what: string
  readonly why: string
  /** What helps, if that is known. */
  readonly help?: string | undefined
  readonly code: ExitCode
}> {}

/** The call is wrong in a way that no flag or argument shows by itself. */
export class WrongCall extends Data.TaggedError("WrongCall")<{ readonly description: string }> {}

/** What a call names is not there. */
export class NotThere extends Data.TaggedError("NotThere")<{
  readonly description: string
  readonly help?: string
}> {}

/** Continuing would break something that was not named. */
export class Unsafe extends Data.TaggedError("Unsafe")<{ readonly description: string }> {}

/** Something is there already, and is not replaced unless a flag says so. */
export class Refused extends Data.TaggedError("Refused")<{
  readonly description: string
  /** The flag. */
  readonly help: string
}> {}

/** The answer was printed, and the exit code says more about it. */
export class Ended extends Data.TaggedError("Ended")<{ readonly code: ExitCode }> {}

/** The errors of stores. */
export type StoreError = ArchiveError | LayoutError | PlatformError | RegistryError

/** All that a verb fails with. */
export type Problem =
  | StoreError
  | ArtifactError
  | Config.ConfigError
  | CopyError<StoreError | Fault>
  | Fault
  | FolderError
  | LoginStoreError
  | MigrationError
  | NotThere
  | OutputFailed
  | Refused
  | RetentionError
  | Unsafe
  | WrongCall

/** What a problem comes down to. */
interface Reading {
  readonly why: string
  readonly help?: string | undefined
  readonly code: ExitCode
}

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
 * What the registry itself said besides the reason, with the ids by which its operators find the request. A missing or wrong
 * login is found by the user, and `--verbose` shows its requests.
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

/** What a caller of the library changes to use TLS or not. A user of the command gives a flag, which `connectionHelp` names. */
const endpointHint = /; (?:if the server speaks TLS,|for plain http) the endpoint begins with https?:\/\//

/** What was said of a connection, without what helps a caller of the library alone. */
export const connectionWords = (text: string): string =>
  text.includes("SSL routines:") && text.includes("wrong version number")
    ? "the server does not speak TLS"
    : text
        .replace(endpointHint, "")
        .replace(/; if the root CA is installed locally, try running Node\.js .*?--use-system-ca/, "")

const untrusted = /unable to (?:verify the first|get (?:local )?issuer) certificate|self-signed certificate/

/** What helps if a connection failed as its text says; nothing if that says too little. */
export const connectionHelp = (text: string): string | undefined => {
  if (text.includes("if the server speaks TLS")) {
    return "for a registry with TLS on this machine: --no-plain-http"
  }
  if (text.includes("does not speak TLS") || connectionWords(text).includes("does not speak TLS")) {
    return "for a registry without TLS: --plain-http, which sends the login unprotected"
  }
  return untrusted.test(text)
    ? "if the certificate is right, trust its authority: --ca-file FILE, or NODE_USE_SYSTEM_CA=1 for those of the system"
    : undefined
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
      return "unlock it first: eacr unlock"
    case "Throttled":
      return "try again later"
    case "Unavailable":
      return connectionHelp(error.reason.description) ?? `what can be reached: eacr doctor ${loginServerOf(error)}`
    default:
      return undefined
  }
}

const ofRegistry = (error: RegistryError): Reading => ({
  why: [
    ...(error.completed === undefined ? [] : [`before that, ${error.completed}`]),
    connectionWords(error.reason.message),
    ...answerOf(error)
  ].join("\n"),
  help: registryHelp(error),
  code: registryCodes[error.reason._tag]
})

const platformCodes: Partial<Record<PlatformError["reason"]["_tag"], ExitCode>> = {
  NotFound: exitCodes.notFound,
  PermissionDenied: exitCodes.denied,
  AlreadyExists: exitCodes.refused
}

/** What the codes of the system mean that users can do something about. Messages of the platform do not name them. */
const systemCodes: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the quota of this user on the disk is used up",
  EFBIG: "the file is larger than the file system or a limit of this user allows",
  EROFS: "the file system can only be read",
  EACCES: "this user lacks the permission",
  EMFILE: "this process has too many open files",
  ENFILE: "this machine has too many open files",
  EIO: "the disk fails"
}

/** The code of the system in the chain of causes of an error, and what it means. */
const systemCode = (error: unknown, depth = 0): string | undefined => {
  if (!Predicate.isObject(error) || depth > 8) return undefined
  if ("code" in error && typeof error.code === "string" && /^E[A-Z0-9]+$/.test(error.code)) {
    const meaning = systemCodes[error.code]
    return meaning === undefined ? error.code : `${meaning} (${error.code})`
  }
  const inner = error instanceof PlatformError ? error.reason.cause : Reflect.get(error, "cause")
  return systemCode(inner, depth + 1)
}

/** What the system said, unless the message has it already. */
const withSystemCode = (message: string, cause: unknown): string => {
  const code = systemCode(cause)
  return code === undefined || message.includes(code) ? message : `${message}: ${code}`
}

/** Says what a file was refused for in words, and not by the operation that failed. A number is no name of a file. */
const fileWords = (error: PlatformError): string => {
  const { reason } = error
  const file = reason._tag === "BadArgument" ? undefined : reason.pathOrDescriptor
  if (reason._tag === "NotFound" && file !== undefined) return `there is no file ${file}`
  const code = systemCode(error)
  if (code === undefined || !code.includes("(")) return withSystemCode(error.message, error)
  return typeof file === "string" ? `${file}: ${code}` : code
}

const ofPlatform = (error: PlatformError): Reading => ({
  why: fileWords(error),
  code: platformCodes[error.reason._tag] ?? exitCodes.unexpected
})

/** What a store says of a file, with its own name for it. */
const storeFileWords = (message: string, cause: unknown): string => {
  if (!(cause instanceof PlatformError)) return withSystemCode(message, cause)
  if (cause.reason._tag === "NotFound") return fileWords(cause)
  const code = systemCode(cause)
  return code?.includes("(") === true ? message.replace(cause.message, code) : withSystemCode(message, cause)
}

/** The flags that do what functions of the library do. */
const storeWords = (message: string): string =>
  message
    .replace("ImageLayout.open reads image layouts", "--layout, or --from-layout of cp, reads image layouts")
    .replace(
      "ImageArchive.read reads image layouts in a tar archive",
      "--archive, or --from-archive of cp, reads tar archives"
    )
    .replace("ImageArchive.fromStream reads it", "- reads standard input")

const ofOutput = ({ cause, isLast = false }: OutputFailed): Reading => ({
  why: withSystemCode("standard output takes no more", cause),
  help: isLast ? "all else is done" : undefined,
  code: exitCodes.unexpected
})

const storeCodes: Record<
  Exclude<(LayoutError | ArchiveError | ArtifactError | FolderError)["reason"]["_tag"], "FileFailed">,
  ExitCode
> = {
  NotALayout: exitCodes.wrongCall,
  UnsupportedVersion: exitCodes.refused,
  InvalidIndex: exitCodes.contentDiffers,
  Ambiguous: exitCodes.wrongCall,
  ContentMissing: exitCodes.notFound,
  ContentDiffers: exitCodes.contentDiffers,
  UnknownManifest: exitCodes.unsafe,
  Locked: exitCodes.unavailable,
  SharedBlobs: exitCodes.unsafe,
  NotAnArchive: exitCodes.wrongCall,
  UnsupportedArchive: exitCodes.refused,
  InvalidArchive: exitCodes.contentDiffers,
  AlreadyRead: exitCodes.wrongCall,
  NotFound: exitCodes.notFound,
  NotAnImage: exitCodes.wrongCall,
  PlatformRequired: exitCodes.wrongCall,
  NoPlatform: exitCodes.wrongCall,
  DuplicatePlatform: exitCodes.wrongCall,
  NoImages: exitCodes.wrongCall,
  InvalidArtifact: exitCodes.wrongCall,
  RefusedEntry: exitCodes.unsafe,
  FileChanged: exitCodes.partly,
  LimitExceeded: exitCodes.unsafe,
  AlreadyThere: exitCodes.refused
}

/** The exit code of what the file system refused, by what it said. */
const fileCode = (cause: unknown): ExitCode =>
  cause instanceof PlatformError ? ofPlatform(cause).code : exitCodes.unexpected

export const replacesFiles = "--overwrite replaces it"

const storeHelp = (
  reason: (LayoutError | ArchiveError | ArtifactError | FolderError)["reason"]
): string | undefined => {
  if (reason._tag === "AlreadyThere") return replacesFiles
  return reason._tag === "PlatformRequired" && reason.available.length > 0 ? "choose one: --platform" : undefined
}

const ofStore = ({ message, reason }: LayoutError | ArchiveError | ArtifactError | FolderError): Reading => ({
  why: reason._tag === "FileFailed" ? storeFileWords(message, reason.cause) : storeWords(message),
  code: reason._tag === "FileFailed" ? fileCode(reason.cause) : storeCodes[reason._tag],
  help: storeHelp(reason)
})

const retentionCodes: Record<RetentionError["problem"], ExitCode> = {
  InvalidRules: exitCodes.wrongCall,
  UnknownList: exitCodes.wrongCall,
  OtherRules: exitCodes.wrongCall,
  OtherRepository: exitCodes.wrongCall,
  OtherPlan: exitCodes.wrongCall,
  TooOld: exitCodes.unsafe,
  InconsistentPlan: exitCodes.unsafe,
  LimitExceeded: exitCodes.unsafe,
  LocksNotAllowed: exitCodes.unsafe,
  CacheFailed: exitCodes.unexpected,
  JournalFailed: exitCodes.unexpected
}

const migrationCodes: Record<MigrationError["problem"], ExitCode> = {
  InvalidRules: exitCodes.wrongCall,
  NothingSelected: exitCodes.notFound,
  OtherRules: exitCodes.wrongCall,
  UnknownRun: exitCodes.notFound,
  NewerStore: exitCodes.wrongCall,
  Interrupted: exitCodes.unavailable,
  Locked: exitCodes.unavailable,
  StoreFull: exitCodes.unexpected,
  StoreFailed: exitCodes.unexpected,
  Denied: exitCodes.denied,
  PlaceFailed: exitCodes.unavailable,
  RunnerFailed: exitCodes.wrongCall
}

const migrationHelp: Partial<Record<MigrationError["problem"], string>> = {
  Denied: "log in: eacr login. Which login is used: eacr whoami. The same command continues",
  Interrupted: "the same command continues",
  StoreFull: "the same command continues"
}

const loginStoreCodes: Record<LoginStoreError["problem"], ExitCode> = {
  InvalidFile: exitCodes.contentDiffers,
  FileFailed: exitCodes.unexpected,
  HelperMissing: exitCodes.unexpected,
  HelperFailed: exitCodes.unexpected,
  TimedOut: exitCodes.unavailable
}

const ofLoginStore = ({ message, problem }: LoginStoreError): Reading => ({
  why: message.replace(/ \((E[A-Z0-9]+)\)$/, (text, code: string) =>
    systemCodes[code] === undefined ? text : `: ${systemCodes[code]}${text}`
  ),
  code: loginStoreCodes[problem],
  help: problem === "HelperMissing" ? "install it, or remove it from docker's configuration" : undefined
})

const graphCodes: Record<GraphError["problem"], ExitCode> = {
  Missing: exitCodes.notFound,
  Unreadable: exitCodes.contentDiffers,
  TooDeep: exitCodes.unsafe,
  TooLarge: exitCodes.unsafe
}

/** A copy failed on one side, whose error says why. */
const ofCopy = ({ cause, node, side }: CopyError<StoreError | Fault>): Reading => {
  const reading = readingOf(cause)
  const place = node._tag === "Some" ? `at the ${side}, ${node.value}` : `at the ${side}`
  return { ...reading, why: `${place}: ${reading.why}` }
}

export const movesTags = "--on-tag overwrite moves it"

/** Reads what a problem says. */
export const readingOf = (problem: Problem): Reading => {
  switch (problem._tag) {
    case "RegistryError":
      return ofRegistry(problem)
    case "LayoutError":
    case "ArchiveError":
    case "ArtifactError":
    case "FolderError":
      return ofStore(problem)
    case "CopyError":
      return ofCopy(problem)
    case "GraphError":
      return { why: problem.message, code: graphCodes[problem.problem] }
    case "LoginStoreError":
      return ofLoginStore(problem)
    case "MigrationError":
      return {
        why: problem.message,
        code: migrationCodes[problem.problem],
        help: migrationHelp[problem.problem]
      }
    case "MissingContent":
      return { why: problem.message, code: exitCodes.refused }
    case "TagExists":
      return { why: problem.message, code: exitCodes.refused, help: movesTags }
    case "PlatformNotFound":
      if (problem.wanted.some((platform) => Result.isFailure(Platform.fromInput(platform)))) {
        return { why: problem.message, code: exitCodes.wrongCall }
      }
      return { why: problem.message, code: exitCodes.notFound }
    case "RetentionError":
      return {
        why: problem.message,
        code: retentionCodes[problem.problem],
        help:
          problem.problem === "LimitExceeded"
            ? "if that is meant, --rules FILE sets other limits: maxDeletions, maxFraction, minRemaining"
            : undefined
      }
    case "PlatformError":
      return ofPlatform(problem)
    case "OutputFailed":
      return problem.isClosed ? { why: "", code: exitCodes.pipeClosed } : ofOutput(problem)
    case "ConfigError":
      return { why: problem.message, code: exitCodes.wrongCall }
    case "NotThere":
      return { why: problem.description, help: problem.help, code: exitCodes.notFound }
    case "Refused":
      return { why: problem.description, help: problem.help, code: exitCodes.refused }
    case "Unsafe":
      return { why: problem.description, code: exitCodes.unsafe }
    case "WrongCall":
      return { why: problem.description, code: exitCodes.wrongCall }
  }
}

/**
 * A name that was typed with a login in it, as in an address, is not repeated with the login. A password may have any character,
 * so that all before the last @ of a line goes. A digest follows a name.
 */
const withoutLogin = (text: string): string =>
  text
    .replace(/\/\/[^\n]*@(?!sha\d+:)/g, "//<redacted>@")
    .replace(/(^|[\s"'`(])[^\s/@"'`(]+:(?!\/\/)[^\n]*@(?!sha\d+:)/g, "$1<redacted>@")

/** Says of a problem what was being done. */
export const failureOf =
  (what: string) =>
  (problem: Problem | Ended): Failure | Ended => {
    if (problem._tag === "Ended") return problem
    return new Failure({ what: problem._tag === "OutputFailed" ? "print the answer" : what, ...readingOf(problem) })
  }

const indented = (text: string): string =>
  text
    .split("\n")
    .map((line) => `  ${printable(line)}`)
    .join("\n")

/** Writes a failure: what and on which object, why, and what to do. */
export const format = ({ help, what, why }: Failure): string =>
  [
    `error: cannot ${printable(withoutLogin(what))}`,
    ...[why, ...(help === undefined ? [] : [help])].map((text) => indented(withoutLogin(text)))
  ].join("\n")
