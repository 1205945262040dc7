/**
 * Image configurations: OCI image specification, config.md.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Digest from "../src/Digest.ts"
import * as ImageConfig from "../src/ImageConfig.ts"
import { atOnce } from "./support/atOnce.ts"

const digest = Digest.Digest.make(`sha256:${"c6".repeat(32)}`)

const smallest = { architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [] } }

const parse = (document: unknown) => ImageConfig.parse(JSON.stringify(document))

describe("an image's configuration", () => {
  it("has all of its fields, and unknown ones at any depth", () => {
    // The example of config.md, with what Docker adds to it and novelties.
    const written = {
      created: "2015-10-31T22:22:56.015925234Z",
      author: "Alyssa P. Hacker <alyspdev@example.com>",
      architecture: "arm64",
      os: "linux",
      variant: "v8",
      "os.version": "10.0",
      "os.features": ["a"],
      config: {
        User: "alice",
        ExposedPorts: { "8080/tcp": {} },
        Env: ["PATH=/usr/local/sbin:/bin", "FOO=oci_is_a"],
        Entrypoint: ["/bin/my-app-binary"],
        Cmd: ["--foreground"],
        Volumes: { "/var/job-result-data": {} },
        WorkingDir: "/srv/app",
        Labels: { "com.example.project.git.commit": "45a939b2999782a3f005621a8d0f29aa387e1d6b" },
        StopSignal: "SIGKILL",
        ArgsEscaped: true,
        Healthcheck: { Test: ["CMD", "true"], Interval: 1e9 },
        OnBuild: null
      },
      rootfs: { diff_ids: [digest, digest], type: "layers", novel: 1 },
      history: [
        { created: "2015-10-31T22:22:54.690851953Z", created_by: "/bin/sh -c #(nop) ADD file:a3bc in /" },
        { author: "a", comment: "b", empty_layer: true, novel: [null] }
      ],
      container: "abc",
      docker_version: "1.8.2"
    }
    const config = Result.getOrThrow(parse(written))
    assert.deepStrictEqual<object>(config, written)
    assert.deepStrictEqual<unknown>(JSON.parse(ImageConfig.format(config)), written)
  })

  it("reads null as absent, and as an empty list", () => {
    assert.deepStrictEqual<object>(
      Result.getOrThrow(
        parse({
          ...smallest,
          created: null,
          author: null,
          variant: null,
          "os.version": null,
          "os.features": null,
          rootfs: { type: "layers", diff_ids: null },
          history: null,
          config: {
            User: null,
            ExposedPorts: null,
            Env: null,
            Entrypoint: null,
            Cmd: null,
            Volumes: null,
            WorkingDir: null,
            Labels: null,
            StopSignal: null
          }
        })
      ),
      { ...smallest, history: [], config: {} }
    )
    assert.isUndefined(Result.getOrThrow(parse({ ...smallest, config: null })).config)
  })

  it("accepts what Go writes for an unset field", () => {
    const unset = { ...smallest, architecture: "", os: "", history: [] }
    const written: ReadonlyArray<readonly [object, object]> = [
      [
        { architecture: "", os: "", config: {}, rootfs: { type: "", diff_ids: null } },
        { ...unset, config: {} }
      ],
      [{ architecture: null, os: null, rootfs: null }, unset],
      [{}, unset],
      [
        {
          ...smallest,
          created: "",
          author: "",
          variant: "",
          "os.version": "",
          config: { User: "", WorkingDir: "", StopSignal: "", Cmd: [""], Env: [], Labels: { a: null, b: "" } },
          history: [{ created: "", created_by: "", author: "", comment: "", empty_layer: false }]
        },
        { ...smallest, config: { Cmd: [""], Env: [], Labels: { b: "" } }, history: [{ empty_layer: false }] }
      ]
    ]
    for (const [document, config] of written) {
      assert.deepStrictEqual<object>(Result.getOrThrow(parse(document)), config)
    }
  })

  it("may be minimal", () => {
    assert.deepStrictEqual<object>(Result.getOrThrow(parse(smallest)), { ...smallest, history: [] })
  })

  const refused: ReadonlyArray<readonly [string, object]> = [
    ["a number for an operating system", { os: 1 }],
    ["a root file system that is a list", { rootfs: [] }],
    ["a root file system of another type", { rootfs: { type: "snapshots", diff_ids: [] } }],
    ["a layer that has no digest", { rootfs: { type: "layers", diff_ids: [""] } }],
    ["a layer that is null", { rootfs: { type: "layers", diff_ids: [null] } }],
    ["a command in one text", { config: { Cmd: "run" } }],
    ["an environment by name", { config: { Env: { PATH: "/bin" } } }],
    ["labels that are numbers", { config: { Labels: { a: 1 } } }],
    ["ports in a list", { config: { ExposedPorts: ["80/tcp"] } }],
    ["a history that is null at places", { history: [null] }],
    ["a text for a boolean", { history: [{ empty_layer: "true" }] }]
  ]
  it.each(refused)("with %s is refused", (_, change) => {
    assert.isTrue(Result.isFailure(parse({ ...smallest, ...change })))
  })

  it.each(["", " ", "null", "[]", "1", '"a"', "{", `${JSON.stringify(smallest)}}`])("of %j is refused", (text) => {
    assert.isTrue(Result.isFailure(ImageConfig.parse(text)))
  })

  it("that is refused is not quoted", () => {
    const error = ImageConfig.parse(JSON.stringify({ ...smallest, config: { Env: "PASSWORD=secret" } }))
    assert.strictEqual(
      Result.match(error, { onSuccess: ImageConfig.format, onFailure: ({ message }) => message }),
      `Expected array\n  at ["config"]["Env"]`
    )
  })

  it.prop(
    "is read as it was written",
    [
      Schema.Struct({
        architecture: Schema.String,
        os: Schema.String,
        variant: Schema.optionalKey(Schema.NonEmptyString),
        config: Schema.optionalKey(
          Schema.Struct({
            Env: Schema.optionalKey(Schema.Array(Schema.String)),
            Labels: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
            WorkingDir: Schema.optionalKey(Schema.NonEmptyString)
          })
        ),
        rootfs: Schema.Struct({ type: Schema.Literal("layers"), diff_ids: Schema.Array(Digest.Digest) }),
        history: Schema.Array(Schema.Struct({ empty_layer: Schema.optionalKey(Schema.Boolean) }))
      })
    ],
    ([config]) => {
      assert.deepStrictEqual(ImageConfig.parse(ImageConfig.format(config)), Result.succeed(config))
    },
    { arbitrary: { seed: 1, runs: 100 } }
  )

  const texts: ReadonlyArray<readonly [string, (length: number) => string]> = [
    ["brackets", (length) => "[".repeat(length)],
    ["objects in objects", (length) => '{"config":'.repeat(length / 10)],
    ["quotes", (length) => '"'.repeat(length)],
    ["slashes", (length) => "a/".repeat(length / 2)],
    ["dashes", (length) => "-".repeat(length)],
    ["underscores", (length) => "_".repeat(length)],
    [
      "a digest",
      (length) => JSON.stringify({ ...smallest, rootfs: { type: "layers", diff_ids: ["a".repeat(length)] } })
    ],
    ["null for history", (length) => JSON.stringify({ ...smallest, history: Array(length / 10).fill(null) })]
  ]
  it.each(texts)("of a megabyte of %s is refused at once", (_, text) => {
    for (const length of [100_000, 1_000_000]) {
      assert.isTrue(Result.isFailure(atOnce(() => ImageConfig.parse(text(length)))))
    }
  })

  it("of a hundred thousand variables is read at once", () => {
    const Env = Array.from({ length: 100_000 }, (_, index) => `V${index}=a/`)
    const config = Result.getOrThrow(atOnce(() => parse({ ...smallest, config: { Env } })))
    assert.deepStrictEqual(config.config?.Env, Env)
  })
})
