/**
 * All that a verb fails with: the command's own problems, and the errors of the libraries.
 */
import type { ArchiveError } from "@effect-acr/artifacts/ArchiveError"
import type { ArtifactError } from "@effect-acr/artifacts/ArtifactError"
import type { Fault } from "@effect-acr/artifacts/Copy"
import type { CopyError } from "@effect-acr/artifacts/CopyError"
import type { FolderError } from "@effect-acr/artifacts/FolderError"
import type { LayoutError } from "@effect-acr/artifacts/LayoutError"
import type { RetentionError } from "@effect-acr/artifacts/RetentionError"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import type { MigrationError } from "@effect-acr/migration/MigrationError"
import type { LoginStoreError } from "@effect-acr/node/DockerConfig"
import type * as Config from "effect/Config"
import * as Data from "effect/Data"
import type { PlatformError } from "effect/PlatformError"
import type { ExitCode } from "./exitCode.ts"
import type { OutputFailed } from "./output.ts"

/** The flags and arguments of the call are valid by themselves, and wrong together or here. */
export class WrongCall extends Data.TaggedError("WrongCall")<{ readonly description: string }> {}

/** What the call names does not exist. */
export class NotThere extends Data.TaggedError("NotThere")<{
  readonly description: string
  readonly help?: string
}> {}

/** A registry refuses the login. */
export class Denied extends Data.TaggedError("Denied")<{
  readonly description: string
  readonly help: string
}> {}

/** Continuing would break something that the call did not name. */
export class Unsafe extends Data.TaggedError("Unsafe")<{
  readonly description: string
  readonly help?: string
}> {}

/** Something exists already, and only a flag replaces it. */
export class Refused extends Data.TaggedError("Refused")<{
  readonly description: string
  /** The flag. */
  readonly help: string
}> {}

/** The answer is printed. The exit code tells more about it. */
export class Ended extends Data.TaggedError("Ended")<{ readonly code: ExitCode }> {}

export type StoreError = ArchiveError | LayoutError | PlatformError | RegistryError

export type Problem =
  | StoreError
  | ArtifactError
  | Config.ConfigError
  | CopyError<StoreError | Fault>
  | Denied
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

/** What the command says of a problem: why, what helps if that is known, and the exit code. */
export interface Reading {
  readonly why: string
  readonly help?: string | undefined
  readonly code: ExitCode
}

/** The flag that moves a tag which is there already. */
export const movesTags = "--on-tag overwrite moves it"

/** The flag that replaces a file which is there already. */
export const replacesFiles = "--overwrite replaces it"

/** The command that removes a lock. */
export const unlocks = (name: string): string => `unlock it first: eacr unlock ${name}`
