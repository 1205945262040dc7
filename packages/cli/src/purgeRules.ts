/**
 * Retention rules from flags, for everyday tasks. A file holds all other rules.
 */
import type * as RetentionRules from "@effect-acr/artifacts/RetentionRules"
import type * as Duration from "effect/Duration"
import * as Option from "effect/Option"

export interface Wish {
  /** Whether to delete manifests without a tag that nothing needs. */
  readonly untagged: boolean
  /** Patterns of tags to delete. */
  readonly tags: ReadonlyArray<string>
  /** How many of these tags stay, the newest first. */
  readonly keep: Option.Option<number>
  readonly olderThan: Option.Option<Duration.Duration>
  /** The fraction of the tags, and of the manifests, that may be deleted. */
  readonly maxFraction: Option.Option<number>
}

const because = (flag: string) => `the flag ${flag} says so`

const nothing = { action: "keep", because: "no flag names it" } as const

/** Separate rules keep what matches and is too young or has no time, so that the reason names the age. */
const deletion = (
  { olderThan }: Wish,
  flag: string,
  matching: Pick<RetentionRules.Rule, "of" | "tags">
): ReadonlyArray<RetentionRules.Rule> => {
  const rule = { ...matching, name: flag, because: because(`--${flag}`), action: "delete" } as const
  return Option.match(olderThan, {
    onNone: () => [rule],
    onSome: (age) => [
      { ...rule, olderThan: age },
      {
        ...matching,
        name: `${flag}-younger`,
        because: "it is younger than --older-than",
        youngerThan: age,
        action: "keep"
      },
      { ...matching, name: `${flag}-ageless`, because: "its age is unknown", action: "keep" }
    ]
  })
}

/** Tags to keep come before those to delete, since the first rule that matches decides. */
const tagRules = (wish: Wish): ReadonlyArray<RetentionRules.Rule> => {
  const { keep, tags } = wish
  const [first, ...others] = tags
  if (first === undefined) return []
  const matching = { of: ["tags"], tags: [first, ...others] } as const
  return [
    ...(Option.isSome(keep) && keep.value > 0
      ? [
          {
            ...matching,
            name: "newest",
            because: because("--keep"),
            newest: { count: keep.value },
            action: "keep"
          } as const
        ]
      : []),
    ...deletion(wish, "tags", matching)
  ]
}

/** The rules of the flags; none if the flags delete nothing. */
export const rulesOf = (wish: Wish): Option.Option<RetentionRules.Rules> => {
  const rules = [
    ...tagRules(wish),
    ...(wish.untagged ? deletion(wish, "untagged", { of: ["untagged", "orphans"] }) : [])
  ]
  return rules.length === 0
    ? Option.none()
    : Option.some({
        repositories: ["**"],
        defaults: { tags: nothing, untagged: nothing, orphans: nothing },
        rules,
        ...(Option.isSome(wish.maxFraction) ? { limits: { maxFraction: wish.maxFraction.value } } : {})
      })
}
