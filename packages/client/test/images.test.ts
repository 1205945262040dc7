/**
 * Images by platform through the service, from registries with the content of a test, or with wrong answers.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Platform from "../src/Platform.ts"
import * as MediaType from "../src/MediaType.ts"
import { type Image, RegistryContent } from "../src/RegistryContent.ts"
import type { RegistryError } from "../src/RegistryError.ts"
import { content, sha256 } from "./support/content.ts"
import { Journal, json, type Script } from "./support/registry.ts"
import { spansOf } from "./support/spans.ts"

/** The content of a registry under one digest. */
interface Stored {
  readonly text: string
  readonly mediaType: string
}

interface Pointer {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

const stored = (value: unknown, mediaType: string): Stored => ({
  text: typeof value === "string" ? value : JSON.stringify(value),
  mediaType
})

const digestOf = ({ text }: Stored): string => sha256(text)

const pointer = (item: Stored): Pointer => ({
  mediaType: item.mediaType,
  digest: digestOf(item),
  size: Buffer.byteLength(item.text)
})

/** `os/architecture/variant@version`. */
const platformOf = (text: string): Platform.Platform => {
  const [name = "", version] = text.split("@")
  const [os = "", architecture = "", variant] = name.split("/")
  return {
    os,
    architecture,
    ...(variant === undefined ? {} : { variant }),
    ...(version === undefined ? {} : { "os.version": version })
  }
}

const layerOf = (seed: string, size: number): Pointer => ({
  mediaType: MediaType.ociImageLayerGzip,
  digest: sha256(seed),
  size
})

const base = layerOf("base", 1000)

const configOf = (platform: string, more: object = {}) =>
  stored({ ...platformOf(platform), rootfs: { type: "layers", diff_ids: [] }, ...more }, MediaType.ociImageConfig)

const manifestOf = (config: Stored, layers: ReadonlyArray<Pointer>, more: object = {}) =>
  stored(
    { schemaVersion: 2, mediaType: MediaType.ociImageManifest, config: pointer(config), layers, ...more },
    MediaType.ociImageManifest
  )

/** An image and its parts. */
const imageOf = (platform: string, more: object = {}) => {
  const config = configOf(platform, more)
  return { config, manifest: manifestOf(config, [base, layerOf(platform, 20)]), all: [config] }
}

const indexOf = (entries: ReadonlyArray<readonly [item: Stored, platform?: string | undefined]>, more: object = {}) =>
  stored(
    {
      schemaVersion: 2,
      mediaType: MediaType.ociImageIndex,
      manifests: entries.map(([item, platform]) => ({
        ...pointer(item),
        ...(platform === undefined ? {} : { platform: platformOf(platform) })
      })),
      ...more
    },
    MediaType.ociImageIndex
  )

const missing = (path: string) => {
  const code = path.includes("/blobs/") ? "BLOB_UNKNOWN" : "MANIFEST_UNKNOWN"
  return json({ errors: [{ code, message: "it is not here" }] }, { status: 404 })
}

/** A registry with some content, with the tag `v1` on the first item. */
const holding = (root: Stored, ...others: ReadonlyArray<Stored>): Script => {
  const byDigest = new Map([root, ...others].map((item) => [digestOf(item), item]))
  return ({ url }) => {
    const reference = url.pathname.split("/").at(-1) ?? ""
    const item = reference === "v1" ? root : byDigest.get(reference)
    if (item === undefined) return missing(url.pathname)
    return new Response(item.text, { headers: { "content-type": item.mediaType } })
  }
}

const find = (platform?: Platform.Input, reference = "v1") =>
  Effect.flatMap(RegistryContent, (service) =>
    service.image("alpine", reference, platform === undefined ? {} : { platform })
  )

/** The reason without the place, with which it begins unless a request or an argument of the error names it. */
const failing = <R>(effect: Effect.Effect<unknown, RegistryError, R>) =>
  Effect.map(Effect.flip(Effect.asVoid(effect)), ({ operation, reason }) => {
    assert.strictEqual(operation, "RegistryContent.image")
    const [, description = reason.description] =
      /^myregistry\.azurecr\.io\/alpine[:@][^ ]+: (.*)$/.exec(reason.description) ?? []
    const isPlaced = description !== reason.description
    const message = isPlaced ? reason.message.replace(reason.description, description) : reason.message
    return { ...reason, description, message, isPlaced }
  })

/** What was requested, without the digest's algorithm and most of its digits. */
const requested = Effect.map(Journal, (journal) =>
  journal.map(({ method, url }) => `${method} ${url.pathname.replace("/v2/alpine/", "")}`)
)

const amd64 = imageOf("linux/amd64")
const arm64 = imageOf("linux/arm64")
const armV6 = imageOf("linux/arm/v6")
const attestation = manifestOf(configOf("unknown/unknown"), [layerOf("provenance", 3)])

const index = indexOf([
  [amd64.manifest, "linux/amd64"],
  [arm64.manifest, "linux/arm64/v8"],
  [armV6.manifest, "linux/arm/v6"],
  [attestation, "unknown/unknown"]
])
const images = [amd64.manifest, amd64.config, arm64.manifest, arm64.config, armV6.manifest, armV6.config, attestation]

const assertIs = (image: Image, expected: ReturnType<typeof imageOf>, platform?: string) => {
  assert.deepStrictEqual<object>(
    { ...image.descriptor },
    { ...pointer(expected.manifest), ...(platform === undefined ? {} : { platform: platformOf(platform) }) }
  )
  assert.strictEqual(image.manifest.config.digest, digestOf(expected.config))
  assert.strictEqual(image.config.architecture, JSON.parse(expected.config.text).architecture)
}

describe("an index", () => {
  it.effect("leads to the image of a platform, in three requests", () =>
    Effect.gen(function* () {
      const image = yield* find("linux/arm64")
      assertIs(image, arm64, "linux/arm64/v8")
      assert.strictEqual(image.size, Buffer.byteLength(arm64.config.text) + 1020)
      assert.deepStrictEqual(yield* requested, [
        "GET manifests/v1",
        `GET manifests/${digestOf(arm64.manifest)}`,
        `GET blobs/${digestOf(arm64.config)}`
      ])
    }).pipe(Effect.provide(content(holding(index, ...images))))
  )

  it.effect("may be named by its digest, and the platform by its fields", () =>
    Effect.gen(function* () {
      assertIs(yield* find({ os: "Linux", architecture: "x86_64" }, digestOf(index)), amd64, "linux/amd64")
    }).pipe(Effect.provide(content(holding(index, ...images))))
  )

  it.effect("leads to a lower variant if there is no exact one", () =>
    Effect.gen(function* () {
      assertIs(yield* find("linux/arm/v7"), armV6, "linux/arm/v6")
    }).pipe(Effect.provide(content(holding(index, ...images))))
  )

  it.effect("without an image for the platform names the existing platforms", () =>
    Effect.gen(function* () {
      const reason = yield* failing(find("linux/s390x"))
      assert.deepInclude(reason, {
        _tag: "NotFound",
        resource: "manifest",
        description: "no image for linux/s390x: there are linux/amd64, linux/arm64/v8, linux/arm/v6",
        isPlaced: true
      })
      assert.deepStrictEqual(yield* requested, ["GET manifests/v1"])
    }).pipe(Effect.provide(content(holding(index, ...images))))
  )

  it.effect("is not an artifact that the index lists for the same platform, as SOCI does", () => {
    const real = imageOf("linux/amd64")
    const artifact = manifestOf(configOf("linux/amd64"), [layerOf("soci", 7)])
    const platform = platformOf("linux/amd64")
    const both = stored(
      {
        schemaVersion: 2,
        mediaType: MediaType.ociImageIndex,
        manifests: [
          { ...pointer(artifact), platform, artifactType: "application/vnd.amazon.soci.index.v2+json" },
          { ...pointer(real.manifest), platform }
        ]
      },
      MediaType.ociImageIndex
    )
    return Effect.gen(function* () {
      for (const wanted of ["linux/amd64", undefined]) {
        assert.strictEqual(String((yield* find(wanted)).descriptor.digest), digestOf(real.manifest))
      }
    }).pipe(Effect.provide(content(holding(both, artifact, real.manifest, ...real.all))))
  })

  it.effect("of versions of Windows differs by them, also in errors", () => {
    const old = imageOf("windows/amd64@10.0.17763.1040")
    const recent = imageOf("windows/amd64@10.0.20348.2113")
    const both = indexOf([
      [old.manifest, "windows/amd64@10.0.17763.1040"],
      [recent.manifest, "windows/amd64@10.0.20348.2113"]
    ])
    return Effect.gen(function* () {
      const windows = { os: "windows", architecture: "amd64" }
      const image = yield* find({ ...windows, "os.version": "10.0.20348" })
      assertIs(image, recent, "windows/amd64@10.0.20348.2113")
      const reason = yield* failing(find({ ...windows, "os.version": "10.0.26100" }))
      assert.strictEqual(
        reason.message,
        "no image for windows/amd64 10.0.26100: there are windows/amd64 10.0.17763.1040, windows/amd64 10.0.20348.2113"
      )
    }).pipe(Effect.provide(content(holding(both, old.manifest, old.config, recent.manifest, recent.config))))
  })

  it.effect("whose images have no platform has none for any", () =>
    Effect.gen(function* () {
      const reason = yield* failing(find("linux/amd64"))
      assert.strictEqual(reason._tag, "NotFound")
      assert.strictEqual(
        reason.message,
        "no image for linux/amd64: there are images without a platform (name one by its digest)"
      )
    }).pipe(Effect.provide(content(holding(indexOf([[amd64.manifest]]), ...images))))
  )

  it.effect("of nothing has none for any", () =>
    Effect.gen(function* () {
      const reason = yield* failing(find("linux/amd64"))
      assert.strictEqual(reason.message, "no image for linux/amd64: no platform is named")
      assert.strictEqual((yield* failing(find()))._tag, "NotFound")
    }).pipe(Effect.provide(content(holding(indexOf([])))))
  )

  it.effect("takes precedence over the configuration", () =>
    Effect.gen(function* () {
      const image = yield* find("linux/arm64")
      assertIs(image, amd64, "linux/arm64")
      assert.strictEqual(image.config.architecture, "amd64")
    }).pipe(Effect.provide(content(holding(indexOf([[amd64.manifest, "linux/arm64"]]), ...images))))
  )

  it.effect("names at most fifty platforms in an error, and none with characters that move a cursor", () => {
    const many = indexOf([
      [amd64.manifest, "linux/\u001b[2Jevil"],
      [amd64.manifest, `linux/${"long-".repeat(1000)}`],
      ...Array.from({ length: 1000 }, (_, n): readonly [Stored, string] => [amd64.manifest, `linux/a${n}`])
    ])
    return Effect.gen(function* () {
      const { message } = yield* failing(find("linux/amd64"))
      assert.notInclude(message, "\u001b")
      assert.isBelow(message.length, 2000)
      assert.include(message, "there are <redacted>, linux/a0, ")
      assert.include(message, "linux/a48")
      assert.notInclude(message, "linux/a49")
      assert.isTrue(message.endsWith(" and more"), message)
    }).pipe(Effect.provide(content(holding(many))))
  })
})

describe("an index, and no platform", () => {
  it.effect("leads to the only image, whatever attestations it has", () =>
    Effect.gen(function* () {
      assertIs(yield* find(), amd64, "linux/amd64")
    }).pipe(
      Effect.provide(
        content(
          holding(
            indexOf([
              [attestation, "unknown/unknown"],
              [amd64.manifest, "linux/amd64"],
              [stored("?", "application/x.other"), "linux/arm64"]
            ]),
            ...images
          )
        )
      )
    )
  )

  it.effect("leads to the only image even if it has no platform, or is listed twice", () =>
    Effect.gen(function* () {
      for (const root of [indexOf([[amd64.manifest]]), indexOf([[amd64.manifest], [amd64.manifest, "linux/amd64"]])]) {
        assertIs(yield* Effect.provide(find(), content(holding(root, ...images))), amd64)
      }
    })
  )

  it.effect("requires one if there are several images", () =>
    Effect.gen(function* () {
      const reason = yield* failing(find())
      assert.deepInclude(reason, {
        _tag: "InvalidRequest",
        argument: "platform",
        description:
          "the index lists several images, so a platform is needed: there are linux/amd64, linux/arm64/v8, linux/arm/v6"
      })
    }).pipe(Effect.provide(content(holding(index, ...images))))
  )

  it.effect("requires one if two images have the same platform, or none", () =>
    Effect.gen(function* () {
      for (const [platform, there] of [
        ["linux/amd64", "linux/amd64"],
        [undefined, "images without a platform (name one by its digest)"]
      ] as const) {
        const root = indexOf([
          [amd64.manifest, platform],
          [arm64.manifest, platform]
        ])
        const reason = yield* failing(Effect.provide(find(), content(holding(root, ...images))))
        assert.strictEqual(reason._tag, "InvalidRequest")
        assert.isTrue(reason.message.endsWith(`there are ${there}`), reason.message)
      }
    })
  )

  it.effect("of attestations alone, or of the layers of a cache, has no image", () =>
    Effect.gen(function* () {
      const cache = stored(
        { schemaVersion: 2, mediaType: MediaType.ociImageIndex, manifests: [base] },
        MediaType.ociImageIndex
      )
      for (const root of [indexOf([[attestation, "unknown/unknown"]]), cache]) {
        const reason = yield* failing(Effect.provide(find(), content(holding(root, ...images))))
        assert.deepInclude(reason, { _tag: "NotFound", description: "the index lists no image" })
      }
    })
  )
})

/** Nested indexes, the outermost first; the innermost lists an image. */
const nested = (levels: number): ReadonlyArray<Stored> =>
  Array.from({ length: levels - 1 }).reduce<ReadonlyArray<Stored>>(
    ([outer, ...rest]) => (outer === undefined ? [] : [indexOf([[outer]]), outer, ...rest]),
    [indexOf([[amd64.manifest, "linux/amd64"]])]
  )

/** A registry with these and the images. */
const holdingAll = ([root, ...rest]: ReadonlyArray<Stored>) =>
  content(root === undefined ? ({ url }) => missing(url.pathname) : holding(root, ...rest, ...images))

describe("indexes within an index", () => {
  const inner = indexOf([
    [arm64.manifest, "linux/arm64"],
    [armV6.manifest, "linux/arm/v6"]
  ])

  it.effect("are followed if they have no platform", () =>
    Effect.gen(function* () {
      assertIs(yield* find("linux/arm64"), arm64, "linux/arm64")
    }).pipe(Effect.provide(content(holding(indexOf([[amd64.manifest, "linux/amd64"], [inner]]), inner, ...images))))
  )

  it.effect("are not requested if the index itself has the exact image", () =>
    Effect.gen(function* () {
      assertIs(yield* find("linux/amd64"), amd64, "linux/amd64")
      assert.notInclude(yield* requested, `GET manifests/${digestOf(inner)}`)
    }).pipe(Effect.provide(content(holding(indexOf([[inner], [amd64.manifest, "linux/amd64"]]), inner, ...images))))
  )

  it.effect("are followed for a better variant", () => {
    const armV7 = imageOf("linux/arm/v7")
    const better = indexOf([[armV7.manifest, "linux/arm/v7"]])
    const root = indexOf([[armV6.manifest, "linux/arm/v6"], [better]])
    return Effect.gen(function* () {
      assertIs(yield* find("linux/arm/v7"), armV7, "linux/arm/v7")
      assertIs(yield* find("linux/arm/v6"), armV6, "linux/arm/v6")
    }).pipe(Effect.provide(content(holding(root, better, armV7.manifest, armV7.config, ...images))))
  })

  it.effect("that match but have no image for the platform do not count as an image", () => {
    const root = indexOf([[inner, "linux/s390x"]])
    return Effect.gen(function* () {
      const reason = yield* failing(find("linux/s390x"))
      assert.deepInclude(reason, {
        _tag: "NotFound",
        description: "no image for linux/s390x: there are linux/arm64, linux/arm/v6"
      })
    }).pipe(Effect.provide(content(holding(root, inner, ...images))))
  })

  it.effect("may be lists of Docker", () => {
    const list = { ...inner, mediaType: MediaType.dockerManifestList }
    const docker = { ...list, text: inner.text.replaceAll(MediaType.ociImageIndex, list.mediaType) }
    return Effect.gen(function* () {
      assertIs(yield* find("linux/arm64"), arm64, "linux/arm64")
    }).pipe(Effect.provide(content(holding(indexOf([[docker]]), docker, ...images))))
  })

  it.effect("of attestations do not count", () => {
    const root = indexOf([
      [amd64.manifest, "linux/amd64"],
      [inner, "unknown/unknown"]
    ])
    return Effect.gen(function* () {
      assertIs(yield* find(), amd64, "linux/amd64")
      assert.notInclude(yield* requested, `GET manifests/${digestOf(inner)}`)
    }).pipe(Effect.provide(content(holding(root, inner, ...images))))
  })

  it.effect("are followed only if their platform matches", () => {
    const root = indexOf([
      [stored("not here", MediaType.ociImageIndex), "linux/amd64"],
      [inner, "linux/arm64"]
    ])
    return Effect.gen(function* () {
      assertIs(yield* find("linux/arm64"), arm64, "linux/arm64")
      const reason = yield* failing(find("linux/s390x"))
      assert.strictEqual(reason.message, "no image for linux/s390x: there are linux/amd64, linux/arm64")
    }).pipe(Effect.provide(content(holding(root, inner, ...images))))
  })

  it.effect("count if no platform is given", () => {
    const only = indexOf([[arm64.manifest, "linux/arm64"]])
    return Effect.gen(function* () {
      assertIs(
        yield* Effect.provide(find(), content(holding(indexOf([[only]]), only, ...images))),
        arm64,
        "linux/arm64"
      )
      const root = indexOf([[only], [amd64.manifest, "linux/amd64"]])
      const reason = yield* failing(Effect.provide(find(), content(holding(root, only, ...images))))
      assert.strictEqual(reason._tag, "InvalidRequest")
      assert.isTrue(reason.message.endsWith("there are linux/amd64, linux/arm64"), reason.message)
    })
  })

  it.effect("that are listed twice are requested once", () => {
    const left = indexOf([[inner]], { annotations: { side: "left" } })
    const right = indexOf([[inner]], { annotations: { side: "right" } })
    return Effect.gen(function* () {
      assert.strictEqual((yield* failing(find("linux/s390x")))._tag, "NotFound")
      assert.deepStrictEqual(yield* requested, [
        "GET manifests/v1",
        ...[left, right, inner].map((item) => `GET manifests/${digestOf(item)}`)
      ])
    }).pipe(Effect.provide(content(holding(indexOf([[left], [right]]), left, right, inner))))
  })

  it.effect("are followed eight levels deep", () =>
    Effect.gen(function* () {
      assertIs(yield* find("linux/amd64"), amd64, "linux/amd64")
    }).pipe(Effect.provide(holdingAll(nested(8))))
  )

  it.effect("of a ninth level are an error that names the path to it", () => {
    const all = nested(9)
    return Effect.gen(function* () {
      assert.deepInclude(yield* failing(find("linux/amd64")), {
        _tag: "InvalidResponse",
        description: `indexes are nested more than 8 levels deep: ${all.map(digestOf).join(" > ")}`
      })
      assert.strictEqual((yield* Journal).length, 8)
    }).pipe(Effect.provide(holdingAll(all)))
  })

  it.effect("are not followed by the hundred", () => {
    const many = Array.from({ length: 100 }, (_, n) => indexOf([], { annotations: { n: String(n) } }))
    return Effect.gen(function* () {
      const reason = yield* failing(find("linux/amd64"))
      assert.strictEqual(reason._tag, "InvalidResponse")
      assert.include(reason.message, "more than 100 indexes")
    }).pipe(Effect.provide(content(holding(indexOf(many.map((item) => [item] as const)), ...many))))
  })
})

describe("a single manifest", () => {
  const single = holding(arm64.manifest, arm64.config)

  it.effect("is the image, if no platform is given", () =>
    Effect.gen(function* () {
      assertIs(yield* find(), arm64)
    }).pipe(Effect.provide(content(single)))
  )

  it.effect("is the image, if its configuration has the platform", () =>
    Effect.gen(function* () {
      assertIs(yield* find("linux/arm64/v9"), arm64)
      assertIs(yield* find("linux/aarch64"), arm64)
    }).pipe(Effect.provide(content(single)))
  )

  it.effect("of another platform is not found", () =>
    Effect.gen(function* () {
      assert.deepInclude(yield* failing(find("linux/amd64")), {
        _tag: "NotFound",
        resource: "manifest",
        description: "no image for linux/amd64: there are linux/arm64"
      })
    }).pipe(Effect.provide(content(single)))
  )

  it.effect("is one of Docker as well", () => {
    const config = configOf("linux/amd64")
    const docker = stored(
      { schemaVersion: 2, mediaType: MediaType.dockerManifest, config: pointer(config), layers: [base] },
      MediaType.dockerManifest
    )
    return Effect.gen(function* () {
      const { descriptor, size } = yield* find("linux/amd64")
      assert.strictEqual(descriptor.mediaType, MediaType.dockerManifest)
      assert.strictEqual(size, config.text.length + 1000)
    }).pipe(Effect.provide(content(holding(docker, config))))
  })

  it.effect("counts each layer once", () => {
    const config = configOf("linux/amd64")
    const twice = manifestOf(config, [base, layerOf("a", 7), base, layerOf("a", 7)])
    return Effect.gen(function* () {
      assert.strictEqual((yield* find()).size, config.text.length + 1007)
    }).pipe(Effect.provide(content(holding(twice, config))))
  })

  it.effect("may be an artifact, of no platform", () => {
    const empty = stored("{}", MediaType.ociEmpty)
    const artifact = manifestOf(empty, [pointer(empty)], { artifactType: "application/x.example" })
    return Effect.gen(function* () {
      const { config, manifest, size } = yield* find()
      assert.deepInclude(config, { os: "", architecture: "" })
      assert.strictEqual(manifest.artifactType, "application/x.example")
      assert.strictEqual(size, 2)
      const reason = yield* failing(find("linux/amd64"))
      assert.deepInclude(reason, {
        _tag: "NotFound",
        description: "no image for linux/amd64: no platform is named"
      })
    }).pipe(Effect.provide(content(holding(artifact, empty))))
  })
})

describe("a manifest that is not an image", () => {
  it.effect("is described if it is requested itself", () =>
    Effect.gen(function* () {
      for (const [item, problem] of [
        [
          stored("?", "application/x.other"),
          "the manifest is not an image: application/x.other: its media type is not that of an image or an index"
        ],
        [
          stored({ schemaVersion: 2, layers: [] }, MediaType.ociImageManifest),
          `the manifest is not an image: ${MediaType.ociImageManifest}: Missing key at ["config"]`
        ]
      ] as const) {
        const reason = yield* failing(Effect.provide(find("linux/amd64"), content(holding(item))))
        assert.deepInclude(reason, { _tag: "InvalidResponse", description: problem })
      }
    })
  )

  it.effect("is described if an index lists it for the platform", () => {
    const inner = indexOf([])
    const other = stored("?", "application/x.other")
    const listed: ReadonlyArray<readonly [item: Stored, as: string, problem: string]> = [
      [
        other,
        "application/x.other",
        `${digestOf(other)} is listed as an image, but is application/x.other: its media type is not that of an image or an index`
      ],
      [inner, MediaType.ociImageManifest, `${digestOf(inner)} is listed as an image, but is an index`],
      [amd64.manifest, MediaType.ociImageIndex, `${digestOf(amd64.manifest)} is listed as an index, but is an image`]
    ]
    return Effect.gen(function* () {
      for (const [item, mediaType, description] of listed) {
        const root = indexOf([[{ ...item, mediaType }, "linux/amd64"]])
        const reason = yield* failing(Effect.provide(find("linux/amd64"), content(holding(root, item))))
        assert.deepInclude(reason, { _tag: "InvalidResponse", description })
      }
    })
  })

  it.effect("is ignored if there is an image for the platform", () => {
    const other = stored("?", "application/x.other")
    const root = indexOf([
      [other, "linux/amd64"],
      [amd64.manifest, "linux/amd64"]
    ])
    return Effect.gen(function* () {
      assertIs(yield* find("linux/amd64"), amd64, "linux/amd64")
    }).pipe(Effect.provide(content(holding(root, other, ...images))))
  })
})

describe("a configuration", () => {
  it.effect("that is invalid JSON is an InvalidResponse that quotes nothing", () =>
    Effect.gen(function* () {
      for (const [text, problem] of [
        ["<html>secret</html>", "Expected JSON"],
        ["[]", "Expected object"],
        ['{"architecture":64,"os":"linux"}', 'Expected string at ["architecture"]']
      ] as const) {
        const config = stored(text, MediaType.ociImageConfig)
        const reason = yield* failing(Effect.provide(find(), content(holding(manifestOf(config, [base]), config))))
        assert.deepInclude(reason, {
          _tag: "InvalidResponse",
          description: `the configuration of the image cannot be read: ${problem}`
        })
      }
    })
  )

  it.effect("of more than 4 MiB is too large, and not requested", () => {
    const config = stored(" ".repeat(4 * 1024 * 1024 + 1), MediaType.ociImageConfig)
    return Effect.gen(function* () {
      assert.deepInclude(yield* failing(find()), {
        _tag: "TooLarge",
        description: "the configuration of the image",
        limitBytes: 4 * 1024 * 1024
      })
      assert.deepStrictEqual(yield* requested, ["GET manifests/v1"])
    }).pipe(Effect.provide(content(holding(manifestOf(config, [base]), config))))
  })

  it.effect("that is missing is not found", () =>
    Effect.gen(function* () {
      assert.deepInclude(yield* failing(find()), { _tag: "NotFound", resource: "blob" })
    }).pipe(Effect.provide(content(holding(arm64.manifest))))
  )
})

describe("a registry that lies", () => {
  it.effect("and answers every digest with the same index fails at once", () => {
    const root = indexOf([[stored("anything", MediaType.ociImageIndex)]])
    return Effect.gen(function* () {
      assert.strictEqual((yield* failing(find("linux/amd64")))._tag, "ContentMismatch")
      assert.strictEqual((yield* Journal).length, 2)
    }).pipe(Effect.provide(content(() => new Response(root.text, { headers: { "content-type": root.mediaType } }))))
  })

  it.effect("and lacks a manifest that its index lists is an error", () =>
    Effect.gen(function* () {
      assert.deepInclude(yield* failing(find("linux/amd64")), { _tag: "NotFound", resource: "manifest" })
    }).pipe(Effect.provide(content(holding(index))))
  )
})

describe("arguments", () => {
  it.effect("that are invalid are refused before anything is sent", () =>
    Effect.gen(function* () {
      const service = yield* RegistryContent
      const refused: ReadonlyArray<readonly [argument: string, attempt: Effect.Effect<unknown, RegistryError>]> = [
        ["platform", service.image("alpine", "v1", { platform: "arm64" })],
        ["platform", service.image("alpine", "v1", { platform: "linux/arm64/v8/x" })],
        ["platform", service.image("alpine", "v1", { platform: "" })],
        ["repository", service.image("Alpine", "v1")],
        ["tagOrDigest", service.image("alpine", "-")]
      ]
      for (const [argument, attempt] of refused) {
        assert.deepInclude(yield* failing(attempt), { _tag: "InvalidRequest", argument })
      }
      assert.deepStrictEqual(yield* Journal, [])
    }).pipe(Effect.provide(content(holding(index))))
  )
})

describe("its span", () => {
  it.effect("encloses those of the requests, and names repository, reference and digest", () =>
    Effect.gen(function* () {
      const [first] = yield* spansOf(find("linux/amd64"))
      assert.strictEqual(first?.name, "RegistryContent.image")
      assert.deepInclude(Object.fromEntries(first?.attributes ?? []), {
        "server.address": "myregistry.azurecr.io",
        "registry.repository": "alpine",
        "registry.reference": "v1",
        "registry.digest": digestOf(amd64.manifest)
      })
    }).pipe(Effect.provide(content(holding(index, ...images))))
  )
})
