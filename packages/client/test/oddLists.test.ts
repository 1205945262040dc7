/**
 * Lists with unreadable records: each is left out with a warning, and never fails the list.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import * as Stream from "effect/Stream"
import { ContainerRegistry } from "../src/ContainerRegistry.ts"
import { RegistryContent } from "../src/RegistryContent.ts"
import type { RegistryError } from "../src/RegistryError.ts"
import { content, sha256 } from "./support/content.ts"
import { json, type Script } from "./support/registry.ts"

const times = { createdTime: "2023-03-07T02:03:10Z", lastUpdateTime: "2023-03-07T02:03:10Z" }
const head = { registry: "myregistry.azurecr.io", imageName: "alpine" }
const tag = (name: unknown, change: object = {}) => ({ name, digest: sha256("a"), ...times, ...change })
const manifest = (digest: unknown, change: object = {}) => ({ digest, ...times, ...change })

/** Runs an effect, and returns the warnings that it logged. */
const warned = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const lines: Array<string> = []
    return effect.pipe(
      Effect.map((value) => ({ value, lines })),
      Effect.provide(Logger.layer([Logger.make(({ message }) => void lines.push(String(message)))])),
      Effect.provideService(References.MinimumLogLevel, "Warn")
    )
  })

/** The items of a list, and the warnings meanwhile. */
const listed = <A, E, R>(list: Stream.Stream<A, E, R>, nameOf: (item: A) => string) =>
  Effect.map(warned(Stream.runCollect(list)), ({ lines, value }) => ({ names: value.map(nameOf), lines }))

interface Listed {
  readonly names: ReadonlyArray<string>
  readonly lines: ReadonlyArray<string>
}

type List =
  | "ContainerRegistry.manifests"
  | "ContainerRegistry.repositories"
  | "ContainerRegistry.tags"
  | "RegistryContent.tags"

const lists: {
  readonly [list in List]: Effect.Effect<Listed, RegistryError, ContainerRegistry | RegistryContent>
} = {
  "RegistryContent.tags": Effect.flatMap(RegistryContent, (service) => listed(service.tags("alpine"), String)),
  "ContainerRegistry.repositories": Effect.flatMap(ContainerRegistry, (service) =>
    listed(service.repositories(), String)
  ),
  "ContainerRegistry.tags": Effect.flatMap(ContainerRegistry, (service) =>
    listed(service.tags("alpine"), ({ name }) => name)
  ),
  "ContainerRegistry.manifests": Effect.flatMap(ContainerRegistry, (service) =>
    listed(service.manifests("alpine"), ({ digest }) => digest)
  )
}

const answering =
  (body: unknown): Script =>
  () =>
    json(body)

const lineOf = (name: string, count: string, problem: string) => `${name} left out ${count}: ${problem}`

const noTag = "Expected a tag: 1 to 128 letters, digits and _ . -, not starting with . or -"

