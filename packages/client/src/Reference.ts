/**
 * References: the addresses of artifacts, `registry/repository:tag@digest`.
 *
 * The grammar is that of distribution's reference package, which docker, containerd and OCI's tools share.
 *
 * @since 0.1.0
 */
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as Digest from "./Digest.ts"
import { parser } from "./internal/schema/parser.ts"
import * as RepositoryName from "./RepositoryName.ts"
import * as Tag from "./Tag.ts"

/**
 * The host of a registry with its port, if it has one: `myregistry.azurecr.io`, `127.0.0.1:5000`, `[::1]:5000`.
 *
 * **Details**
 *
 * A domain name, an IPv4 address or an IPv6 address in brackets (RFC 3986, section 3.2.2). A single word is a registry
 * only if it is `localhost` or has a port. Any other word is the first part of a repository's name.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Registry = Schema.String.check(
  Schema.isMaxLength(255, { expected: "a registry of at most 255 characters" }).abort(),
  Schema.isPattern(
    /^(?:(?:localhost|(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?|[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?:[0-9]{1,5})$/,
    { expected: "a registry: a host name or address with an optional port" }
  )
).pipe(Schema.brand("Registry"))

/**
 * A checked registry: a branded string that only the schema makes.
 *
 * @category models
 * @since 0.1.0
 */
export type Registry = typeof Registry.Type

/**
 * The address of an artifact in a registry, or of a repository if it has neither tag nor digest.
 *
 * **Details**
 *
 * With both, the digest identifies the artifact and the tag is informative.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Reference = Schema.Struct({
  /** The registry's host, with its port if it has one. */
  registry: Registry,
  /** The repository in the registry. */
  repository: RepositoryName.RepositoryName,
  /** The tag, if there is one. */
  tag: Schema.optionalKey(Tag.Tag),
  /** The digest, if there is one. */
  digest: Schema.optionalKey(Digest.Digest)
})

export type Reference = typeof Reference.Type

/** Longer than any reference that the parts allow: 255 + 1 + 255 + 1 + 128 + 1 + 135 characters. */
const maxLength = 776

/** Cuts a reference at its separators. Each part is checked by its own schema afterwards. */
const split = (input: string): typeof Reference.Encoded => {
  const slash = input.indexOf("/")
  const rest = input.slice(slash + 1)
  const at = rest.indexOf("@")
  const named = at === -1 ? rest : rest.slice(0, at)
  const colon = named.indexOf(":")
  return {
    registry: input.slice(0, slash === -1 ? 0 : slash),
    repository: colon === -1 ? named : named.slice(0, colon),
    ...(colon === -1 ? {} : { tag: named.slice(colon + 1) }),
    ...(at === -1 ? {} : { digest: rest.slice(at + 1) })
  }
}

/**
 * A fully qualified reference written as `registry/repository`, `registry/repository:tag`,
 * `registry/repository@digest` or `registry/repository:tag@digest`.
 *
 * **Details**
 *
 * There is no default registry: `ubuntu` is refused, and `docker.io/library/ubuntu` is accepted.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ReferenceFromString = Schema.String.check(
  Schema.isMaxLength(maxLength, { expected: "a reference of at most 776 characters" }).abort()
).pipe(
  Schema.decodeTo(Reference, {
    decode: SchemaGetter.transform(split),
    encode: SchemaGetter.transform((parts) => print(parts))
  })
)

/**
 * Reads a fully qualified reference. Fails with a `SchemaError` that says what was expected.
 *
 * **Example** (The parts of a reference)
 *
 * ```ts
 * import { Reference } from "@effect-acr/client"
 * import { Effect } from "effect"
 *
 * const parts = Effect.map(
 *   Effect.fromResult(Reference.parse("myregistry.azurecr.io/library/alpine:3.20")),
 *   ({ registry, repository, tag }) => ({ registry, repository, tag })
 * )
 * // { registry: "myregistry.azurecr.io", repository: "library/alpine", tag: "3.20" }
 * ```
 *
 * @category parsing
 * @since 0.1.0
 */
export const parse: (input: string) => Result.Result<Reference, Schema.SchemaError> = parser(ReferenceFromString)

const print = (parts: typeof Reference.Encoded): string =>
  `${parts.registry}/${parts.repository}` +
  (parts.tag === undefined ? "" : `:${parts.tag}`) +
  (parts.digest === undefined ? "" : `@${parts.digest}`)

/**
 * Writes a reference in full, the form that `docker pull`, `oras` and `az acr` accept.
 *
 * @category formatting
 * @since 0.1.0
 */
export const format: (reference: Reference) => string = print
