/**
 * What a manifest names, by its media type.
 *
 * OCI image specification, manifest.md and image-index.md; distribution's documentation, "Image manifest version 2, schema
 * 2"; the withdrawn artifact manifests of OCI and ORAS, whose blobs a copy must not lose.
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as DescriptorSchema from "@effect-acr/client/Descriptor"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/** What a manifest cannot be without. Its subject is not among it: that may be missing. */
export interface References {
  readonly manifests: ReadonlyArray<Descriptor>
  readonly blobs: ReadonlyArray<Descriptor>
}

const artifactTypes: ReadonlySet<string> = new Set([MediaType.ociArtifactManifest, MediaType.orasArtifactManifest])

const decodeArtifact = Schema.decodeUnknownOption(
  Schema.fromJsonString(
    Schema.Struct({ blobs: Schema.optionalKey(Schema.NullOr(Schema.Array(DescriptorSchema.Descriptor))) })
  )
)

const decoder = new TextDecoder()

/** What a manifest names; none if it cannot be read, so that it is not known. */
export const referencesOf = ({ bytes, descriptor }: Manifest.Raw): Option.Option<References> => {
  const text = decoder.decode(bytes)
  if (artifactTypes.has(MediaType.essence(descriptor.mediaType))) {
    return Option.map(decodeArtifact(text), ({ blobs }) => ({ manifests: [], blobs: blobs ?? [] }))
  }
  const view = Manifest.view(descriptor.mediaType, text)
  return view._tag === "UnknownManifest" ? Option.none() : Option.some(Manifest.references(view))
}
