/**
 * The platforms that have executables of the command.
 */

/** Platforms as Bun names them. */
export const targets = ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64", "windows-x64"] as const

/** The file of a platform. */
export const executableName = (target: string): string => `eacr-${target}${target.startsWith("windows") ? ".exe" : ""}`
