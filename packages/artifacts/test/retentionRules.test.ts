/**
 * The language of rules: durations, patterns, order of rules, and errors.
 */
import * as Digest from "@effect-acr/client/Digest"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Retention from "../src/Retention.ts"
import * as RetentionRules from "../src/RetentionRules.ts"
import { image, index, planFor, referrer, rulesOf, start } from "./support/retention.ts"
import {
  deleting,
  type Fields,
  holding,
  manifestsThatGo,
  planOf,
  tagDecisionOf,
  tagged,
  tagsThatGo,
  tagsThatStay
} from "./support/retentionPlans.ts"

const keep = { action: "keep", because: "no rule names it" }

/** A file of rules with one rule, and changes to either. */
const fileOf = (rule: Fields, others: Fields = {}): string =>
  JSON.stringify({
    repositories: ["**"],
    defaults: { tags: keep, untagged: keep, orphans: keep },
    rules: [{ name: "old", because: "a test", of: ["tags"], action: "delete", ...rule }],
    ...others
  })

/** Why a file of rules is refused. */
const refusalOf = (file: string): Effect.Effect<string, RetentionRules.Rules> =>
  Effect.map(Effect.flip(RetentionRules.parse(file)), ({ description, problem }) => {
    assert.strictEqual(problem, "InvalidRules")
    return description
  })

const deletesOlderThan = (olderThan: string, ages: { readonly [tag: string]: number }) =>
  Effect.map(planOf(tagged(ages), [{ olderThan, action: "delete" }], { safetyAge: "none" }), tagsThatGo)

/** The tags that patterns match. */
const matchedBy = (patterns: ReadonlyArray<unknown>, tags: ReadonlyArray<string>) =>
  Effect.map(
    planOf(tagged(Object.fromEntries(tags.map((tag) => [tag, 10]))), [{ tags: patterns, action: "keep" }], deleting),
    tagsThatStay
  )

const millisecond = 1 / Duration.toMillis(Duration.days(1))

describe("a duration", () => {
  const exact: ReadonlyArray<readonly [string, number]> = [
    ["30 days", 30],
    ["1 day", 1],
    ["36 hours", 1.5],
    ["1.5 days", 1.5],
    ["90 minutes", 0.0625],
    ["2 weeks", 14]
  ]
  for (const [text, days] of exact) {
    it.effect(`${text} is exact to the millisecond`, () =>
      Effect.gen(function* () {
        const ages = { before: days + 2 * millisecond, exactly: days, after: days - 2 * millisecond }
        assert.deepStrictEqual(yield* deletesOlderThan(text, ages), ["before"])
      })
    )
  }

  const refused = [
    "1h30d",
    "1.5d",
    "1e3d",
    "d",
    "xd",
    "w2d",
    "-5d",
    "7days",
    "abc",
    "h",
    "30",
    "1w",
    "30D",
    "7d",
    "",
    " ",
    "0 days",
    "0.0 days",
    "-5 days",
    "-0 days",
    "Infinity",
    "-Infinity",
    "NaN days",
    "1e3 days",
    "0x10 days",
    "30 Days",
    " 30 days",
    "30 days ",
    "1 day 2 hours",
    "30 months",
    "all",
    "0.0001 millis",
    `${"9".repeat(400)} days`
  ]
  for (const text of refused) {
    it.effect(`${JSON.stringify(text.slice(0, 20))} is an error, and never means everything`, () =>
      Effect.gen(function* () {
        const refusal = yield* refusalOf(fileOf({ olderThan: text }))
        assert.include(refusal, ".olderThan")
        assert.include(refusal, '"30 days"')
        yield* refusalOf(fileOf({ youngerThan: text }))
        yield* refusalOf(fileOf({ action: "keep", onePer: { period: "day", for: text } }))
        yield* refusalOf(fileOf({}, { safetyAge: text }))
      })
    )
  }

  it.effect("is no number", () =>
    Effect.gen(function* () {
      for (const value of [30, 0, -1, null, true, [30, "days"], { days: 30 }]) {
        assert.include(yield* refusalOf(fileOf({ olderThan: value })), ".olderThan")
      }
    })
  )

  it.effect("longer than any age matches nothing by olderThan", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* deletesOlderThan("999999999999 days", { old: 20_000 }), [])
    })
  )
})

