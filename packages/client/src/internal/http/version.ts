/**
 * The version of this package, which requests state. `npx -y pnpm@12 release:version` writes it.
 */
export const version = "0.1.0"