describe("a list with odd records is the list of the others", () => {
  const cases: ReadonlyArray<
    readonly [list: List, what: string, body: object, names: ReadonlyArray<string>, line: string]
  > = [
    [
      "RegistryContent.tags",
      "invalid tags",
      { name: "alpine", tags: ["v1", "", "not a tag\u001b[2J", null, 7, {}, "v2"] },
      ["v1", "v2"],
      lineOf("RegistryContent.tags", "5 of 7 records, which cannot be read", `${noTag} at [1]`)
    ],
    [
      "RegistryContent.tags",
      "only an odd tag",
      { name: "alpine", tags: [".."] },
      [],
      lineOf("RegistryContent.tags", "1 of 1 records, which cannot be read", `${noTag} at [0]`)
    ],
    [
      "ContainerRegistry.repositories",
      "a name in capitals",
      { repositories: ["Alpine", "alpine"] },
      ["alpine"],
      lineOf(
        "ContainerRegistry.repositories",
        "1 of 2 records, which cannot be read",
        "Expected a repository name: lower-case components of letters, digits and . _ -, separated by / at [0]"
      )
    ],
    [
      "ContainerRegistry.tags",
      "records that lack something",
      { ...head, tags: [tag("v1"), tag("v2", { createdTime: "" }), tag("v3", { digest: "md5:1" }), null, tag("v4")] },
      ["v1", "v4"],
      lineOf(
        "ContainerRegistry.tags",
        "3 of 5 records, which cannot be read",
        `Expected a time as ISO 8601 has it at [1]["createdTime"]`
      )
    ],
    [
      "ContainerRegistry.manifests",
      "records that lack something",
      { ...head, manifests: [manifest("blake3:aa"), manifest(sha256("a"))] },
      [sha256("a")],
      lineOf(
        "ContainerRegistry.manifests",
        "1 of 2 records, which cannot be read",
        `Expected a digest, sha256:<64 hexadecimal digits> or sha512:<128 hexadecimal digits> at [0]["digest"]`
      )
    ],
    [
      "ContainerRegistry.manifests",
      // Without its odd tag, it would look like one that no tag names, and be cleaned up.
      "a manifest with an odd tag, as a whole",
      { ...head, manifests: [manifest(sha256("a"), { tags: ["v1", ".."] }), manifest(sha256("b"), { tags: ["v2"] })] },
      [sha256("b")],
      lineOf("ContainerRegistry.manifests", "1 of 2 records, which cannot be read", `${noTag} at [0]["tags"][1]`)
    ]
  ]
  for (const [list, what, body, names, line] of cases) {
    it.effect(`${list} with ${what}`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* lists[list], { names, lines: [line] })
      }).pipe(Effect.provide(content(answering(body))))
    )
  }
})

describe("a list without odd records", () => {
  const plain: ReadonlyArray<readonly [list: List, body: object]> = [
    ["RegistryContent.tags", { name: "alpine", tags: [] }],
    ["RegistryContent.tags", { name: "alpine", tags: null }],
    ["RegistryContent.tags", { name: "alpine" }],
    ["ContainerRegistry.repositories", { repositories: null }],
    ["ContainerRegistry.tags", { ...head, tags: null }],
    ["ContainerRegistry.manifests", head]
  ]
  for (const [list, body] of plain) {
    it.effect(`of ${JSON.stringify(body)} is empty, without a warning`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* lists[list], { names: [], lines: [] })
      }).pipe(Effect.provide(content(answering(body))))
    )
  }
})

describe("an answer of another format is an error, not an empty list", () => {
  const cases: ReadonlyArray<readonly [list: List, body: unknown]> = [
    ["RegistryContent.tags", { tags: [{ name: "v1" }, { name: "v2" }] }],
    ["RegistryContent.tags", { tags: "v1" }],
    ["RegistryContent.tags", ["v1"]],
    ["ContainerRegistry.repositories", { repositories: [["alpine"]] }],
    ["ContainerRegistry.tags", { ...head, tags: ["v1", "v2"] }],
    ["ContainerRegistry.tags", { ...head, tags: [{ tag: "v1" }] }],
    ["ContainerRegistry.manifests", { ...head, manifests: [{ sha: "a" }, 1] }]
  ]
  for (const [list, body] of cases) {
    it.effect(`${list} of ${JSON.stringify(body)}`, () =>
      Effect.gen(function* () {
        const { reason } = yield* Effect.flip(lists[list])
        assert.strictEqual(reason._tag, "InvalidResponse")
      }).pipe(Effect.provide(content(answering(body))))
    )
  }
})

describe("the pages of a list with odd records", () => {
  const all = ["a", "b c", "d", "..", "e f", "g", "h i"]
  const usual = ["a", "d", "g"]

  /** Pages by position, without links. */
  const pages: Script = ({ url }) => {
    const begin = all.indexOf(url.searchParams.get("last") ?? "") + 1
    return json({ tags: all.slice(begin, begin + Number(url.searchParams.get("n"))) })
  }

  for (const pageSize of [1, 2, 3, 7]) {
    it.effect(`of ${pageSize} are complete if the registry sends no links`, () =>
      Effect.gen(function* () {
        const service = yield* RegistryContent
        const { names } = yield* listed(service.tags("alpine", { pageSize }), String)
        assert.deepStrictEqual(names, usual)
      }).pipe(Effect.provide(content(pages)))
    )
  }
})