describe("a file of rules", () => {
  it.effect("is refused if it has an unknown field, at any depth", () =>
    Effect.gen(function* () {
      const misspelt: ReadonlyArray<readonly [string, string]> = [
        ["olderthan", fileOf({ olderthan: "30 days" })],
        ["tag", fileOf({ tag: ["v*"] })],
        ["keep", fileOf({ keep: 3 })],
        ["newest", fileOf({}, { newest: 3 })],
        ["cuont", fileOf({ action: "keep", newest: { count: 1, cuont: 2 } })],
        ["length", fileOf({ action: "keep", onePer: { period: "day", for: "7 days", length: 1 } })],
        ["glob", fileOf({ tags: [{ regex: "v.*", glob: "v*" }] })],
        ["maxDeletion", fileOf({}, { limits: { maxDeletion: 1 } })],
        ["tag", fileOf({}, { defaults: { tag: keep, tags: keep, untagged: keep, orphans: keep } })],
        [
          "olderThan",
          fileOf({}, { defaults: { tags: { ...keep, olderThan: "1 day" }, untagged: keep, orphans: keep } })
        ]
      ]
      for (const [name, file] of misspelt) assert.include(yield* refusalOf(file), `${name}: there is no such key`)
    })
  )

  it.effect("must have defaults for what no rule matches", () =>
    Effect.gen(function* () {
      assert.include(yield* refusalOf(fileOf({}, { defaults: undefined })), "defaults")
      assert.include(yield* refusalOf(fileOf({}, { defaults: { tags: keep, untagged: keep } })), ".orphans")
      assert.include(yield* refusalOf(fileOf({}, { repositories: undefined })), "repositories")
      assert.include(yield* refusalOf(fileOf({}, { repositories: [] })), "repositories")
    })
  )

  it.effect("is refused if a rule would not do what it seems to", () =>
    Effect.gen(function* () {
      const odd: ReadonlyArray<Fields> = [
        { name: undefined },
        { name: " " },
        { because: "" },
        { action: undefined },
        { action: "Delete" },
        { of: [] },
        { of: undefined },
        { tags: [] },
        { kinds: [] },
        { kinds: ["Image"] },
        { newest: { count: 3 } },
        { onePer: { period: "day", for: "7 days" } },
        { action: "keep", newest: { count: 0 } },
        { action: "keep", newest: { count: 1.5 } },
        { action: "keep", newest: { count: -1 } },
        { action: "keep", newest: { count: 1 }, onePer: { period: "day", for: "7 days" } },
        { action: "keep", newest: { count: 1, per: "group" } },
        { action: "keep", tags: ["v*"], newest: { count: 1, per: "group" } },
        { action: "keep", tags: [{ regex: "(a).*" }, { regex: "b.*" }], newest: { count: 1, per: "group" } },
        { action: "keep", of: ["untagged"], newest: { count: 1, by: "version" } },
        { action: "untag", of: ["tags", "untagged"] },
        { of: ["untagged"], tags: ["v*"] }
      ]
      for (const rule of odd) assert.include(yield* refusalOf(fileOf(rule)), "rules[0]", JSON.stringify(rule))
      const rule = { name: "twice", because: "a test", of: ["tags"], action: "keep" }
      assert.include(yield* refusalOf(fileOf({}, { rules: [rule, rule] })), "different names")
      for (const limits of [{ maxFraction: 1.5 }, { maxFraction: -0.1 }, { maxDeletions: -1 }, { minRemaining: 0.5 }]) {
        assert.include(yield* refusalOf(fileOf({}, { limits })), "limits")
      }
    })
  )

  it.effect("is refused if it is not JSON", () =>
    Effect.gen(function* () {
      for (const text of ["", "rules: []", "[]", "null", '"x"', "{"]) yield* refusalOf(text)
      assert.match(yield* refusalOf('{\n  "rules": [],\n}'), /they are not JSON: .*line 3/)
      assert.match(yield* refusalOf('{\n  "rules": x\n}'), /they are not JSON: .*\(line 2 column 12\)$/)
    })
  )

  it.effect("names what is wrong in a pattern", () =>
    Effect.gen(function* () {
      assert.include(yield* refusalOf(fileOf({ tags: [{ regex: "v(1" }] })), 'regular expression "v(1"')
      assert.include(yield* refusalOf(fileOf({ tags: [{ semver: "one" }] })), '"one" is not a range')
      for (const tags of [[""], ["!"], [{}], [1], [{ semver: " " }], "v*"])
        assert.include(yield* refusalOf(fileOf({ tags })), ".tags")
    })
  )
})

