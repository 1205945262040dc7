/**
 * A program can print and log the results and errors of operations: texts of the registry cannot control a terminal or
 * forge lines of a log, and no value is too deep for `JSON.stringify`.
 */
import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Formatter from "effect/Formatter"
import * as Inspectable from "effect/Inspectable"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import { ContainerRegistry, layer } from "../src/ContainerRegistry.ts"
import * as Credentials from "../src/Credentials.ts"
import * as ImageConfig from "../src/ImageConfig.ts"
import * as Manifest from "../src/Manifest.ts"
import * as MediaType from "../src/MediaType.ts"
import { RegistryContent } from "../src/RegistryContent.ts"
import { CredentialUnavailable, RegistryError, Unavailable } from "../src/RegistryError.ts"
import { never } from "../src/RetryPolicy.ts"
import { content, sha256 } from "./support/content.ts"
import { behindOAuth, endpoint, json, registry, type Script } from "./support/registry.ts"

const read = Effect.flatMap(ContainerRegistry, (registry) => registry.repositoryProperties("alpine"))

const codePoints = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, index) => String.fromCodePoint(from + index)).join("")

/** Texts that control a terminal, forge a line of a log, or deceive the reader. */
const harm: ReadonlyArray<readonly [string, string]> = [
  ["escape sequences", "\u001b[2J\u001b[1;31mgone"],
  ["operating system commands", "\u001b]0;title\u0007"],
  ["eight-bit controls", "\u009b2J\u009d0;title\u009c\u0085"],
  ["line breaks", "denied\n[12:00:00.000] INFO (#1): all is well\r\u000b\u000c\u2028\u2029"],
  ["backspaces", "secret\u0008\u0008\u0008\u007f"],
  ["bidirectional controls", "\u202egnp.exe\u202c\u2066a\u2069\u200f\u061c"],
  ["invisible characters", "a\u200b\u2060\ufeff\u{e0041}b"],
  ["lone surrogates", "\ud800 \udfff"],
  ["each control character", codePoints(0, 0x1f) + codePoints(0x7f, 0x9f)]
]

const harmful = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u

const assertHarmless = (text: string, what: string) => {
  assert.isNotEmpty(text, what)
  assert.notMatch(text, harmful, what)
}

/** All strings in a value, keys included. */
const textsOf = (value: unknown): ReadonlyArray<string> =>
  typeof value === "string"
    ? [value]
    : typeof value === "object" && value !== null
      ? [...Object.keys(value), ...Object.values(value).flatMap(textsOf)]
      : []

/** Checks the messages and all fields of an error. */
const assertErrorIsHarmless = ({ message, reason, request, response }: RegistryError) => {
  assertHarmless(message, "message")
  assertHarmless(reason.message, "message of the reason")
  for (const text of textsOf({ ...reason, request, response })) if (text !== "") assertHarmless(text, "field")
}

/** Runs an effect and returns the messages that it logged. */
const logged = <A, E, R>(effect: Effect.Effect<A, E, R>) => {
  const lines: Array<string> = []
  const logger = Logger.make(({ message }) => {
    lines.push(String(message))
  })
  return effect.pipe(
    Effect.map((value) => ({ value, lines })),
    Effect.provide(Logger.layer([logger])),
    Effect.provideService(References.MinimumLogLevel, "All")
  )
}

const refusing =
  (text: string, headers: { readonly [name: string]: string } = {}): Script =>
  () =>
    json({ errors: [{ code: text, message: text, detail: { [text]: [text] } }] }, { status: 403, headers })

const imageOf = (novel: string): string =>
  `{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"${sha256("{}")}","size":2,"novel":${novel}},"layers":[],"novel":${novel}}`

const configOf = (novel: string): string =>
  `{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]},"config":{"ExposedPorts":{"80":${novel}}},"novel":${novel}}`

