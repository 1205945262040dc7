/**
 * Features of the rules of other tools, and the same as rules of this library. A test parses each fragment.
 */

/** Fields of rules, or of one rule. */
interface Fields {
  readonly [field: string]: unknown
}

/** A feature of some tools. */
export interface Feature {
  /** The purpose. */
  readonly feature: string
  /** The tools that have the feature, with their names for it. */
  readonly tools: string
  /** Fields beside the rules. */
  readonly fields?: Fields
  /** Rules, in order, without name and reason. */
  readonly rules?: ReadonlyArray<Fields>
}

const tags = ["tags"]

const keepAll = { action: "keep", because: "…" }
const deleteAll = { action: "delete", because: "…" }

export const groups: ReadonlyArray<readonly [string, ReadonlyArray<Feature>]> = [
  [
    "Default action and order",
    [
      {
        feature: "Keep what matches, delete the rest",
        tools: "Harbor; zot deletes a tag that no pattern of a policy matches",
        fields: { defaults: { tags: deleteAll, untagged: deleteAll, orphans: keepAll } },
        rules: [{ of: tags, tags: ["v*"], action: "keep" }]
      },
      {
        feature: "Delete what matches, keep the rest",
        tools: "Amazon ECR, `acr purge`",
        fields: { defaults: { tags: keepAll, untagged: keepAll, orphans: keepAll } },
        rules: [{ of: tags, tags: ["build-*"], action: "delete" }]
      },
      {
        feature: "Delete what matches, with exceptions first",
        tools: "GitLab: `name_regex_keep`, `keep_n`, `older_than`, `name_regex_delete`",
        rules: [
          { of: tags, tags: [{ regex: "release-.+" }], action: "keep" },
          { of: tags, newest: { count: 10 }, action: "keep" },
          { of: tags, tags: [{ regex: ".+" }], olderThan: "30 days", action: "delete" }
        ]
      },
      {
        feature: "Keep what any of several rules matches",
        tools: "Harbor (rules), zot (criteria)",
        fields: { defaults: { tags: deleteAll, untagged: keepAll, orphans: keepAll } },
        rules: [
          { of: tags, tags: ["v*"], action: "keep" },
          { of: tags, youngerThan: "30 days", action: "keep" }
        ]
      },
      {
        feature: "The first rule that selects an image decides",
        tools: "Amazon ECR: `rulePriority`. Here the order of the list decides; a catch-all comes last",
        rules: [
          { of: tags, tags: ["prod-*"], action: "keep" },
          { of: ["tags", "untagged"], olderThan: "14 days", action: "delete" }
        ]
      },
      {
        feature: "Tags of one image are judged one by one",
        tools:
          "GitLab, `acr purge`. In Harbor, an image that one tag keeps also keeps its other tags; here the image is kept, and the other tags are deleted",
        rules: [
          { of: tags, tags: ["latest"], action: "keep" },
          { of: tags, olderThan: "30 days", action: "delete" }
        ]
      },
      {
        feature: "Remove a tag, and leave its manifest",
        tools: "`az acr repository untag`",
        rules: [{ of: tags, tags: ["temp-*"], action: "untag" }]
      }
    ]
  ],
  [
    "Repositories and tags",
    [
      {
        feature: "Repositories by glob, with exceptions",
        tools: "Harbor (doublestar, exclude), zot",
        fields: { repositories: ["shop/**", "!shop/base"] }
      },
      {
        feature: "Repositories by regular expression",
        tools: "`acr purge`. Here it matches the whole name",
        fields: { repositories: [{ regex: "shop/(api|web)" }] }
      },
      {
        feature: "A rule for some of the repositories",
        tools: "Harbor, zot (policies)",
        rules: [{ of: tags, repositories: ["shop/*"], olderThan: "7 days", action: "delete" }]
      },
      {
        feature: "Tags by glob, with exceptions",
        tools: "Harbor (match, exclude), Amazon ECR: `tagPatternList`",
        rules: [{ of: tags, tags: ["*-snapshot", "!v*"], action: "delete" }]
      },
      {
        feature: "Tags by prefix",
        tools: "Amazon ECR: `tagPrefixList`",
        rules: [{ of: tags, tags: ["prod*"], action: "keep" }]
      },
      {
        feature: "Tags that match all of several patterns",
        tools: "Amazon ECR (a list of patterns). Here write one pattern: a list matches any of its patterns",
        rules: [{ of: tags, tags: ["prod*web*"], action: "keep" }]
      },
      {
        feature: "Tags by regular expression",
        tools: "zot, GitLab, `acr purge`. Here it matches the whole tag, without backtracking",
        rules: [{ of: tags, tags: [{ regex: "v[0-9]+\\.[0-9]+" }], action: "keep" }]
      },
      {
        feature: "Tags by a range of versions",
        tools: "none",
        rules: [{ of: tags, tags: [{ semver: ">=1 <2" }], action: "keep" }]
      }
    ]
  ],
  [
    "Time",
    [
      {
        feature: "Pushed within some days",
        tools: "Harbor, zot: `pushedWithin`",
        rules: [{ of: tags, youngerThan: "30 days", since: "push", action: "keep" }]
      },
      {
        feature: "Not pushed for some days",
        tools: "Amazon ECR: `sinceImagePushed`",
        rules: [{ of: tags, olderThan: "30 days", since: "push", action: "delete" }]
      },
      {
        feature: "Not updated for some days",
        tools:
          "`acr purge --ago` (the last move of the tag), GitLab: `older_than` (there, since the image was built, which is not supported here)",
        rules: [{ of: tags, olderThan: "30 days", action: "delete" }]
      },
      {
        feature: "Pulled within some days, a push counted as a pull",
        tools: "Harbor, zot: `pulledWithin`. The program supplies the times of pulls",
        rules: [{ of: tags, youngerThan: "30 days", since: "pull", action: "keep" }]
      },
      {
        feature: "Not pulled for some days",
        tools: "Amazon ECR: `sinceImagePulled`. The program supplies the times of pulls",
        rules: [{ of: tags, olderThan: "90 days", since: "pull", action: "delete" }]
      },
      {
        feature: "A delay for everything",
        tools: "zot: `delay` of 24 hours, for untagged manifests and referrers",
        fields: { safetyAge: "24 hours" }
      }
    ]
  ],
  [
    "Number",
    [
      {
        feature: "The newest that were pushed",
        tools: "Harbor, zot: `mostRecentlyPushedCount`; Amazon ECR: `imageCountMoreThan`",
        rules: [{ of: tags, newest: { count: 10, by: "push" }, action: "keep" }]
      },
      {
        feature: "The newest that were updated",
        tools: "GitLab: `keep_n`; `acr purge --keep` (the second rule: it counts only tags that are old enough)",
        rules: [
          { of: tags, newest: { count: 3 }, action: "keep" },
          { of: tags, olderThan: "30 days", newest: { count: 3 }, action: "keep" }
        ]
      },
      {
        feature: "The newest that were pulled",
        tools: "Harbor, zot: `mostRecentlyPulledCount`. The program supplies the times of pulls",
        rules: [{ of: tags, newest: { count: 10, by: "pull" }, action: "keep" }]
      },
      {
        feature: "The most recently active: pushed or pulled",
        tools: "Harbor: the latest active. `pull` counts a push as a pull",
        rules: [{ of: tags, newest: { count: 10, by: "pull" }, action: "keep" }]
      },
      {
        feature: "The newest of each branch",
        tools: "none",
        rules: [{ of: tags, tags: [{ regex: "(main|dev)-.+" }], newest: { count: 3, per: "group" }, action: "keep" }]
      },
      {
        feature: "The highest versions, and the highest of each minor version",
        tools: "none",
        rules: [
          { of: tags, newest: { count: 2, by: "version" }, action: "keep" },
          {
            of: tags,
            tags: [{ regex: "([0-9]+\\.[0-9]+)\\..+" }],
            newest: { count: 1, per: "group", by: "version" },
            action: "keep"
          }
        ]
      },
      {
        feature: "One for each day, week and month, for a limited time back",
        tools: "none (backup tools)",
        rules: [
          { of: tags, onePer: { period: "day", for: "7 days" }, action: "keep" },
          { of: tags, onePer: { period: "week", for: "28 days" }, action: "keep" },
          { of: tags, onePer: { period: "month", for: "365 days" }, action: "keep" }
        ]
      }
    ]
  ],
  [
    "Untagged manifests, referrers and other kinds",
    [
      {
        feature: "Untagged manifests, after a delay",
        tools: "Harbor, zot: `deleteUntagged` and `delay`; Amazon ECR: `tagStatus`; `acr purge --untagged`",
        rules: [{ of: ["untagged"], olderThan: "24 hours", action: "delete" }]
      },
      {
        feature: "Keep the newest untagged manifests",
        tools: "zot: `keepUntagged`; `acr purge --untagged-only --keep`. Images of an index are not counted here",
        rules: [
          { of: ["untagged"], newest: { count: 3 }, action: "keep" },
          { of: ["untagged"], action: "delete" }
        ]
      },
      {
        feature: "Delete and keep referrers with their image",
        tools: "Harbor, Amazon ECR. Always so here, without a rule",
        rules: [{ of: tags, tags: ["v1"], action: "delete" }]
      },
      {
        feature: "Referrers whose image is gone",
        tools: "zot: `deleteReferrers`",
        rules: [{ of: ["orphans"], olderThan: "100 days", action: "delete" }]
      },
      {
        feature: "Kinds and artifact types",
        tools: "none",
        rules: [
          {
            of: tags,
            kinds: ["artifact"],
            artifactTypes: ["application/vnd.cncf.helm.config.*"],
            action: "keep"
          }
        ]
      },
      {
        feature: "Images that clusters run",
        tools: "none. The program supplies the list of digests",
        rules: [{ of: ["tags", "untagged"], digests: "clusters", action: "keep" }]
      },
      {
        feature: "Images that failed a scan",
        tools: "none",
        rules: [{ of: ["tags", "untagged"], quarantine: ["Failed"], olderThan: "7 days", action: "delete" }]
      },
      {
        feature: "Indexes that lack an image",
        tools: "none",
        rules: [{ of: ["tags", "untagged"], isBroken: true, action: "delete" }]
      }
    ]
  ],
  [
    "Safety",
    [
      {
        feature: "Keep locked, immutable and protected tags",
        tools: "Harbor (immutable), GitLab (protected), `acr purge` (locks). This is the default here",
        fields: { locked: "keep" }
      },
      {
        feature: "Delete locked tags and manifests as well",
        tools: "`acr purge --include-locked`. Here the run must allow it too",
        fields: { locked: "include" }
      },
      {
        feature: "Limits: how much may be deleted, and how much must remain",
        tools: "none",
        fields: { limits: { maxDeletions: 500, maxFraction: 0.25, minRemaining: 3 } }
      },
      {
        feature: "Dry run, or preview",
        tools:
          "Harbor, zot, Amazon ECR, `acr purge`. Here a plan, which is data, and the run carries out exactly that plan"
      }
    ]
  ]
]