describe("a pattern for tags", () => {
  const tags = ["1.0", "11.0.5", "v1x0", "1x0", "1.0.1", "1.0-rc1", "x1.0", "latest"]

  it.effect("1.0 matches only the tag 1.0", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* matchedBy(["1.0"], tags), ["1.0"])
      assert.deepStrictEqual(yield* matchedBy([{ regex: "1\\.0" }], tags), ["1.0"])
    })
  )

  it.effect("that is a regular expression matches the whole tag, also with alternatives", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* matchedBy([{ regex: "1.0" }], tags), ["1.0", "1x0"])
      assert.deepStrictEqual(yield* matchedBy([{ regex: "1\\.0|lat" }], tags), ["1.0"])
      assert.deepStrictEqual(yield* matchedBy([{ regex: "a|b" }], ["a", "b", "ab", "alpha", "prod-b"]), ["a", "b"])
    })
  )

  it.effect("that is a glob has stars, sets and alternatives, and is case-sensitive", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* matchedBy(["1.0*"], tags), ["1.0", "1.0-rc1", "1.0.1"])
      assert.deepStrictEqual(yield* matchedBy(["[uv]?x0", "1?0"], tags), ["1.0", "1x0", "v1x0"])
      assert.deepStrictEqual(yield* matchedBy(["{latest,1x*}"], tags), ["1x0", "latest"])
      assert.deepStrictEqual(yield* matchedBy(["LATEST"], tags), [])
    })
  )

  it.effect("that begins with an exclamation mark excludes, at any position", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* matchedBy(["!1.0.*", "1.0*"], tags), ["1.0", "1.0-rc1"])
      assert.deepStrictEqual(yield* matchedBy(["!*0*"], tags), ["latest"])
    })
  )

  it.effect("that is a range matches versions with and without a v, and no pre-releases unless it names one", () =>
    Effect.gen(function* () {
      const versions = ["1.9.0", "v1.10.0", "2.0.0", "2.0.0-rc.1", "2.0.0-rc.2", "1.9", "latest", "vv1.9.0", "v"]
      assert.deepStrictEqual(yield* matchedBy([{ semver: ">=1 <2" }], versions), ["1.9.0", "v1.10.0"])
      assert.deepStrictEqual(yield* matchedBy([{ semver: ">=2.0.0-rc.2" }], versions), ["2.0.0", "2.0.0-rc.2"])
    })
  )

  const catastrophes: ReadonlyArray<readonly [unknown, boolean]> = [
    [{ regex: "(a+)+$" }, false],
    [{ regex: "(a|a)*$" }, false],
    [{ regex: "(a*)*c" }, false],
    [{ regex: "(.*)*x" }, false],
    [{ regex: "((a{30}){30})*" }, false],
    [`${"*a".repeat(30)}*c`, false],
    [`${"**/".repeat(30)}c`, false]
  ]
  const longTag = `${"a".repeat(127)}b`
  for (const [pattern, isMatch] of catastrophes) {
    it.effect(`does not explode: ${JSON.stringify(pattern).slice(0, 40)} takes less than 50 ms on 128 characters`, () =>
      Effect.gen(function* () {
        const rules = yield* rulesOf([{ tags: [pattern], action: "keep" }], deleting)
        const inventory = yield* Retention.inventory((yield* holding(tagged({ [longTag]: 10 }))).target)
        // The best of several: other programs use the machine as well.
        const times = Array.from({ length: 5 }, () => {
          const before = performance.now()
          const plan = Result.getOrThrow(Retention.plan(inventory, rules))
          assert.strictEqual(tagsThatStay(plan).length === 1, isMatch)
          return performance.now() - before
        })
        assert.isBelow(Math.min(...times), 50)
      })
    )
  }

  it.effect("that would explode, or looks around itself, is refused", () =>
    Effect.gen(function* () {
      for (const regex of [
        "(a)\\1",
        "(?=a)a",
        "(?<!a)b",
        "((a{100}){100}){100}",
        `${"(".repeat(2000)}a${")".repeat(2000)}`
      ]) {
        assert.include(yield* refusalOf(fileOf({ tags: [{ regex }] })), "cannot be used", regex)
      }
    })
  )
})

