/**
 * Where the reference is made from, and where it is kept.
 */
import { fileURLToPath } from "node:url"
import { read } from "./read.ts"

/** The folder of the repository. */
export const root = fileURLToPath(new URL("..", import.meta.url))

/** The folder of the pages. */
export const folder = fileURLToPath(new URL("../docs/api/", import.meta.url))

/** What the packages export. */
export const readPackages = () => read(root, ["client", "artifacts", "node", "azure-identity", "emulator", "migration"])
