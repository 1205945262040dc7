/**
 * Decides the media type of a manifest. The registry's `Content-Type` counts, unless it is generic, as from static file
 * servers, object storage and some proxies; then the content's own type counts.
 */
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as MediaType from "../../MediaType.ts"
import { parseJson } from "../schema/json.ts"

/** Generic media types, which any content may have. */
const genericTypes = new Set([
  "application/json",
  "application/octet-stream",
  "binary/octet-stream",
  "text/json",
  "text/plain"
])

/** Whether a media type, without parameters, is generic. */
export const isGeneric = (mediaType: MediaType.MediaType): boolean => genericTypes.has(mediaType.toLowerCase())

const decoder = new TextDecoder()

const fieldType = (mediaType: unknown): MediaType.MediaType | undefined =>
  typeof mediaType === "string"
    ? Option.getOrUndefined(Option.map(Result.getSuccess(MediaType.parse(mediaType)), MediaType.essence))
    : undefined

/**
 * The media type of a document without `mediaType`, by its fields. Docker manifests of schema 2 must have that field
 * and OCI's need not (both specifications), so a document without it is OCI's. Those of schema 1 have no such field.
 */
const shapeType = (document: { readonly [field: string]: unknown }): MediaType.MediaType | undefined => {
  if (document["schemaVersion"] === 1) return MediaType.dockerSchema1Manifest
  if ("config" in document && !("manifests" in document)) return MediaType.ociImageManifest
  if ("manifests" in document && !("config" in document) && !("layers" in document)) return MediaType.ociImageIndex
  return undefined
}

/** The media type that a document states. */
const ownType = (document: unknown): MediaType.MediaType | undefined => {
  if (!Predicate.isObject(document)) return undefined
  const type = fieldType(document["mediaType"]) ?? shapeType(document)
  // With signatures, it is another type, whose digest is computed differently.
  return type === MediaType.dockerSchema1Manifest && Array.isArray(document["signatures"])
    ? MediaType.dockerSchema1SignedManifest
    : type
}

/** The media type of a manifest, for which the registry may have stated one. */
export const manifestType = (stated: MediaType.MediaType | undefined, bytes: Uint8Array): MediaType.MediaType => {
  if (stated !== undefined && stated !== MediaType.dockerSchema1Manifest && !isGeneric(stated)) return stated
  return Option.getOrUndefined(Option.map(parseJson(decoder.decode(bytes)), ownType)) ?? stated ?? MediaType.octetStream
}
