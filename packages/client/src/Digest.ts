/**
 * Content digests: the names under which a registry keeps manifests and blobs.
 *
 * @since 0.1.0
 */
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { parser } from "./internal/schema/parser.ts"

/**
 * The digest algorithms that this library verifies.
 *
 * **Details**
 *
 * OCI image specification, descriptor.md, "Registered algorithms". ACR names content by `sha256` alone.
 *
 * @category models
 * @since 0.1.0
 */
export type Algorithm = "sha256" | "sha512"

/**
 * A digest such as `sha256:c6312984…`: the algorithm, a colon and the hash in lower-case hexadecimal digits.
 *
 * **Details**
 *
 * OCI image specification, descriptor.md, "Digests": 64 digits for `sha256`, 128 for `sha512`. Upper-case digits and
 * other algorithms are refused, because content under such a name could not be verified.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Digest = Schema.String.check(
  Schema.isPattern(/^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/, {
    expected: "a digest, sha256:<64 hexadecimal digits> or sha512:<128 hexadecimal digits>"
  })
).pipe(Schema.brand("Digest"))

/**
 * A digest that was checked: a string which only `parse`, or the schema, makes.
 *
 * @category models
 * @since 0.1.0
 */
export type Digest = typeof Digest.Type

/**
 * Reads a digest from a string. Fails with a `SchemaError` that says what was expected.
 *
 * **Gotchas**
 *
 * Operations take plain strings: only who keeps or compares digests needs this.
 *
 * **Example** (Reading a digest, and what it is made of)
 *
 * ```ts
 * import { Digest } from "@effect-acr/client"
 * import { Result } from "effect"
 *
 * const short = Result.map(
 *   Digest.parse("sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"),
 *   (digest) => `${Digest.algorithm(digest)} ${Digest.hex(digest).slice(0, 12)}`
 * )
 * ```
 *
 * @category parsing
 * @since 0.1.0
 */
export const parse: (input: string) => Result.Result<Digest, Schema.SchemaError> = parser(Digest)

/**
 * Tells whether a string is a digest.
 *
 * @category guards
 * @since 0.1.0
 */
export const isDigest: (input: unknown) => input is Digest = Schema.is(Digest)

/**
 * The algorithm of a digest.
 *
 * @category getters
 * @since 0.1.0
 */
export const algorithm = (digest: Digest): Algorithm => (digest.startsWith("sha512:") ? "sha512" : "sha256")

/**
 * The hash of a digest, in lower-case hexadecimal digits.
 *
 * @category getters
 * @since 0.1.0
 */
export const hex = (digest: Digest): string => digest.slice(digest.indexOf(":") + 1)
