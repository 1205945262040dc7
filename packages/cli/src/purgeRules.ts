/**
 * Rules of retention from flags, for what is done every day. Other rules are in a file.
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
}

const because = (flag: string) => `the flag ${flag} says so`

const nothing = { action: "keep", because: "no flag names it" } as const

const untaggedRule = ({ olderThan }: Wish): RetentionRules.Rule => ({
  name: "untagged",
  because: because("--untagged"),
  of: ["untagged", "orphans"],
  ...(Option.isSome(olderThan) ? { olderThan: olderThan.value } : {}),
  action: "delete"
})

/** Tags to keep come before those to delete, since the first rule that matches decides. */
const tagRules = ({ keep, olderThan, tags }: Wish): ReadonlyArray<RetentionRules.Rule> => {
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
    {
      ...matching,
      name: "tags",
      because: because("--tags"),
      ...(Option.isSome(olderThan) ? { olderThan: olderThan.value } : {}),
      action: "delete"
    }
  ]
}

/** The rules that flags stand for; none if they delete nothing. */
export const rulesOf = (wish: Wish): Option.Option<RetentionRules.Rules> => {
  const rules = [...tagRules(wish), ...(wish.untagged ? [untaggedRule(wish)] : [])]
  return rules.length === 0
    ? Option.none()
    : Option.some({
        repositories: ["**"],
        defaults: { tags: nothing, untagged: nothing, orphans: nothing },
        rules
      })
}
