/**
 * Digests: hashes by which a registry identifies manifests and blobs.
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
 * OCI image specification, descriptor.md, "Registered algorithms". ACR supports `sha256` only.
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
 * other algorithms are refused, because the client could not verify such content.
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
 * A checked digest: a branded string that only `parse` and the schema make.
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
 * Operations take plain strings. `parse` is needed only to store or compare digests.
 *
 * **Example** (Reading a digest and its parts)
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
 * Tests whether a value is a digest.
 *
 * @category guards
 * @since 0.1.0
 */
export const isDigest: (input: unknown) => input is Digest = Schema.is(Digest)

/**
 * Returns the algorithm of a digest.
 *
 * @category getters
 * @since 0.1.0
 */
export const algorithm = (digest: Digest): Algorithm => (digest.startsWith("sha512:") ? "sha512" : "sha256")

/**
 * Returns the hash of a digest, in lower-case hexadecimal digits.
 *
 * @category getters
 * @since 0.1.0
 */
export const hex = (digest: Digest): string => digest.slice(digest.indexOf(":") + 1)
