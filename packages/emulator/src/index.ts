/**
 * An Azure Container Registry in a box, for tests and for trying things out.
 *
 * @since 0.1.0
 */

/** A running emulator. */
export * as AcrEmulator from "./AcrEmulator.ts"

/** What the registry of an emulator holds. */
export * as Contents from "./Contents.ts"

/** Serves the API by which an emulator is controlled. */
export * as Control from "./Control.ts"

/** The API by which an emulator is controlled, and its client. */
export * as ControlApi from "./ControlApi.ts"

/** Why an emulator can't keep its registry in a folder. */
export * as DirectoryError from "./DirectoryError.ts"

/** What the emulator does wrong, as data. */
export * as Fault from "./Fault.ts"

/** What was asked of the emulator. */
export * as Journal from "./Journal.ts"

/** Which kind of registry the emulator is. */
export * as Modes from "./Modes.ts"

/** What a token may do with which repositories. */
export * as ScopeMap from "./ScopeMap.ts"

/** Why the emulator cannot be filled with a seed. */
export * as SeedError from "./SeedError.ts"

/** What the emulator is filled with. */
export * as SeedImage from "./SeedImage.ts"
/** The emulator as a subcommand of another command. */
export * as ServeCommand from "./ServeCommand.ts"
