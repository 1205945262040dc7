// @ts-check
/**
 * The manifests of a repository as trees: an index with its images, and each manifest with its referrers.
 *
 * @import { ManifestSummary, RepositoryContents } from "../src/Contents.ts"
 */

/**
 * A place in a tree. The manifest that an index or a tag names need not exist.
 *
 * @typedef {object} Node
 * @property {string} digest
 * @property {ManifestSummary | undefined} manifest
 * @property {"root" | "image" | "referrer"} relation
 */

/**
 * @typedef {object} Graph
 * @property {RepositoryContents} contents
 * @property {ReadonlyMap<string, ManifestSummary>} manifests By digest.
 * @property {ReadonlyMap<string, ReadonlyArray<ManifestSummary>>} referrers By the digest of their subject.
 * @property {ReadonlyArray<ManifestSummary>} untagged Those that neither a tag nor another manifest leads to.
 */

/**
 * @param {RepositoryContents} contents
 * @returns {Graph}
 */
export const graphOf = (contents) => {
  const manifests = new Map(contents.manifests.map((manifest) => [manifest.digest, manifest]))
  /** @type {Map<string, Array<ManifestSummary>>} */
  const referrers = new Map()
  /** @type {Set<string>} */
  const held = new Set()
  for (const manifest of contents.manifests) {
    for (const digest of manifest.references) held.add(digest)
    if (manifest.subject === undefined) continue
    const others = referrers.get(manifest.subject)
    if (others === undefined) referrers.set(manifest.subject, [manifest])
    else others.push(manifest)
    if (manifests.has(manifest.subject)) held.add(manifest.digest)
  }
  const untagged = contents.manifests.filter(({ digest, tags }) => tags.length === 0 && !held.has(digest))
  return { contents, manifests, referrers, untagged }
}

/**
 * What stands directly under a manifest.
 *
 * @param {Graph} graph
 * @param {Node} node
 * @returns {ReadonlyArray<Node>}
 */
export const under = ({ manifests, referrers }, { digest, manifest }) => [
  ...(manifest?.references ?? []).map((reference) => ({
    digest: reference,
    manifest: manifests.get(reference),
    relation: /** @type {const} */ ("image")
  })),
  ...(referrers.get(digest) ?? []).map((referrer) => ({
    digest: referrer.digest,
    manifest: referrer,
    relation: /** @type {const} */ ("referrer")
  }))
]

const imageConfigs = new Set([
  "application/vnd.oci.image.config.v1+json",
  "application/vnd.docker.container.image.v1+json"
])

/**
 * What kind of artifact a manifest is, in a word.
 *
 * @param {ManifestSummary} manifest
 */
export const kindOf = ({ artifactType, mediaType, subject }) =>
  subject !== undefined
    ? "referrer"
    : /index|manifest\.list/.test(mediaType)
      ? "index"
      : artifactType === undefined || imageConfigs.has(artifactType)
        ? "image"
        : "artifact"

/**
 * The type of an artifact that is no plain image.
 *
 * @param {ManifestSummary} manifest
 */
export const typeOf = ({ artifactType }) =>
  artifactType === undefined || imageConfigs.has(artifactType) ? undefined : artifactType

/**
 * What locks forbid, if they do: `locked (delete, write)`.
 *
 * @param {ManifestSummary["attributes"]} attributes
 */
export const lockOf = ({ deleteEnabled, listEnabled, readEnabled, writeEnabled }) => {
  const forbidden = [
    ...(deleteEnabled ? [] : ["delete"]),
    ...(writeEnabled ? [] : ["write"]),
    ...(readEnabled ? [] : ["read"]),
    ...(listEnabled ? [] : ["list"])
  ]
  return forbidden.length === 0 ? undefined : `locked (${forbidden.join(", ")})`
}
