/**
 * One call of Azure's JavaScript client, in a process of its own, since some of what comes of it ends a process.
 *
 * Arguments: the call, the registry's address, a file with the certificate to trust, the digest of a blob. Prints what
 * came of it in a line.
 */
import { readFileSync } from "node:fs"
import { ContainerRegistryClient, ContainerRegistryContentClient } from "@azure/container-registry"

const [, , call = "", endpoint = "", certificate = "", digest = ""] = process.argv

const options = {
  audience: "https://containerregistry.azure.net",
  tlsOptions: { ca: readFileSync(certificate, "utf8") },
  retryOptions: { maxRetries: 1, retryDelayInMs: 10, maxRetryDelayInMs: 10 }
}

/** What the SDK passed to the credential besides the scopes. */
let told: ReadonlyArray<string> = []

const credential = {
  getToken: (_: unknown, given: object) => {
    told = Object.keys(given)
    return Promise.resolve({ token: "planted-entra-token", expiresOnTimestamp: Date.now() + 3_600_000 })
  }
}

const registry = new ContainerRegistryClient(endpoint, credential, options)
const content = new ContainerRegistryContentClient(endpoint, "a", credential, options)

const list = async (): Promise<string> => {
  const names: Array<string> = []
  for await (const name of registry.listRepositoryNames()) names.push(name)
  return "is read"
}

const tag = (repository: string) => registry.getArtifact(repository, "v1").getTagProperties("v1")

const download = async (): Promise<string> => {
  const { content: stream } = await content.downloadBlob(digest)
  let size = 0
  for await (const piece of stream) size += Buffer.byteLength(piece)
  return `is read, ${size} bytes`
}

/** With the tokens of a first call at hand. */
const downloadAgain = async (): Promise<string> => {
  await download().catch(() => {})
  return download()
}

const second = () => new Promise((resolve) => setTimeout(resolve, 1000))

const calls: { readonly [name: string]: () => Promise<string> } = {
  list,
  download,
  downloadAgain,
  alternate: async () => {
    for (let count = 0; count < 10; count++) await tag(count % 2 === 0 ? "a" : "b")
    return "is read"
  },
  parallel: async () => {
    await Promise.all(Array.from({ length: 20 }, () => tag("a")))
    return "is read"
  },
  again: async () => {
    await tag("a")
    // The test takes its tokens away here.
    process.stdout.write("ready\n")
    await new Promise((resolve) => process.stdin.once("data", resolve))
    await tag("a")
    return "is read"
  },
  background: async () => {
    await tag("a")
    process.stdout.write("ready\n")
    await new Promise((resolve) => process.stdin.once("data", resolve))
    await tag("a").catch(() => {})
    // It tries anew every three seconds, and gives up when the token has run out.
    for (let count = 0; count < 12; count++) await second()
    return "goes on"
  },
  abort: async () => {
    const controller = new AbortController()
    const slow = {
      getToken: () => {
        setImmediate(() => controller.abort())
        return new Promise<never>(() => {})
      }
    }
    const client = new ContainerRegistryClient(endpoint, slow, options)
    const names = client.listRepositoryNames({ abortSignal: controller.signal })
    const outcome = names.next().then(
      () => "is read",
      () => "ends at once"
    )
    return Promise.race([
      outcome,
      second()
        .then(second)
        .then(() => "goes on waiting for a token")
    ])
  },
  told: async () => {
    await list()
    return told.includes("request") ? "hands the request to the credential" : "is read"
  }
}

const outcome = await (calls[call] ?? (() => Promise.resolve("no such call")))().catch((error: unknown) =>
  error instanceof Error ? `fails: ${error.name}` : "fails"
)
process.stdout.write(`${outcome}\n`)
process.exit(0)