describe("a pattern for repositories", () => {
  const repositories = ["a", "b", "ab", "alpha/prod", "prod-db", "shop", "shop/api", "shop/api/v2", "shop/base"]
  const isFor = (...patterns: ReadonlyArray<unknown>) =>
    Effect.map(rulesOf([], { repositories: patterns }), (rules) =>
      repositories.filter((repository) => RetentionRules.isFor(rules, repository))
    )

  it.effect("a or b matches only these two, not longer names", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* isFor({ regex: "a|b" }), ["a", "b"])
      assert.deepStrictEqual(yield* isFor("{a,b}"), ["a", "b"])
    })
  )

  it.effect("has one level by a star, and all by two, the first included", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* isFor("shop/*"), ["shop/api", "shop/base"])
      assert.deepStrictEqual(yield* isFor("shop/**", "!shop/base"), ["shop", "shop/api", "shop/api/v2"])
      assert.deepStrictEqual(yield* isFor("shop/*/**"), ["shop/api", "shop/api/v2", "shop/base"])
      assert.deepStrictEqual(yield* isFor("*"), ["a", "b", "ab", "prod-db", "shop"])
    })
  )

  it.effect("of a rule restricts it to these repositories", () =>
    Effect.gen(function* () {
      const pushes = tagged({ v1: 10 })
      const rule = { action: "delete" }
      assert.deepStrictEqual(tagsThatGo(yield* planOf(pushes, [{ ...rule, repositories: ["app"] }])), ["v1"])
      assert.deepStrictEqual(tagsThatGo(yield* planOf(pushes, [{ ...rule, repositories: ["!app"] }])), [])
      assert.deepStrictEqual(tagsThatGo(yield* planOf(pushes, [{ ...rule, repositories: ["shop/**"] }])), [])
    })
  )
})

describe("a pattern that matches nothing", () => {
  it.effect("is named with its rule, by each plan and by the whole run", () =>
    Effect.gen(function* () {
      const rules = yield* rulesOf(
        [
          { name: "releases", tags: ["v*", "release-*"], action: "keep" },
          { name: "others", repositories: ["shop/*"], tags: ["x"], action: "delete" }
        ],
        { repositories: ["app", "web*"] }
      )
      const plan = yield* planFor(yield* holding(tagged({ v1: 10, main: 10 })), rules)
      assert.deepStrictEqual(plan.unmatched, [{ rule: "releases", pattern: "release-*" }])
      assert.include(Retention.format(plan), 'releases: "release-*"')
      assert.deepStrictEqual(Retention.unmatched(rules, [plan]), [
        '"web*" matches no repository',
        'rule others: "shop/*" matches no repository',
        'rule releases: "release-*" matches no tag'
      ])
      const other = yield* planFor(yield* holding(tagged({ "release-1": 10 })), rules)
      assert.notInclude(Retention.unmatched(rules, [plan, other]).join(), "release-*")
    })
  )
})

