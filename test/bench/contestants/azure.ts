/**
 * Azure's own client for JavaScript.
 */
import { createReadStream, createWriteStream, readFileSync } from "node:fs"
import { readFile, writeFile } from "node:fs/promises"
import { pipeline } from "node:stream/promises"
import { ContainerRegistryClient, ContainerRegistryContentClient } from "@azure/container-registry"
import { contentOf } from "../content.ts"
import { blobFile, blobsOf, manifestFile } from "../image.ts"
import { inParallel } from "../inParallel.ts"
import { compete, expectCount, type RegistryJob, warmUpReads, type Work } from "../job.ts"

const drain = async (stream: NodeJS.ReadableStream) => {
  stream.resume()
  await new Promise((resolve, reject) => stream.on("end", resolve).on("error", reject))
}

const countAll = async (items: AsyncIterable<unknown>, expected: number) => {
  let seen = 0
  for await (const _ of items) seen += 1
  expectCount(seen, expected)
}

/** Is never asked: these registries let everyone in. */
const credential = { getToken: () => Promise.resolve(null) }

const prepare = (job: RegistryJob): Work | Promise<Work> => {
  const options =
    job.ca === undefined ? { allowInsecureConnection: true } : { tlsOptions: { ca: readFileSync(job.ca, "utf8") } }
  const content = new ContainerRegistryContentClient(job.endpoint, job.repository, credential, options)
  const registry = new ContainerRegistryClient(job.endpoint, options).getRepository(job.repository)

  switch (job._tag) {
    case "Download":
      return async () => drain((await content.downloadBlob(job.digest)).content)
    case "DownloadFile":
      return async () => pipeline((await content.downloadBlob(job.digest)).content, createWriteStream(job.path))
    case "Upload": {
      const bytes = contentOf(job.size)
      return () => content.uploadBlob(bytes)
    }
    case "UploadFile":
      return () => content.uploadBlob(createReadStream(job.path))
    case "Push":
      return async () => {
        const manifest = await readFile(manifestFile(job.folder), "utf8")
        await inParallel(blobsOf(manifest), job.width, ({ digest }) =>
          content.uploadBlob(createReadStream(blobFile(job.folder, digest)))
        )
        await content.setManifest(Buffer.from(manifest), { tag: job.tag })
      }
    case "Pull":
      return async () => {
        const { content: manifest } = await content.getManifest(job.tag)
        const text = Buffer.from(manifest).toString()
        await inParallel(blobsOf(text), job.width, async ({ digest }) =>
          pipeline((await content.downloadBlob(digest)).content, createWriteStream(blobFile(job.folder, digest)))
        )
        await writeFile(manifestFile(job.folder), text)
      }
    case "ListTags":
      return () => countAll(registry.getArtifact("v0").listTagProperties(), job.count)
    case "ListManifests":
      return () => countAll(registry.listManifestProperties(), job.count)
    case "ReadManifests": {
      const read = (times: number) =>
        inParallel(Array.from({ length: times }), job.width, () => content.getManifest(job.tag))
      return read(warmUpReads).then(() => () => read(job.count))
    }
    case "Copy":
      throw new Error("the Azure SDK copies nothing")
  }
}

await compete(prepare)
