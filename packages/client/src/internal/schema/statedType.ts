/**
 * Media types as the authors of manifests state them.
 */
import * as Schema from "effect/Schema"

/**
 * A media type in a manifest, or only a word.
 *
 * OCI image specification, descriptor.md, "Properties": a media type complies with RFC 6838. Registries and other clients do not
 * check that, so content of the type `foo` exists, and it can be copied. The characters are those of a header's value.
 */
export const StatedType = Schema.String.check(
  Schema.isPattern(/^[!-:<-~]{1,255}(?: ?;[ -~]{0,255})?$/, { expected: "a media type: type/subtype" })
).pipe(Schema.brand("MediaType"))