describe("a full page that ends in something odd", () => {
  const all: ReadonlyArray<unknown> = ["a", null, "c", "d"]
  const pages: Script = ({ url }) => {
    const last = url.searchParams.get("last")
    const from = last === null ? 0 : all.indexOf(last) + 1
    const tags = last === "a" ? ["c", "d"] : all.slice(from, from + 2)
    return json({ name: "alpine", tags })
  }

  it.effect("is followed by the page after its last name", () =>
    Effect.gen(function* () {
      const service = yield* RegistryContent
      const { names } = yield* listed(service.tags("alpine", { pageSize: 2 }), String)
      assert.deepStrictEqual(names, ["a", "c", "d"])
    }).pipe(Effect.provide(content(pages)))
  )

  it.effect("is an error if it has no name: the list would look complete", () =>
    Effect.gen(function* () {
      const service = yield* RegistryContent
      const { reason } = yield* Effect.flip(Stream.runDrain(service.tags("alpine", { pageSize: 2 })))
      assert.strictEqual(reason._tag, "InvalidResponse")
    }).pipe(Effect.provide(content(() => json({ name: "alpine", tags: [null, null] }))))
  )
})

describe("a million odd records", () => {
  it.effect("take little more time than reading them", () =>
    Effect.gen(function* () {
      const service = yield* RegistryContent
      const start = process.threadCpuUsage()
      const tags = yield* Stream.runCollect(service.tags("alpine"))
      const { user } = process.threadCpuUsage(start)
      assert.lengthOf(tags, 1)
      assert.isBelow(user / 1e6, 8, "seconds")
    }).pipe(
      Effect.provide(
        content(() => json({ name: "alpine", tags: ["a", ...Array.from({ length: 1_000_000 }, () => "-")] }))
      )
    )
  )
})

describe("a repository that was deleted", () => {
  it.effect("counts as deleted, whatever the answer names", () =>
    Effect.gen(function* () {
      const service = yield* ContainerRegistry
      const { lines, value } = yield* warned(service.deleteRepository("alpine"))
      assert.deepStrictEqual<object>(value, { manifests: [sha256("a")], tags: ["v1"] })
      assert.lengthOf(lines, 2)
    }).pipe(
      Effect.provide(
        content(() =>
          json({ manifestsDeleted: ["blake3:aa", sha256("a")], tagsDeleted: ["..", "v1"] }, { status: 202 })
        )
      )
    )
  )
})

describe("an answer that holds no list", () => {
  const lists: ReadonlyArray<
    readonly [string, Effect.Effect<unknown, RegistryError, ContainerRegistry | RegistryContent>]
  > = [
    ["RegistryContent.tags", Effect.flatMap(RegistryContent, (service) => Stream.runDrain(service.tags("alpine")))],
    [
      "RegistryContent.repositories",
      Effect.flatMap(RegistryContent, (service) => Stream.runDrain(service.repositories()))
    ],
    [
      "ContainerRegistry.repositories",
      Effect.flatMap(ContainerRegistry, (service) => Stream.runDrain(service.repositories()))
    ],
    ["ContainerRegistry.tags", Effect.flatMap(ContainerRegistry, (service) => Stream.runDrain(service.tags("alpine")))]
  ]
  for (const [name, list] of lists) {
    for (const body of [{ error: "not found" }, { errors: [] }, { status: "ok", data: [] }]) {
      it.effect(`is not an empty list of ${name}: ${JSON.stringify(body)}`, () =>
        Effect.gen(function* () {
          assert.strictEqual((yield* Effect.flip(list)).reason._tag, "InvalidResponse")
        }).pipe(Effect.provide(content(answering(body))))
      )
    }
  }

  for (const [name, body] of [
    ["RegistryContent.tags", { name: "alpine" }],
    ["RegistryContent.tags", { tags: null }],
    ["RegistryContent.repositories", {}],
    ["RegistryContent.repositories", { repositories: null }]
  ] as const) {
    it.effect(`unless it is what Go writes for an empty one: ${name} ${JSON.stringify(body)}`, () =>
      Effect.flatMap(RegistryContent, (service) =>
        name === "RegistryContent.tags"
          ? Stream.runDrain(service.tags("alpine"))
          : Stream.runDrain(service.repositories())
      ).pipe(Effect.provide(content(answering(body))))
    )
  }
})