describe("the first rule that matches", () => {
  it.effect("decides, and is named with its reason", () =>
    Effect.gen(function* () {
      const plan = yield* planOf(tagged({ v1: 40, v2: 40, main: 40 }), [
        { name: "v2 runs", because: "customers run it", tags: ["v2"], action: "keep" },
        { name: "old", because: "it costs", tags: ["v*"], olderThan: "30 days", action: "delete" },
        { name: "later", because: "never asked", tags: ["v*"], action: "keep" }
      ])
      const said = ["main", "v1", "v2"].map((tag) => {
        const { because, by, rule, verdict } = tagDecisionOf(plan, tag)
        return { verdict, by, rule, because }
      })
      assert.deepStrictEqual(said, [
        { verdict: "keep", by: "default", rule: undefined, because: "no rule names it" },
        { verdict: "delete", by: "rule", rule: "old", because: "it costs" },
        { verdict: "keep", by: "rule", rule: "v2 runs", because: "customers run it" }
      ])
    })
  )

  it.effect("takes its tags from later rules: newest counts what is left to it", () =>
    Effect.gen(function* () {
      const pushes = tagged({ v1: 50, v2: 40, v3: 30, v4: 20, v5: 10 })
      const newest = { tags: ["v*"], newest: { count: 2 }, action: "keep" }
      const staying = (...rules: ReadonlyArray<Fields>) => Effect.map(planOf(pushes, rules, deleting), tagsThatStay)
      assert.deepStrictEqual(yield* staying(newest), ["v4", "v5"])
      assert.deepStrictEqual(yield* staying({ tags: ["v5"], action: "keep" }, newest), ["v3", "v4", "v5"])
      assert.deepStrictEqual(yield* staying({ tags: ["v5"], action: "delete" }, newest), ["v3", "v4"])
    })
  )

  it.effect("asks for all of its conditions, not for one of them", () =>
    Effect.gen(function* () {
      const pushes = tagged({ v1: 40, v2: 10, main: 40 })
      const rule = { tags: ["v*"], olderThan: "30 days", action: "delete" }
      assert.deepStrictEqual(tagsThatGo(yield* planOf(pushes, [rule])), ["v1"])
    })
  )
})

/** The tags that a rule keeps where everything else goes. */
const stay = (pushes: ReturnType<typeof tagged>, rule: Fields) =>
  Effect.map(planOf(pushes, [{ ...rule, action: "keep" }], { ...deleting, safetyAge: "none" }), tagsThatStay)

