/**
 * A plan as text for people.
 */
import * as ByteSize from "effect/ByteSize"
import * as DateTime from "effect/DateTime"
import type { Plan, PlannedManifest, PlannedTag } from "../../RetentionPlan.ts"
import { printable } from "../printable.ts"

const why = ({ because, rule }: Pick<PlannedTag, "rule" | "because">): string =>
  rule === undefined ? printable(because) : `${printable(rule)}: ${printable(because)}`

const tagLine = (tag: PlannedTag): string =>
  `${tag.verdict.padEnd(6)}  ${printable(tag.name)}  ${tag.digest}  (${why(tag)})`

const manifestLine = (manifest: PlannedManifest): string => {
  const names = manifest.tags.length === 0 ? "" : `  ${manifest.tags.map(printable).join(", ")}`
  return `${manifest.verdict.padEnd(6)}  ${manifest.digest}  ${manifest.kind}${names}  (${why(manifest)})`
}

const section = (title: string, lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.length === 0 ? [] : ["", title, ...lines.map((line) => `  ${line}`)]

/** Deletions first. */
const inOrder = <A extends Pick<PlannedTag, "verdict">>(things: ReadonlyArray<A>): ReadonlyArray<A> => [
  ...things.filter(({ verdict }) => verdict === "delete"),
  ...things.filter(({ verdict }) => verdict === "keep")
]

/** What an inventory of less than all could not see. */
const coverages: Readonly<Record<Plan["coverage"], string>> = {
  everything: "",
  tagged: ", of what has a tag: the registry does not list the rest",
  partial: ", of a part: the rest could not be read"
}

export const format = (plan: Plan): string => {
  const { at, broken, coverage, exceeds, frees, manifests, registry, repository, tags, unmatched, warnings } = plan
  return [
    `${registry}/${repository} at ${DateTime.formatIso(at)}${coverages[coverage]}`,
    `would delete ${frees.tags} of ${tags.length} tags and ${frees.manifests} of ${manifests.length} manifests, and free at most ${ByteSize.format(ByteSize.bytes(frees.atMostBytes))}: layers that others share stay`,
    ...section("tags", inOrder(tags).map(tagLine)),
    ...section("manifests", inOrder(manifests).map(manifestLine)),
    ...section(
      "broken already",
      broken.map(({ digest, missing }) => `${digest} lacks ${missing.join(", ")}`)
    ),
    ...section(
      "patterns that match no tag",
      unmatched.map(({ pattern, rule }) => `${printable(rule)}: ${printable(JSON.stringify(pattern))}`)
    ),
    ...section("exceeds its limits", exceeds.map(printable)),
    ...section("warnings", warnings.map(printable))
  ].join("\n")
}
