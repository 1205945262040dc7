/**
 * Reads what a problem says: why, what helps, and the exit code.
 */
import type { Fault } from "@effect-acr/artifacts/Copy"
import type { CopyError } from "@effect-acr/artifacts/CopyError"
import type { GraphError } from "@effect-acr/artifacts/Graph"
import type { RetentionError } from "@effect-acr/artifacts/RetentionError"
import * as Platform from "@effect-acr/client/Platform"
import type { MigrationError } from "@effect-acr/migration/MigrationError"
import * as Result from "effect/Result"
import { type ExitCode, exitCodes } from "./exitCode.ts"
import { movesTags, type Problem, type Reading, type StoreError } from "./problem.ts"
import { ofLoginStore, ofOutput, ofPlatform, ofStore } from "./readings/files.ts"
import { connectionHelp, ofRegistry } from "./readings/registry.ts"

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
  Interrupted: "the same command continues",
  Locked: "run again once that process has ended. The lock of a killed process ends ten seconds after the kill",
  StoreFull: "the same command continues",
  PlaceFailed: "once that is solved, repeat the command: a run continues where it stopped"
}

const graphCodes: Record<GraphError["problem"], ExitCode> = {
  Missing: exitCodes.notFound,
  Unreadable: exitCodes.contentDiffers,
  TooDeep: exitCodes.unsafe,
  TooLarge: exitCodes.unsafe
}

/** Adds to the error of a copy the side that failed. */
const ofCopy = ({ cause, node, side }: CopyError<StoreError | Fault>): Reading => {
  const reading = readingOf(cause)
  const place = node._tag === "Some" ? `at the ${side}, ${node.value}` : `at the ${side}`
  return { ...reading, why: `${place}: ${reading.why}` }
}

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
        help: problem.connection === undefined ? migrationHelp[problem.problem] : connectionHelp[problem.connection]
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
      return { why: problem.message, code: retentionCodes[problem.problem] }
    case "PlatformError":
      return ofPlatform(problem)
    case "OutputFailed":
      return problem.isClosed ? { why: "", code: exitCodes.pipeClosed } : ofOutput(problem)
    case "ConfigError":
      return { why: problem.message, code: exitCodes.wrongCall }
    case "NotThere":
      return { why: problem.description, help: problem.help, code: exitCodes.notFound }
    case "Denied":
      return { why: problem.description, help: problem.help, code: exitCodes.denied }
    case "Refused":
      return { why: problem.description, help: problem.help, code: exitCodes.refused }
    case "Unsafe":
      return { why: problem.description, help: problem.help, code: exitCodes.unsafe }
    case "WrongCall":
      return { why: problem.description, code: exitCodes.wrongCall }
  }
}
