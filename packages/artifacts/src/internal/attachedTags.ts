/**
 * Tags whose names attach a manifest to another one.
 *
 * OCI distribution specification, "Referrers tag schema": `<algorithm>-<hash>` lists referrers. cosign's signature
 * specification: the same with `.sig`, `.att` or `.sbom` is a signature, an attestation or an SBOM.
 */
import * as Digest from "@effect-acr/client/Digest"
import * as Option from "effect/Option"
import type { Kind } from "../RetentionRules.ts"

const form = /^(?<list>(?<algorithm>sha256|sha384|sha512)-(?<hash>[0-9a-f]{64,128}))(?<suffix>\.[a-z0-9]+)?$/

/** A tag that attaches a manifest to a subject. */
export interface AttachedTag {
  readonly kind: Extract<Kind, "signatureTag" | "fallbackTag">
  /** The tag without its suffix: the referrers tag of the subject. */
  readonly list: string
  /** The subject, if the tag has its whole hash. */
  readonly subject: Option.Option<Digest.Digest>
}

/** Parses a tag that attaches a manifest; none if it is an ordinary tag. */
export const parse = (tag: string): Option.Option<AttachedTag> => {
  const { algorithm, hash, list, suffix } = form.exec(tag)?.groups ?? {}
  if (list === undefined) return Option.none()
  return Option.some({
    kind: suffix === undefined ? "fallbackTag" : "signatureTag",
    list: list.slice(0, `${algorithm}-`.length + 64),
    subject: Option.liftPredicate(Digest.isDigest)(`${algorithm}:${hash}`)
  })
}
