/**
 * Programs that do all operations of one of Azure's published clients: what they are built of, and where the cache has them.
 */
import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { cacheFolder, isExecutable } from "./tools.ts"

/** A program of ours, in a folder under `test/tools`. */
export interface AzureClient {
  /** The name of the program, and of its folder in the cache. */
  readonly name: "azure-go" | "azure-python"
  readonly language: "Go" | "Python"
  /** The folder of its sources. */
  readonly folder: string
  /** The files of which the cache keeps something: a change of one of them needs another build. */
  readonly builtFrom: (file: string) => boolean
}

const folderOf = (name: string): string => fileURLToPath(new URL(`../tools/${name}`, import.meta.url))

export const azureClients = {
  go: { name: "azure-go", language: "Go", folder: folderOf("azureGo"), builtFrom: () => true },
  python: {
    name: "azure-python",
    language: "Python",
    folder: folderOf("azurePython"),
    builtFrom: (file) => file === "requirements.txt"
  }
} as const satisfies Record<string, AzureClient>

/** Names what it is built from. */
export const versionOf = ({ builtFrom, folder }: AzureClient): string => {
  const hash = createHash("sha256")
  for (const file of readdirSync(folder).filter(builtFrom).toSorted()) {
    hash.update(`${file}\0`).update(readFileSync(join(folder, file)))
  }
  return hash.digest("hex").slice(0, 12)
}

/** The folder of the cache in which it is. */
export const cachedFolder = (client: AzureClient): string =>
  join(cacheFolder(), `${client.name}-${versionOf(client)}`, client.name)

/** What runs it: a program, or the Python of an environment that has Azure's client. */
export const commandOf = (client: AzureClient): { readonly command: string; readonly args: ReadonlyArray<string> } =>
  client.language === "Go"
    ? { command: join(cachedFolder(client), client.name), args: [] }
    : { command: join(cachedFolder(client), "bin/python"), args: [join(client.folder, "operations.py")] }

/** Whether the cache has it: `describe.runIf(isThere(azureClients.go))`. */
export const isThere = (client: AzureClient): boolean =>
  process.platform === "linux" && isExecutable(commandOf(client).command)
