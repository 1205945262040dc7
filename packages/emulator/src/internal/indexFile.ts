/**
 * The images of a registry as `index.json` of its folder lists them, for programs that read image layouts.
 */
import * as LayoutFiles from "@effect-acr/artifacts/LayoutFiles"
import { MediaType } from "@effect-acr/client/MediaType"
import * as Schema from "effect/Schema"
import type { Repository, State } from "./state.ts"
import type { StoredManifest } from "./changes.ts"

const isMediaType = Schema.is(MediaType)

const entryOf = (repository: Repository, manifest: StoredManifest): ReadonlyArray<LayoutFiles.Entry> => {
  const { artifactType, digest, mediaType, size, subject } = manifest
  // Another program could not read it: text that is not a media type is never pushed.
  if (!isMediaType(mediaType)) return []
  const names = Array.from(repository.tagsByDigest.get(digest) ?? [], (tag) => `${repository.name}:${tag}`)
  const isReferrer = subject !== undefined && isMediaType(artifactType)
  return [{ descriptor: { mediaType, digest, size, ...(isReferrer ? { artifactType } : {}) }, names }]
}

/** The manifests that have a tag, and those that no index of their repository names. */
const entriesOf = (repository: Repository): ReadonlyArray<LayoutFiles.Entry> => {
  const manifests = Array.from(repository.manifests.values())
  const named = new Set<string>(manifests.flatMap(({ references }) => references.map(({ digest }) => digest)))
  return manifests
    .filter(({ digest }) => repository.tagsByDigest.has(digest) || !named.has(digest))
    .flatMap((manifest) => entryOf(repository, manifest))
}

export const format = ({ repositories }: State): string =>
  LayoutFiles.formatIndex(Array.from(repositories.values()).flatMap(entriesOf))