describe("newest", () => {
  it.effect("counts by group: three of each branch", () =>
    Effect.gen(function* () {
      const pushes = tagged({
        "main-1": 50,
        "main-2": 40,
        "main-3": 30,
        "main-4": 20,
        "main-5": 10,
        "dev-1": 90,
        "dev-2": 80,
        "dev-3": 70,
        "dev-4": 60,
        "fix-1": 99,
        latest: 5
      })
      const tags = [{ regex: "([a-z]+)-[0-9]+" }]
      assert.deepStrictEqual(yield* stay(pushes, { tags, newest: { count: 3, per: "group" } }), [
        "dev-2",
        "dev-3",
        "dev-4",
        "fix-1",
        "main-3",
        "main-4",
        "main-5"
      ])
      assert.deepStrictEqual(yield* stay(pushes, { tags, newest: { count: 3 } }), ["main-3", "main-4", "main-5"])
    })
  )

  it.effect("tells groups apart by all their parts", () =>
    Effect.gen(function* () {
      const pushes = tagged({ "a-bc-1": 30, "a-bc-2": 20, "ab-c-1": 30, "ab-c-2": 20 })
      const rule = { tags: [{ regex: "([a-z]+)-([a-z]+)-[0-9]" }], newest: { count: 1, per: "group" } }
      assert.deepStrictEqual(yield* stay(pushes, rule), ["a-bc-2", "ab-c-2"])
    })
  )

  it.effect("keeps the newest of each minor version by groups", () =>
    Effect.gen(function* () {
      const pushes = tagged({ "1.1.0": 9, "1.1.1": 8, "1.2.0": 7, "1.2.10": 6, "1.2.9": 5 })
      const rule = {
        tags: [{ regex: "([0-9]+\\.[0-9]+)\\.[0-9]+" }],
        newest: { count: 1, per: "group", by: "version" }
      }
      assert.deepStrictEqual(yield* stay(pushes, rule), ["1.1.1", "1.2.10"])
    })
  )

  it.effect("by version: 1.10 is newer than 1.9, and a release than its pre-releases", () =>
    Effect.gen(function* () {
      const ages = {
        "1.10.0": 90,
        "1.9.0": 10,
        "1.10.0-rc.1": 5,
        "1.10.0-rc.11": 4,
        "1.10.0-rc.2": 3,
        v1: 2,
        latest: 2
      }
      const newest = (count: number) => stay(tagged(ages), { newest: { count, by: "version" } })
      assert.deepStrictEqual(yield* newest(1), ["1.10.0"])
      assert.deepStrictEqual(yield* newest(2), ["1.10.0", "1.10.0-rc.11"])
      assert.deepStrictEqual(yield* newest(5), ["1.10.0", "1.10.0-rc.1", "1.10.0-rc.11", "1.10.0-rc.2", "1.9.0"])
    })
  )

  it.effect("by version leaves tags that are no versions to later rules and the default", () =>
    Effect.gen(function* () {
      const plan = yield* planOf(tagged({ "1.0.0": 10, latest: 10 }), [
        { name: "versions", newest: { count: 9, by: "version" }, action: "keep" }
      ])
      assert.strictEqual(tagDecisionOf(plan, "1.0.0").rule, "versions")
      assert.strictEqual(tagDecisionOf(plan, "latest").by, "default")
    })
  )

  it.effect("breaks ties by digest, whatever the order in the registry", () =>
    Effect.gen(function* () {
      const pushes = tagged({ a: 10, b: 10, c: 10, d: 10, e: 10 })
      const newest = { newest: { count: 2 } }
      const [first, second] = pushes
        .flatMap(({ manifest, tags = [] }) => tags.map((tag) => ({ tag, digest: manifest.descriptor.digest })))
        .toSorted((left, right) => (left.digest < right.digest ? -1 : 1))
      const expected = [first?.tag ?? "", second?.tag ?? ""].toSorted()
      assert.deepStrictEqual(yield* stay(pushes, newest), expected)
      assert.deepStrictEqual(yield* stay(pushes.toReversed(), newest), expected)
    })
  )
})

/** The tags of one run each at these times. */
const at = (...times: ReadonlyArray<string>) =>
  tagged(
    Object.fromEntries(
      times.map((time) => [
        time.replaceAll(":", ""),
        Duration.toDays(DateTime.distance(DateTime.makeUnsafe(`${time}Z`), start))
      ])
    )
  )

