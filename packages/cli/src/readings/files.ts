/**
 * What the command says of files: those that the system refuses, and those of stores, folders and logins.
 */
import type { ArchiveError } from "@effect-acr/artifacts/ArchiveError"
import type { ArtifactError } from "@effect-acr/artifacts/ArtifactError"
import type { FolderError } from "@effect-acr/artifacts/FolderError"
import type { LayoutError } from "@effect-acr/artifacts/LayoutError"
import type { LoginStoreError } from "@effect-acr/node/DockerConfig"
import { PlatformError } from "effect/PlatformError"
import * as Predicate from "effect/Predicate"
import { type ExitCode, exitCodes } from "../exitCode.ts"
import type { OutputFailed } from "../output.ts"
import { type Reading, replacesFiles } from "../problem.ts"

const platformCodes: Partial<Record<PlatformError["reason"]["_tag"], ExitCode>> = {
  NotFound: exitCodes.notFound,
  PermissionDenied: exitCodes.denied,
  AlreadyExists: exitCodes.refused
}

/** The meanings of system codes that users can act on. The messages of the platform do not contain them. */
const systemCodes: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the quota of this user on the disk is used up",
  EFBIG: "the file is larger than the file system or a limit of this user allows",
  EROFS: "the file system can only be read",
  EACCES: "this user lacks the permission",
  EMFILE: "this process has too many open files",
  ENFILE: "this machine has too many open files",
  EIO: "the disk fails",
  EISDIR: "this is a folder, not a file"
}

const explained = (code: string): string | undefined =>
  systemCodes[code] === undefined ? undefined : `${systemCodes[code]} (${code})`

/** The code of the system in the chain of causes of an error. */
const systemCode = (error: unknown, depth = 0): string | undefined => {
  if (!Predicate.isObject(error) || depth > 8) return undefined
  if ("code" in error && typeof error.code === "string" && /^E[A-Z0-9]+$/.test(error.code)) return error.code
  const inner = error instanceof PlatformError ? error.reason.cause : Reflect.get(error, "cause")
  return systemCode(inner, depth + 1)
}

/** A text, and the code of the system with its meaning. */
const withCode = (text: string, cause: unknown): string => {
  const code = systemCode(cause)
  return code === undefined ? text : `${text}: ${explained(code) ?? code}`
}

/**
 * Says in words why the system refused a file, and names an operation only if the code says too little. `name` is the
 * caller's name for the file; a number in the error is none.
 */
const fileWords = (error: PlatformError, name?: string): string => {
  const { reason } = error
  const file = reason._tag === "BadArgument" ? undefined : reason.pathOrDescriptor
  if (reason._tag === "NotFound" && file !== undefined) return `there is no file ${file}`
  const shown = name ?? (typeof file === "string" ? file : undefined)
  const code = systemCode(error)
  const meaning = code === undefined ? undefined : explained(code)
  if (meaning === undefined) return withCode(name === undefined ? error.message : `${name}: ${error.message}`, error)
  return shown === undefined ? meaning : `${shown}: ${meaning}`
}

export const ofPlatform = (error: PlatformError): Reading => ({
  why: fileWords(error),
  code:
    systemCode(error) === "EISDIR" ? exitCodes.wrongCall : (platformCodes[error.reason._tag] ?? exitCodes.unexpected)
})

export const ofOutput = ({ cause, isLast = false }: OutputFailed): Reading => ({
  why: withCode("standard output takes no more", cause),
  help: isLast ? "all else is done" : undefined,
  code: exitCodes.unexpected
})

type StoreProblem = LayoutError | ArchiveError | ArtifactError | FolderError

const storeCodes: Record<Exclude<StoreProblem["reason"]["_tag"], "FileFailed">, ExitCode> = {
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

/** The exit code of an error of the file system. */
const fileCode = (cause: unknown): ExitCode =>
  cause instanceof PlatformError ? ofPlatform(cause).code : exitCodes.unexpected

const storeHelp = (reason: StoreProblem["reason"]): string | undefined => {
  if (reason._tag === "AlreadyThere") return replacesFiles
  return reason._tag === "PlatformRequired" && reason.available.length > 0 ? "choose one: --platform" : undefined
}

/** The name of the store, as the error has it. */
const nameOf = (error: StoreProblem): string => {
  switch (error._tag) {
    case "ArchiveError":
      return error.archive
    case "ArtifactError":
      return error.image
    case "LayoutError":
    case "FolderError":
      return error.folder
  }
}

/** What is there instead of a store, and the flag that reads it, if there is one. */
const foundInstead = (reason: StoreProblem["reason"]): string | undefined => {
  if (reason._tag === "NotALayout" && reason.found === "File") {
    return "this is not a folder: --archive, or --from-archive of cp, reads tar archives"
  }
  if (reason._tag === "NotAnArchive" && reason.found === "Folder") {
    return "this is a folder: --layout, or --from-layout of cp, reads image layouts"
  }
  return reason._tag === "UnsupportedArchive" && reason.found === "Pipe"
    ? "this is a pipe or a device, not a file: - reads standard input"
    : undefined
}

const storeWords = (error: StoreProblem): string => {
  const { message, reason } = error
  if (reason._tag === "FileFailed") {
    return reason.cause instanceof PlatformError
      ? fileWords(reason.cause, nameOf(error))
      : withCode(message, reason.cause)
  }
  const found = foundInstead(reason)
  return found === undefined ? message : `${nameOf(error)}: ${found}`
}

export const ofStore = (error: StoreProblem): Reading => {
  const { reason } = error
  return {
    why: storeWords(error),
    code: reason._tag === "FileFailed" ? fileCode(reason.cause) : storeCodes[reason._tag],
    help: storeHelp(reason)
  }
}

const loginStoreCodes: Record<LoginStoreError["problem"], ExitCode> = {
  InvalidFile: exitCodes.contentDiffers,
  FileFailed: exitCodes.unexpected,
  HelperMissing: exitCodes.unexpected,
  HelperFailed: exitCodes.unexpected,
  TimedOut: exitCodes.unavailable
}

const loginStoreWords = ({ code, description, message, place }: LoginStoreError): string => {
  const meaning = code === undefined ? undefined : explained(code)
  return meaning === undefined ? message : `${place}: ${description}: ${meaning}`
}

export const ofLoginStore = (error: LoginStoreError): Reading => ({
  why: loginStoreWords(error),
  code: loginStoreCodes[error.problem],
  help: error.problem === "HelperMissing" ? "install it, or remove it from docker's configuration" : undefined
})
