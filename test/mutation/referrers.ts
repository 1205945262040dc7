/**
 * Faults in referrers, images by platform and registries by name.
 */
import type { Fault } from "./fault.ts"

const folder = "packages/client/src"
const tag = `${folder}/internal/content/referrersTag.ts`
const batches = `${folder}/internal/content/referrersBatches.ts`
const list = `${folder}/internal/content/referrers.ts`

export const referrers: ReadonlyArray<Fault> = [
  {
    wrong: "a failure of the registry counts as the absence of its referrers API",
    file: list,
    find: "    default:\n      return undefined\n",
    replace: '    default:\n      return "no API"\n'
  },
  {
    wrong: "a referrers API that answers with a page has no referrers",
    file: `${folder}/internal/api/distribution.ts`,
    find: "if (MediaType.essence(contentType(response) ?? MediaType.octetStream) !== MediaType.ociImageIndex) {",
    replace: "if (false) {"
  },
  {
    wrong: "a later page without an answer ends the list of referrers",
    file: list,
    find: "if (outcome !== undefined || absence === undefined || isGone)",
    replace: "if (absence === undefined || isGone)"
  },
  {
    wrong: "the absence of the referrers API is remembered for ever",
    file: `${folder}/internal/content/memory.ts`,
    find: "now < untilMillis",
    replace: "untilMillis > 0 && now >= 0"
  },
  {
    wrong: "a manifest about another subject is listed as a referrer",
    file: list,
    find: "(referrer.subject === subject ? Effect.succeedSome(referrer.descriptor) : none)",
    replace: "Effect.succeedSome(referrer.descriptor)"
  },
  {
    wrong: "the registry is believed to filter referrers whatever it says",
    file: list,
    find: "if (isFiltered) return Option.some(entry)",
    replace: "if (isFiltered || entry !== undefined) return Option.some(entry)"
  },
  {
    wrong: "a manifest that the registry does not list cannot be found from its subject",
    file: list,
    find: "if (answered.includes(subject)) return",
    replace: "if (answered.length > 0) return"
  },
  {
    wrong: "the entry of a deleted referrer stays in the referrers tag",
    file: list,
    find: "    if (Option.isNone(referrer)) return yield* deletion\n",
    replace: "    if (Option.isNone(referrer) || digest !== undefined) return yield* deletion\n"
  },
  {
    wrong: "the tag of a sha512 subject is longer than a tag may be",
    file: `${folder}/Referrer.ts`,
    find: "Digest.hex(subject).slice(0, 64)",
    replace: "Digest.hex(subject).slice(0, 100)"
  },
  {
    wrong: "entries of the referrers tag lack the annotations of their manifests",
    file: `${folder}/Referrer.ts`,
    find: "...(Object.keys(labels).length === 0 ? {} : { annotations: labels })",
    replace: "...(Object.keys(labels).length < 1000 ? {} : { annotations: labels })"
  },
  {
    wrong: "a tag that names an image is replaced by a list of referrers",
    file: tag,
    find: "if (Option.isNone(index) || descriptor.digest === digest) {",
    replace:
      "if (Option.isNone(index)) return { index: Index.empty, digest: descriptor.digest, entityTag }\n    if (descriptor.digest === digest) {"
  },
  {
    wrong: "the list of referrers is replaced without a last look at the tag",
    file: tag,
    find: '    if (!(yield* isUnchanged(operation, subject, was))) return "outrun"\n',
    replace: ""
  },
  {
    wrong: "the list of referrers is not read back",
    file: tag,
    find: 'else if (made.success === "safe" && isWhole) return true',
    replace: 'else if (made.success !== "outrun" && isWhole) return true'
  },
  {
    wrong: "a refused replacement of the list of referrers counts as done",
    file: tag,
    find: 'if (!(yield* isThere(operation, subject, was))) return "outrun"\n    // The list',
    replace: 'if (!(yield* isThere(operation, subject, was))) return "safe"\n    // The list'
  },
  {
    wrong: "attachments in one program do not wait for each other",
    file: batches,
    find: "session.turn.withPermit(takeTurn(operation, subject, session, mine))",
    replace: "takeTurn(operation, subject, session, mine)"
  },
  {
    wrong: "an attachment overwrites the fields of other clients in the list of referrers",
    file: `${folder}/internal/content/referrersIndex.ts`,
    find: "JSON.stringify({ ...index, schemaVersion: 2,",
    replace: "JSON.stringify({ manifests: index.manifests, schemaVersion: 2,"
  },
  {
    wrong: "a manifest of more than 4 MiB is sent",
    file: `${folder}/internal/content/manifests.ts`,
    find: "return content.bytes.length > limitBytes\n",
    replace: "return content.bytes.length > limitBytes * 2\n"
  },
  {
    wrong: "an attestation is taken for an image",
    file: `${folder}/internal/schema/platforms.ts`,
    find: "  if (!isKnown(platform)) return undefined\n",
    replace: ""
  },
  {
    wrong: "an image runs on a processor of a lower variant",
    file: `${folder}/internal/schema/platforms.ts`,
    find: "return from >= 0 && distance > 0 ? distance : undefined",
    replace: "return from >= 0 && distance !== 0 ? Math.abs(distance) : undefined"
  },
  {
    wrong: "a layer that an image has twice counts twice",
    file: `${folder}/internal/content/images.ts`,
    find: "[digest, size]))",
    replace: "[`${digest}${Math.random()}`, size]))"
  },
  {
    wrong: "a password goes to every registry that a reference names",
    file: `${folder}/Registries.ts`,
    find: "if ((yield* Credentials.Credentials).sameForAll === true) return yield* unlimited()\n",
    replace: ""
  },
  {
    wrong: "the first program that opens a registry lends it its credentials",
    file: `${folder}/Registries.ts`,
    find: "Effect.updateContext(Effect.scoped(conversations.contextEffect(loginServer)), own)",
    replace:
      "Effect.updateContext(Effect.scoped(conversations.contextEffect(loginServer)), (caller: Context.Context<never>) => Context.merge(own(caller), caller))"
  },
  {
    wrong: "Content.verify does not verify",
    file: `${folder}/internal/transfer/mismatch.ts`,
    find: "return actual === hex(expected)\n",
    replace: "return actual.length === hex(expected).length\n"
  },
  {
    wrong: "a deleted manifest keeps a list of referrers from being changed",
    file: tag,
    find: "        if (gone.length === 0) return yield* refusal\n",
    replace: "        if (gone.length >= 0) return yield* refusal\n"
  },
  {
    wrong: "an attachment brings back what another program deleted",
    file: tag,
    find: "const gone = new Set(yield* goneOf(operation, subject.repository, lost))",
    replace: "const gone = new Set(yield* goneOf(operation, subject.repository, lost.slice(lost.length)))"
  },
  {
    wrong: "a gateway's answer makes an image unsigned",
    file: list,
    find: 'const isGone = absence === "no API" && Option.isSome(known)',
    replace: "const isGone = false"
  },
  {
    wrong: "a server that knows no path has no referrers",
    file: list,
    find: 'if (reason._tag !== "NotFound" || reason.resource === "endpoint" || reason.resource === "repository") {',
    replace: 'if (reason._tag !== "NotFound" || reason.resource === "repository") {'
  },
  {
    wrong: "a referrer that cannot be deleted cannot be found any more",
    file: list,
    find: "onSuccess: () => listAgain",
    replace: "onSuccess: () => Effect.void"
  },
  {
    wrong: "a registry without an answer of ACR's counts as having deleted a tag",
    file: `${folder}/internal/api/absent.ts`,
    find: "isAcrOrigin(endpoint) || isOfAcr(response) ? operation.decode(response) : notOfAcr",
    replace: "response.status > 0 ? operation.decode(response) : notOfAcr"
  },
  {
    wrong: "a login goes to another port of its host",
    file: `${folder}/Credentials.ts`,
    find: "(hasPort(name) || !hasPort(loginServer)) && ",
    replace: ""
  },
  {
    wrong: "two programs lend each other their credentials for registries",
    file: `${folder}/Registries.ts`,
    find: "Layer.fresh(Layer.effect(Registries, make(options)))",
    replace: "Layer.effect(Registries, make(options))"
  },
  {
    wrong: "any answer is an empty list",
    file: `${folder}/internal/schema/json.ts`,
    find: "(object) => Object.keys(object).length === 0 || fields.some((field) => Object.hasOwn(object, field)),",
    replace: "() => fields.length > 0,"
  }
]
