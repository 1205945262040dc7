/**
 * Each exit code, once. Those of signals and closed pipes are tested with processes.
 */
import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { loggedIn } from "./support/registry.ts"

const reader = { username: "reader", password: Redacted.make("reading") }

const emulator = AcrEmulator.layer({
  seed: [
    { repository: "shop/api", tags: ["v1"] },
    { repository: "shop/locked", tags: ["v1"], locks: { tags: { deleteEnabled: false } } }
  ],
  scopeMapTokens: [{ ...reader, scopeMap: [{ repository: "shop/api", actions: ["content/read"] }] }]
})

const authOf = (loginServer: string) =>
  JSON.stringify({ auths: { [loginServer]: { auth: Buffer.from("reader:reading").toString("base64") } } })

layer(emulator, { excludeTestServices: true })("exit codes", (it) => {
  const failing = (
    name: string,
    args: ReadonlyArray<string>,
    expected: number,
    says: string,
    before: Effect.Effect<unknown, unknown, AcrEmulator.AcrEmulator> = Effect.void
  ) =>
    it.effect(`${expected}: ${name}`, () =>
      Effect.gen(function* () {
        const { clearFaults, loginServer } = yield* AcrEmulator.AcrEmulator
        yield* before
        const { code, stderr, stdout } = yield* Effect.ensuring(loggedIn(args), clearFaults)
        assert.deepStrictEqual({ code, stdout }, { code: expected, stdout: "" })
        assert.include(stderr, says.replace("$REGISTRY", loginServer))
        assert.notInclude(stderr, "S3CRET")
      })
    )

  const otherManifest = Effect.flatMap(AcrEmulator.AcrEmulator, ({ inject }) =>
    inject({
      method: "GET",
      path: "/v2/shop/api/manifests/",
      times: 100,
      consequence: {
        _tag: "Answer",
        status: 200,
        body: "{}",
        headers: { "content-type": "application/vnd.oci.image.manifest.v1+json" }
      }
    })
  )

  it.effect("0: done", () =>
    Effect.map(loggedIn(["digest", "$REGISTRY/shop/api:v1"]), ({ code }) => assert.strictEqual(code, 0))
  )

  failing("the call is wrong", ["digest", "$REGISTRY/shop/api:v1", "extra"], 2, "extra")
  failing("what was named is not there", ["digest", "$REGISTRY/shop/none:v1"], 4, "no such tag")
  failing("a repository is not there", ["ls", "$REGISTRY/shop/nope"], 4, "cannot list $REGISTRY/shop/nope")
  failing(
    "a layout is not there",
    ["ls", "--layout", "/nonexistent/layout"],
    4,
    "cannot list /nonexistent/layout\n  there is no folder /nonexistent/layout"
  )
  failing("a platform that is none", ["show", "--platform", "all", "$REGISTRY/shop/api:v1"], 2, "is no platform")
  failing("an age of nothing", ["purge", "$REGISTRY/shop/api", "--untagged", "--older-than", "0d"], 2, "0d")
  failing("a pattern that is none", ["purge", "$REGISTRY/shop/api", "--tags", "a[", "--dry-run"], 2, "a[")
  failing("a login in a name", ["ls", "user:S3CRET@$REGISTRY/shop/api"], 2, "<redacted>@")
  failing("a registry in place of a repository", ["digest", "$REGISTRY/"], 2, "names a registry and no repository")
  failing("a scheme of skopeo", ["ls", "docker://$REGISTRY/shop/api"], 2, "expected $REGISTRY/shop/api")
  failing("a plan with more", ["purge", "$REGISTRY/shop/api", "--apply", "plan.json"], 2, "--apply")
  failing("rm of a repository", ["rm", "--manifest", "--yes", "$REGISTRY/shop/api"], 2, "add a tag or a digest")
  failing(
    "an archive with --dry-run",
    ["cp", "$REGISTRY/shop/api:v1", "--to-archive", "x.tar", "--dry-run"],
    2,
    "--dry-run"
  )
  failing("a login in an address", ["ls", "https://user:S3CRET@localhost"], 2, "//<redacted>@localhost")
  failing("a file is not there", ["raw", "v1", "--archive", "/nonexistent.tar"], 4, "/nonexistent.tar")
  failing("the registry refuses", ["rm", "$REGISTRY/shop/locked:v1"], 6, "eacr unlock")
  failing("the registry cannot be reached", ["raw", "127.0.0.1:1/shop/api:v1"], 7, "eacr doctor 127.0.0.1:1")
  failing("content differs from its digest", ["raw", "$REGISTRY/shop/api:v1"], 8, "expected sha256:", otherManifest)

  it.effect("1: standard output is full, also for help and versions", () =>
    Effect.gen(function* () {
      for (const args of [["--help"], ["--version"], ["ls", "$REGISTRY"]]) {
        const { code, stderr } = yield* loggedIn(args, { isFull: true })
        assert.strictEqual(code, 1, stderr)
        assert.include(stderr, "error: cannot print the answer\n")
        assert.include(stderr, "the disk is full (ENOSPC)")
      }
    })
  )

  it.effect("0: the version, as text or as a JSON document", () =>
    Effect.gen(function* () {
      const text = yield* loggedIn(["--version"])
      const json = yield* loggedIn(["--version", "--json"])
      const { eacr, effect, platform, runtime, version } = JSON.parse(json.stdout)
      assert.strictEqual(version, 1)
      assert.strictEqual(text.stdout, `eacr ${eacr} (effect ${effect}, ${runtime}, ${platform})\n`)
      assert.strictEqual(json.code, 0)
    })
  )

  it.effect("5: the login lacks a permission", () =>
    Effect.gen(function* () {
      const { loginServer } = yield* AcrEmulator.AcrEmulator
      const { code, stderr, stdout } = yield* loggedIn(["tag", "$REGISTRY/shop/api:v1", "v2"], {
        env: { DOCKER_AUTH_CONFIG: authOf(loginServer) }
      })
      assert.deepStrictEqual({ code, stdout }, { code: 5, stdout: "" })
      assert.include(stderr, `eacr whoami ${loginServer}`)
    })
  )

  it.effect("2: a plan of a newer version", () =>
    Effect.gen(function* () {
      const file = join(mkdtempSync(join(tmpdir(), "effect-acr-plan-")), "plan.json")
      writeFileSync(file, JSON.stringify({ version: 2, plans: [] }))
      const { code, stderr } = yield* loggedIn(["purge", "--apply", file, "--yes"])
      assert.strictEqual(code, 2)
      assert.include(stderr, "this version of eacr")
    })
  )
})
