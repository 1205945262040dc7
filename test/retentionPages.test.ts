/**
 * The pages on retention: the guide's program does what it shows. Generating those that compare it with other tools changes
 * nothing, and their fragments are valid rules.
 */
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as Retention from "@effect-acr/artifacts/Retention"
import * as RetentionRules from "@effect-acr/artifacts/RetentionRules"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { holding, tagged } from "../packages/artifacts/test/support/retentionPlans.ts"
import { authConfig } from "../packages/cli/test/support/registry.ts"
import { groups } from "./retention/features.ts"
import { findingsPage } from "./retention/findingsPage.ts"
import { rulesPage } from "./retention/rulesPage.ts"
import { temporaryFolder } from "./support/command.ts"
import { start } from "./support/emulatorCommand.ts"
import { runWith } from "./support/pagePrograms.ts"

const textOf = (name: string) => Effect.promise(() => readFile(new URL(`../docs/${name}`, import.meta.url), "utf8"))

const keep = { action: "keep", because: "no rule names it" }

describe("retention", () => {
  it.live("does what docs/retention-vs-acr-purge.md states", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        yield* textOf("retention-vs-acr-purge.md"),
        yield* findingsPage,
        "generate it: npx -y pnpm@12 retention"
      )
    })
  )

  it.effect("is compared in docs/retention-rules.md", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* textOf("retention-rules.md"), rulesPage, "generate it: npx -y pnpm@12 retention")
    })
  )
})

describe("docs/retention.md", () => {
  it.live("has a program that deletes old builds of the emulator that it shows", () =>
    Effect.gen(function* () {
      const page = yield* textOf("retention.md")
      const blockOf = (language: string): string =>
        new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "m").exec(page)?.[1] ?? ""
      const config = join(yield* temporaryFolder, "acr.json")
      yield* Effect.promise(() => writeFile(config, blockOf("json")))
      const { ready } = yield* start("--config", config, "--control-port", "0")
      const { password, username } = ready.logins.adminUser
      const login = authConfig(ready.loginServer, { username, password: Redacted.make(password) })
      const program = blockOf("ts").replace("myregistry.azurecr.io", ready.loginServer)
      const printed = yield* runWith(program, [], { DOCKER_AUTH_CONFIG: login })
      assert.include(printed.replaceAll(/(sha256:[0-9a-f]{8})[0-9a-f]{56}/g, "$1…"), blockOf("text"))
      assert.match(printed, /\ndone\n$/)
    }).pipe(Effect.scoped)
  )
})

describe("a fragment of rules in docs/retention-rules.md is valid", () => {
  for (const [group, features] of groups) {
    for (const { feature, fields = {}, rules = [] } of features) {
      it.effect(`${group}: ${feature}`, () =>
        Effect.gen(function* () {
          const { target } = yield* holding(tagged({ v1: 10 }))
          const parsed = yield* RetentionRules.parse(
            JSON.stringify({
              repositories: ["**"],
              defaults: { tags: keep, untagged: keep, orphans: keep },
              rules: rules.map((rule, at) => ({ name: `rule ${at + 1}`, because: feature, ...rule })),
              ...fields
            })
          )
          // Fragments with repositories include this one.
          const inventory = { ...(yield* Retention.inventory(target)), repository: "shop/api" }
          const plan = Retention.plan(inventory, parsed, { digests: { clusters: [] }, pulls: new Map() })
          assert.strictEqual(Result.getOrThrow(plan).rules.rules.length, rules.length)
        })
      )
    }
  }
})