describe("one per period", () => {
  it.effect("keeps the newest of each day, by UTC, as far back as it says", () =>
    Effect.gen(function* () {
      const pushes = at(
        "2026-06-29T23:59",
        "2026-06-29T00:00",
        "2026-06-28T23:59",
        "2026-06-28T12:00",
        "2026-06-20T12:00"
      )
      assert.deepStrictEqual(yield* stay(pushes, { onePer: { period: "day", for: "7 days" } }), [
        "2026-06-28T2359",
        "2026-06-29T2359"
      ])
    })
  )

  it.effect("keeps the newest of each week, from Monday", () =>
    Effect.gen(function* () {
      // 2026-06-29 is a Monday.
      const pushes = at("2026-06-29T00:00", "2026-06-28T23:59", "2026-06-22T00:00", "2026-06-21T23:59")
      assert.deepStrictEqual(yield* stay(pushes, { onePer: { period: "week", for: "30 days" } }), [
        "2026-06-21T2359",
        "2026-06-28T2359",
        "2026-06-29T0000"
      ])
    })
  )

  it.effect("keeps the newest of each month", () =>
    Effect.gen(function* () {
      const pushes = at(
        "2026-06-01T00:00",
        "2026-05-31T23:59",
        "2026-05-01T00:00",
        "2026-04-30T23:59",
        "2025-04-30T23:59"
      )
      assert.deepStrictEqual(yield* stay(pushes, { onePer: { period: "month", for: "365 days" } }), [
        "2026-04-30T2359",
        "2026-05-31T2359",
        "2026-06-01T0000"
      ])
    })
  )

  it.effect("works with others: seven days, then four weeks", () =>
    Effect.gen(function* () {
      const pushes = tagged(Object.fromEntries(Array.from({ length: 40 }, (_, day) => [`d${day}`, day + 0.25])))
      const plan = yield* planOf(
        pushes,
        [
          { onePer: { period: "day", for: "7 days" }, action: "keep" },
          { onePer: { period: "week", for: "28 days" }, action: "keep" }
        ],
        { ...deleting, safetyAge: "none" }
      )
      assert.deepStrictEqual(
        tagsThatStay(plan),
        ["d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7", "d9", "d16", "d23"].toSorted()
      )
    })
  )
})

const daysAgo = (days: number) => DateTime.subtractDuration(start, Duration.days(days))

