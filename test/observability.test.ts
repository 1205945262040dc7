/**
 * The page on observability shows a push as it is.
 */
import { readFile } from "node:fs/promises"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { page } from "./observability/page.ts"
import { watchedPush } from "./observability/push.ts"

it.live("docs/observability.md shows what is seen", () =>
  Effect.gen(function* () {
    const text = yield* Effect.promise(() => readFile(new URL("../docs/observability.md", import.meta.url), "utf8"))
    const watched = yield* watchedPush
    assert.strictEqual(text, page(watched), "write it anew: npx -y pnpm@12 observability")
    // What the page is about.
    assert.include(text, "upload: AskStatus")
    assert.include(text, "resumed_bytes=")
  })
)