describe("unprintable characters are escaped:", () => {
  for (const [what, text] of harm) {
    it.effect(`${what} in an error of the registry`, () =>
      Effect.gen(function* () {
        const { lines, value } = yield* logged(Effect.flip(read))
        assert.strictEqual(value.reason._tag, "Forbidden")
        assertErrorIsHarmless(value)
        for (const line of lines) assertHarmless(line, "line")
        // Stacks and inspected values have lines of their own.
        const printed = [String(value.stack), Cause.pretty(Cause.fail(value)), inspect(value, { depth: Infinity })]
        for (const format of [Logger.formatJson, Logger.formatLogFmt, Logger.formatSimple]) {
          const logger = Logger.map(format, (line) => void printed.push(line))
          yield* Effect.provide(Effect.logError("it failed", value, Cause.fail(value)), Logger.layer([logger]))
        }
        assert.strictEqual(printed.length, 6)
        for (const line of printed) assertHarmless(line.replaceAll("\n", " "), "printed")
      }).pipe(
        Effect.provide(
          registry(
            behindOAuth(
              "repository:alpine:metadata_read",
              // As much as fits in a header.
              refusing(text, { "x-ms-correlation-request-id": `id ${text.replace(/[\0\r\n]|[^\0-\xff]/g, "")}` })
            ),
            { retry: never }
          )
        )
      )
    )

    it.effect(`${what} in a warning, as onWarning gets it and as it is logged`, () => {
      const told: Array<string> = []
      const warning = text.replace(/[\0\r\n"\\]|[^\0-\xff]/g, "")
      return Effect.gen(function* () {
        const list = Effect.flatMap(ContainerRegistry, (registry) => Stream.runDrain(registry.repositories()))
        const { lines } = yield* logged(list)
        assert.deepStrictEqual(told.length, 1)
        for (const line of [...told, ...lines]) assertHarmless(line, "line")
      }).pipe(
        Effect.provide(
          registry(
            behindOAuth("registry:catalog:*", () =>
              json({ repositories: [] }, { headers: { warning: `299 - "mind this: ${warning}"` } })
            ),
            {
              onWarning: (text) =>
                Effect.sync(() => {
                  told.push(text)
                })
            }
          )
        )
      )
    })

    it.effect(`${what} in a key of a manifest that cannot be read`, () =>
      Effect.gen(function* () {
        const service = yield* RegistryContent
        const { manifest } = yield* service.manifest("alpine", "v1")
        assert.strictEqual(manifest._tag, "UnknownManifest")
        if (manifest._tag === "UnknownManifest") assertHarmless(manifest.problem, "problem")
      }).pipe(
        Effect.provide(
          content(
            () =>
              new Response(
                JSON.stringify({
                  schemaVersion: 2,
                  config: { mediaType: "a/b", digest: sha256("{}"), size: 2 },
                  layers: [],
                  annotations: { [text]: 1 }
                }),
                { headers: { "content-type": MediaType.ociImageManifest } }
              ),
            never
          )
        )
      )
    )

    it.effect(`${what} in an error of the HTTP client`, () =>
      Effect.gen(function* () {
        const { lines, value } = yield* logged(Effect.flip(read))
        assert.strictEqual(value.reason._tag, "Unavailable")
        assertErrorIsHarmless(value)
        for (const line of lines) assertHarmless(line, "line")
      }).pipe(
        Effect.provide(
          layer({ endpoint, retry: never }).pipe(
            Layer.provide(Credentials.layerAnonymous),
            Layer.provide(
              Layer.succeed(
                HttpClient.HttpClient,
                HttpClient.make((request) =>
                  Effect.fail(
                    new HttpClientError.HttpClientError({
                      reason: new HttpClientError.TransportError({ request, cause: new Error(text) })
                    })
                  )
                )
              )
            )
          )
        )
      )
    )

    it.effect(`${what} in an error of a credential, and where it is logged`, () =>
      Effect.gen(function* () {
        const credentials = yield* Credentials.Credentials
        const { lines, value } = yield* logged(
          Effect.flip(credentials.get({ endpoint, loginServer: "myregistry.azurecr.io" }))
        )
        assert.isNotEmpty(lines)
        for (const line of [...lines, ...value.message.split("\n")]) assertHarmless(line, "line")
        assert.strictEqual(value.message.split("\n").length, 3)
      }).pipe(
        Effect.provide(
          Layer.succeed(Credentials.Credentials, {
            get: () =>
              Effect.fail(new CredentialUnavailable({ credential: `c${text}`, problem: "Failed", description: text }))
          }).pipe(Credentials.orElse(Credentials.layerEntra(Effect.fail(text))))
        )
      )
    )

    it(`${what} in a key of a document that cannot be parsed`, () => {
      const image = JSON.stringify({ ...JSON.parse(imageOf("1")), annotations: { [text]: 1 } })
      const config = JSON.stringify({ ...JSON.parse(configOf("1")), config: { Labels: { [text]: 1 } } })
      const failures = [
        Result.getFailure(Manifest.parse(MediaType.ociImageManifest, image)),
        Result.getFailure(ImageConfig.parse(config))
      ]
      for (const failure of failures) {
        assert.isTrue(Option.isSome(failure))
        if (Option.isSome(failure)) assertHarmless(failure.value.message.replace("\n  at ", ""), "message")
      }
    })

    it(`${what} in an error that a program makes itself`, () => {
      const error = new RegistryError({
        operation: text,
        reason: new Unavailable({ description: text }),
        request: { method: text, url: text, clientRequestId: text },
        response: { status: 500, correlationId: text, errors: [] }
      })
      assertHarmless(error.message, "message")
      assertHarmless(error.reason.message, "message of the reason")
    })
  }

  it.effect("but no letters of any language", () =>
    Effect.gen(function* () {
      const { message } = yield* Effect.flip(read)
      assert.include(message, "Verweigert: größer als 日本 (عربى, 😀) \\ \"'`")
    }).pipe(
      Effect.provide(
        registry(behindOAuth("a:b:c", refusing("Verweigert: größer als 日本 (عربى, 😀) \\ \"'`")), { retry: never })
      )
    )
  )
})

/** JSON text of nested lists. */
const nested = (levels: number): string => "[".repeat(levels) + "]".repeat(levels)

/** Prints a value in the ways that are recursive. */
const assertPrintable = (value: unknown) => {
  assert.isNotEmpty(JSON.stringify(value))
  assert.notInclude(inspect(value, { depth: Infinity }), "interrupted")
  assert.isNotEmpty(Formatter.format(value))
  assert.isNotEmpty(Inspectable.toStringUnknown(value))
}

const record = `"createdTime":"2023-03-07T02:03:10Z","lastUpdateTime":"2023-03-07T02:03:10Z"`

describe("a value nested 100,000 levels deep", () => {
  const deep = nested(100_000)

  it.effect("in the detail of an error is cut, so that loggers can write the error as JSON", () => {
    const lines: Array<unknown> = []
    return Effect.gen(function* () {
      const error = yield* Effect.flip(read)
      assert.deepStrictEqual(
        error.response?.errors.map(({ code, message }) => `${code}: ${message}`),
        ["DENIED: no"]
      )
      assertPrintable(error)
      assertPrintable(Cause.fail(error))
      yield* Effect.logError("it failed", error, Cause.fail(error)).pipe(
        Effect.provide(Logger.layer([Logger.consoleJson, Logger.consolePretty(), Logger.consoleLogFmt])),
        Effect.provideService(Console.Console, { ...console, log: (line: unknown) => lines.push(line) })
      )
      assert.isAtLeast(lines.length, 2)
    }).pipe(
      Effect.provide(
        registry(
          behindOAuth(
            "a:b:c",
            () =>
              new Response(`{"errors":[{"code":"DENIED","message":"no","detail":${nested(30_000)}}]}`, { status: 403 })
          ),
          { retry: never }
        )
      )
    )
  })

  it.effect("in a record is left out, and the record and the rest of the list are read", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const tags = yield* Stream.runCollect(registry.tags("alpine"))
      assert.deepStrictEqual(
        tags.map(({ name }) => String(name)),
        ["odd", "usual"]
      )
      assert.deepStrictEqual(tags[1]?.raw["novel"], [[["kept"]]])
      for (const tag of tags) assertPrintable(tag)
      assertPrintable(yield* registry.repositoryProperties("alpine"))
    }).pipe(
      Effect.provide(
        registry(
          behindOAuth("a:b:c", ({ url }) => {
            const tag = (name: string, novel: string) =>
              `{"name":"${name}","digest":"${sha256("")}",${record},"novel":${novel}}`
            return new Response(
              url.pathname.endsWith("_tags")
                ? `{"registry":"r","imageName":"alpine","tags":[${tag("odd", deep)},${tag("usual", '[[["kept"]]]')}]}`
                : `{"registry":"r","imageName":"alpine",${record},"manifestCount":1,"tagCount":1,"novel":${deep}}`
            )
          })
        )
      )
    )
  )

  it.effect("in a manifest is left out of the parsed manifest, and the bytes are complete", () =>
    Effect.gen(function* () {
      const service = yield* RegistryContent
      const { bytes, manifest } = yield* service.manifest("alpine", sha256(imageOf(deep)))
      assert.strictEqual(new TextDecoder().decode(bytes), imageOf(deep))
      assert.strictEqual(manifest._tag, "ImageManifest")
      assertPrintable(manifest)
    }).pipe(
      Effect.provide(
        content(() => new Response(imageOf(deep), { headers: { "content-type": MediaType.ociImageManifest } }))
      )
    )
  )

  it("in a manifest or a configuration is left out when it is parsed from text", () => {
    for (const mediaType of [MediaType.ociImageManifest, MediaType.dockerManifest]) {
      assertPrintable(Result.getOrThrow(Manifest.parse(mediaType, imageOf(deep))))
    }
    const index = `{"schemaVersion":2,"manifests":[],"novel":${deep}}`
    assertPrintable(Result.getOrThrow(Manifest.parse(MediaType.ociImageIndex, index)))
    assertPrintable(Result.getOrThrow(ImageConfig.parse(configOf(deep))))
  })
})

describe("a value nested 60 levels deep", () => {
  it("is kept", () => {
    const novel = nested(60)
    const manifest = Result.getOrThrow(Manifest.parse(MediaType.ociImageManifest, imageOf(novel)))
    assert.strictEqual(JSON.stringify(Reflect.get(manifest, "novel")), novel)
    const config = Result.getOrThrow(ImageConfig.parse(configOf(novel)))
    assert.strictEqual(JSON.stringify(Reflect.get(config, "novel")), novel)
    assert.strictEqual(JSON.stringify(config.config?.ExposedPorts?.["80"]), novel)
  })
})