describe("a condition", () => {
  const chart = referrer("chart", image("anything"))
  const app = image("app")
  const many = index("many", [app])
  const sbom = referrer("sbom", image("gone"), "application/spdx+json")
  const signature = referrer("signature", image("gone"), "application/vnd.example.signature")
  const pushes = [
    { manifest: app, tags: ["image"], age: 10 },
    { manifest: many, tags: ["index"], age: 10 },
    { manifest: chart, tags: ["referrer"], age: 10 },
    { manifest: sbom, age: 10 },
    { manifest: signature, age: 10 }
  ]

  const goes = (rule: Fields) => Effect.map(planOf(pushes, [{ ...rule, action: "untag" }]), tagsThatGo)

  it.effect("on kinds matches what something is", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* goes({ kinds: ["image"] }), ["image"])
      assert.deepStrictEqual(yield* goes({ kinds: ["index", "referrer"] }), ["index", "referrer"])
      assert.deepStrictEqual(yield* goes({ kinds: ["artifact"] }), [])
    })
  )

  it.effect("on artifact types matches them, or the type of the configuration", () =>
    Effect.gen(function* () {
      const names = { sbom, signature, chart, app, many }
      const plan = yield* planOf(pushes, [
        { of: ["orphans"], artifactTypes: ["application/spdx+*"], action: "delete" },
        { artifactTypes: ["application/vnd.oci.image.config.*"], action: "untag" }
      ])
      assert.deepStrictEqual(manifestsThatGo(plan, names), ["sbom"])
      assert.deepStrictEqual(tagsThatGo(plan), ["image"])
    })
  )

  it.effect("on the state of quarantine matches manifests that have one", () =>
    Effect.gen(function* () {
      const scanned = [
        { manifest: image("bad"), tags: ["bad"], age: 10, quarantineState: "Failed" },
        { manifest: image("good"), tags: ["good"], age: 10, quarantineState: "Passed" },
        { manifest: image("new"), tags: ["new"], age: 10 }
      ]
      const goes = (quarantine: ReadonlyArray<string>) =>
        Effect.map(planOf(scanned, [{ quarantine, action: "delete" }]), tagsThatGo)
      assert.deepStrictEqual(yield* goes(["Failed"]), ["bad"])
      assert.deepStrictEqual(yield* goes(["*", "!Passed"]), ["bad"])
    })
  )

  it.effect("on what is broken matches indexes that lack a child, at any depth", () =>
    Effect.gen(function* () {
      const gone = image("gone")
      const broken = index("broken", [gone])
      const indirect = index("indirect", [broken])
      const held = [
        { manifest: broken, age: 10 },
        { manifest: indirect, tags: ["indirect"], age: 10 },
        { manifest: app, age: 10 },
        { manifest: many, tags: ["whole"], age: 10 }
      ]
      const goes = (isBroken: boolean) => Effect.map(planOf(held, [{ isBroken, action: "delete" }]), tagsThatGo)
      assert.deepStrictEqual(yield* goes(true), ["indirect"])
      assert.deepStrictEqual(yield* goes(false), ["whole"])
    })
  )

  it.effect("on a list of digests matches listed manifests, and indexes that name them", () =>
    Effect.gen(function* () {
      const other = image("other")
      const held = [
        { manifest: app, age: 10 },
        { manifest: many, tags: ["runs"], age: 10 },
        { manifest: other, tags: ["does-not"], age: 10 }
      ]
      const unknown = Digest.Digest.make(`sha256:${"0".repeat(64)}`)
      const plan = yield* planOf(held, [{ digests: "in use", action: "keep" }], deleting, {
        digests: { "in use": [app.descriptor.digest, unknown] }
      })
      assert.deepStrictEqual(tagsThatStay(plan), ["runs"])
    })
  )

  it.effect("on a list that is not supplied is an error, and so is one on pulls", () =>
    Effect.gen(function* () {
      const inventory = yield* Retention.inventory((yield* holding(pushes)).target)
      for (const rule of [
        { digests: "in use", action: "keep" },
        { since: "pull", olderThan: "30 days", action: "delete" },
        { newest: { count: 1, by: "pull" }, action: "keep" }
      ]) {
        const failed = Retention.plan(inventory, yield* rulesOf([rule]), { digests: { "in used": [] } })
        const problem = Result.match(failed, { onFailure: (error) => error.problem, onSuccess: () => undefined })
        assert.strictEqual(problem, "UnknownList", JSON.stringify(rule))
      }
    })
  )

  it.effect("on pulls counts a push as a pull", () =>
    Effect.gen(function* () {
      const used = image("used")
      const unused = image("unused")
      const recent = image("recent")
      const held = [
        { manifest: used, tags: ["used"], age: 90 },
        { manifest: unused, tags: ["unused"], age: 90 },
        { manifest: recent, tags: ["recent"], age: 5 }
      ]
      const pulls = new Map([
        [used.descriptor.digest, daysAgo(3)],
        [recent.descriptor.digest, daysAgo(60)]
      ])
      const old = { since: "pull", olderThan: "30 days", action: "delete" }
      assert.deepStrictEqual(tagsThatGo(yield* planOf(held, [old], {}, { pulls })), ["unused"])
      const newest = { newest: { count: 1, by: "pull" }, action: "keep" }
      assert.deepStrictEqual(tagsThatStay(yield* planOf(held, [newest], deleting, { pulls })), ["used"])
    })
  )

  it.effect("on ages counts from the last move of the tag, or from the push of the manifest", () =>
    Effect.gen(function* () {
      const moved = image("moved")
      // The image is old, and its tag was moved to it three days ago.
      const held = [
        { manifest: moved, age: 90 },
        { manifest: moved, tags: ["moved"], age: 3 }
      ]
      const goes = (since: string) =>
        Effect.map(planOf(held, [{ since, olderThan: "30 days", action: "delete" }]), tagsThatGo)
      assert.deepStrictEqual(yield* goes("update"), [])
      assert.deepStrictEqual(yield* goes("push"), ["moved"])
      assert.deepStrictEqual(
        tagsThatGo(yield* planOf(tagged({ a: 2, b: 5 }), [{ youngerThan: "3 days", action: "delete" }])),
        ["a"]
      )
    })
  )
})
