/**
 * An emulator of Azure Container Registry, for tests and experiments.
 *
 * @since 0.1.0
 */

/** A running emulator. */
export * as AcrEmulator from "./AcrEmulator.ts"

/** The contents of an emulator's registry. */
export * as Contents from "./Contents.ts"

/** Serves the control API of an emulator. */
export * as Control from "./Control.ts"

/** The control API of an emulator, and its client. */
export * as ControlApi from "./ControlApi.ts"

/** Why an emulator cannot keep its registry in a folder. */
export * as DirectoryError from "./DirectoryError.ts"

/** Faults of the emulator, as data. */
export * as Fault from "./Fault.ts"

/** The requests to the emulator and their responses. */
export * as Journal from "./Journal.ts"

/** The modes of the emulator: which features of a registry it has. */
export * as Modes from "./Modes.ts"

/** The permissions of a token, by repository. */
export * as ScopeMap from "./ScopeMap.ts"

/** Why a seed cannot be put into the emulator. */
export * as SeedError from "./SeedError.ts"

/** Seeds: the images and artifacts to put into the emulator. */
export * as SeedImage from "./SeedImage.ts"
/** The emulator as a subcommand of another command. */
export * as ServeCommand from "./ServeCommand.ts"
