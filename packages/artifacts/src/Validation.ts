/**
 * Validates artifacts: that everything an artifact consists of exists and matches its digests.
 *
 * @since 0.1.0
 */
import type * as Compression from "@effect-acr/client/Compression"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import type * as Effect from "effect/Effect"
import type { Reader } from "./ContentStore.ts"
import * as Validating from "./internal/validation/validate.ts"
import type { ValidationOptions, ValidationReport } from "./internal/validation/validate.ts"
import type { GraphError } from "./internal/walk.ts"

export { Finding, Problem } from "./internal/validation/finding.ts"
export { type ValidationOptions, ValidationReport } from "./internal/validation/validate.ts"

/**
 * Reads everything that an artifact consists of, and reports what is missing or damaged.
 *
 * **When to use**
 *
 * Use after a copy, a restore from backup or a storage incident, to know whether an artifact can still be pulled.
 *
 * **Details**
 *
 * Manifests, configurations, layers and, unless `referrers` is false, the referrers of each manifest are compared with their
 * digests and with the sizes and media types that manifests state for them. The layers of images are decompressed and compared
 * with the `diff_ids` of the configuration (OCI image specification, config.md, "rootfs"). A finding does not end the validation.
 *
 * Each blob is read once, in constant memory. Only a layer whose compression is damaged is read a second time.
 *
 * Fails with the errors of the store if it cannot be read, for example if the registry cannot be reached, and with `GraphError`
 * if there are more than 100,000 manifests or they are nested more than 16 deep.
 *
 * **Gotchas**
 *
 * Signatures are read as content but not verified: the report does not prove where the artifact comes from.
 *
 * **Example** (Failing a build whose image is damaged)
 *
 * ```ts
 * import { Artifact, Repository, Validation } from "@effect-acr/artifacts"
 * import { Console, Effect } from "effect"
 *
 * export const check = Effect.gen(function* () {
 *   const store = yield* Repository.open("myregistry.azurecr.io/shop/api")
 *   const image = yield* Artifact.resolve(store, "v1.4.0")
 *   const { findings } = yield* Validation.validate(store, image)
 *   yield* Effect.forEach(findings, ({ digest, problem }) => Console.error(`${digest}: ${problem}`))
 *   return findings.length === 0
 * })
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const validate = <E>(
  reader: Reader<E>,
  root: Descriptor,
  options: ValidationOptions = {}
): Effect.Effect<ValidationReport, E | GraphError, Compression.Compression> =>
  Validating.validate(reader, root, options)
