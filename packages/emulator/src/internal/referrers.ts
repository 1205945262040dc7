/**
 * Referrers: how a registry treats manifests that have a subject, and its list of them.
 */
import * as MediaType from "@effect-acr/client/MediaType"
import type { Modes } from "../Modes.ts"
import { type Answer, json } from "./answer.ts"
import type { StoredManifest } from "./store.ts"

export interface Referrers {
  /** Whether the path of the list exists. */
  readonly api: boolean
  /** Whether the answer to a push of a referrer has `OCI-Subject`. */
  readonly subjectHeader: boolean
  /** Whether the list is filtered by `artifactType`. */
  readonly filter: boolean
  readonly pageSize: number
  /** Whether the deletion of a subject deletes its referrers. */
  readonly cascade: boolean
}

/** The effect of the modes. A registry without the API does not know subjects, which decides the rest. */
export const settings = ({ api, cascade, filter, pageSize, subjectHeader }: Modes["referrers"]): Referrers => ({
  api,
  filter,
  pageSize: pageSize ?? Number.POSITIVE_INFINITY,
  subjectHeader: api && subjectHeader,
  cascade: api && cascade
})

/**
 * The position of a manifest in the order of pushes. A page continues after such a position, not after a count, so that
 * deletions between two requests do not make the client miss referrers.
 */
const positionOf = ({ createdTime, digest }: StoredManifest): string => `${createdTime} ${digest}`

const byPosition = (left: StoredManifest, right: StoredManifest): number =>
  positionOf(left) < positionOf(right) ? -1 : 1

/** Positions are base64url in links: a client must follow links, not construct positions. */
const encode = (position: string): string => Buffer.from(position).toString("base64url")
const decode = (position: string): string => Buffer.from(position, "base64url").toString()

/**
 * OCI distribution specification, "Listing Referrers". `artifactType` of an image manifest without one is the media
 * type of its configuration, and absent for an index without one: `describe` implements both.
 */
const descriptorOf = ({ annotations, artifactType, digest, mediaType, size }: StoredManifest) => ({
  mediaType,
  digest,
  size,
  ...(artifactType === undefined ? {} : { artifactType }),
  ...(annotations === undefined ? {} : { annotations })
})

const linkTo = (path: string, artifactType: string | null, last: StoredManifest): string => {
  const query = new URLSearchParams({
    ...(artifactType === null ? {} : { artifactType }),
    position: encode(positionOf(last))
  })
  return `<${path}?${query}>; rel="next"`
}

/** Lists the referrers of a subject, or the page of them that the query requests. */
export const list = (
  { filter, pageSize }: Referrers,
  path: string,
  referrers: ReadonlyArray<StoredManifest>,
  query: URLSearchParams
): Answer => {
  const artifactType = query.get("artifactType")
  const position = decode(query.get("position") ?? "")
  const filtered = filter && artifactType !== null
  const rest = referrers
    .filter((manifest) => !filtered || manifest.artifactType === artifactType)
    .toSorted(byPosition)
    .filter((manifest) => positionOf(manifest) > position)
  const page = rest.slice(0, pageSize)
  const last = rest.length > page.length ? page.at(-1) : undefined
  return json(
    200,
    { schemaVersion: 2, mediaType: MediaType.ociImageIndex, manifests: page.map(descriptorOf) },
    {
      "Content-Type": MediaType.ociImageIndex,
      ...(filtered ? { "OCI-Filters-Applied": "artifactType" } : {}),
      ...(last === undefined ? {} : { Link: linkTo(path, artifactType, last) })
    }
  )
}
