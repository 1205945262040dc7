/**
 * Migrations by the command, between two emulated registries.
 */
import { existsSync } from "node:fs"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import type * as SeedImage from "@effect-acr/emulator/SeedImage"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { freePort } from "../../../test/support/freePort.ts"
import { eacr } from "./support/eacr.ts"

const adminUser = { username: "contoso", password: Redacted.make("a-S3CRET") }

const temporary = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "eacr-migrate-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
)

const authsOf = (...loginServers: ReadonlyArray<string>) => {
  const auth = Buffer.from(`${adminUser.username}:${Redacted.value(adminUser.password)}`).toString("base64")
  return JSON.stringify({ auths: Object.fromEntries(loginServers.map((loginServer) => [loginServer, { auth }])) })
}

/** Two registries, a folder, and the command of a user who is logged in to both. */
const makeWorld = Effect.gen(function* () {
  const source = yield* AcrEmulator.make({ adminUser })
  const target = yield* AcrEmulator.make({ adminUser })
  const folder = yield* temporary
  const rulesFile = join(folder, "rules.json")
  const state = join(folder, "state.sqlite")
  const env = { HOME: "/nonexistent", DOCKER_AUTH_CONFIG: authsOf(source.loginServer, target.loginServer) }
  const route = { from: { registry: source.loginServer }, to: { registry: target.loginServer } }
  const writeRules = (rules: object = {}) =>
    Effect.promise(() => writeFile(rulesFile, JSON.stringify({ routes: [route], ...rules })))
  yield* writeRules()
  const migrate = (...args: ReadonlyArray<string>) => eacr(["migrate", ...args], { env })
  return {
    source,
    target,
    folder,
    rulesFile,
    state,
    env,
    route,
    writeRules,
    migrate,
    seed: (...images: ReadonlyArray<SeedImage.SeedImage>) => Effect.forEach(images, source.seed),
    run: (...flags: ReadonlyArray<string>) => migrate("run", "test", rulesFile, "--state", state, ...flags)
  }
})

const images: ReadonlyArray<SeedImage.SeedImage> = [
  { repository: "shop/api", tags: ["v1", "stable"], layers: ["one"] },
  { repository: "shop/api", tags: ["v2"], layers: ["two"] },
  { repository: "shop/web", tags: ["v1"], layers: ["one"] }
]

const tagsOf = ({ contents }: AcrEmulator.Service, repository: string) =>
  Effect.map(contents(repository), (found) =>
    Option.match(found, { onNone: () => [], onSome: ({ tags }) => tags.map(({ name }) => name).toSorted() })
  )

const digestOf = ({ contents }: AcrEmulator.Service, repository: string, tag: string) =>
  Effect.map(contents(repository), (found) =>
    Option.match(found, {
      onNone: () => undefined,
      onSome: ({ tags }) => tags.find(({ name }) => name === tag)?.digest
    })
  )

const writes = ({ journal }: AcrEmulator.Service) =>
  Effect.map(journal, (requests) =>
    requests.filter(({ method, path }) => !["GET", "HEAD"].includes(method) && !path.startsWith("/oauth2"))
  )

const jsonOf = (text: string): unknown => JSON.parse(text)

describe("eacr migrate", () => {
  it.live("plan shows what would be copied and how long it takes, and writes nothing", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* world.seed(...images, { repository: "left/api", tags: ["v1"] }, { repository: "right/api", tags: ["v1"] })
      const rename = ["left/", "right/"].map((prefix) => ({ prefix, replaceBy: "both/" }))
      yield* world.writeRules({
        routes: [{ ...world.route, rename }],
        limits: { registries: { [world.target.loginServer]: { write: 1 } } }
      })
      const text = yield* world.migrate("plan", world.rulesFile)
      // Two would become one.
      assert.strictEqual(text.code, 3, text.stderr)
      assert.match(text.stdout, /^repositories\t4$/m)
      assert.match(text.stdout, /^to copy\t3 artifacts of \d+ bytes$/m)
      assert.match(
        text.stdout,
        /^takes at least\t3 min 0 s, by the limits .*: the requests of one minute may be sent at once/m
      )
      assert.match(text.stdout, /^not copied\tleft\/api -> both\/api: /m)
      assert.notMatch(text.stdout, /^tags/m)
      yield* world.target.seed({ repository: "shop/api", tags: ["v1"], layers: ["theirs"] })
      const other = yield* world.migrate("plan", world.rulesFile)
      assert.match(other.stdout, /^tags\t1 tag of the target names something else/m)
      const { code, stdout } = yield* world.migrate("plan", world.rulesFile, "--json")
      assert.strictEqual(code, 3)
      assert.deepInclude(jsonOf(stdout), {
        version: 1,
        repositories: 4,
        artifacts: 3,
        present: 0,
        otherTags: 1,
        unknownTags: 0,
        leastMillis: 120_000
      })
      assert.deepStrictEqual(yield* writes(world.target), [])
      assert.lengthOf(yield* world.target.repositories, 1)
    }).pipe(Effect.scoped)
  )

  it.live("plan says what becomes of tags of the target that name something else, and ends with 3 if they fail", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* world.seed(...images)
      yield* world.target.seed({ repository: "shop/api", tags: ["v1"], layers: ["theirs"] })
      const expected = [
        ["overwrite", 0, "which moves it"],
        ["keep", 0, "which leaves it"],
        ["fail", 3, "which leaves it, and the run incomplete"]
      ] as const
      for (const [onTag, code, says] of expected) {
        yield* world.writeRules({ onTag })
        const plan = yield* world.migrate("plan", world.rulesFile)
        assert.strictEqual(plan.code, code, plan.stdout)
        assert.include(plan.stdout, `tags\t1 tag of the target names something else: onTag is ${onTag}, ${says}\n`)
      }
    }).pipe(Effect.scoped)
  )

  it.live("run copies everything, status and report show it, and another run copies what changed", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* world.seed(...images)
      const dry = yield* world.run("--dry-run")
      assert.strictEqual(dry.code, 0, dry.stderr)
      assert.match(dry.stdout, /^to copy\t3 artifacts/m)
      assert.isFalse(existsSync(world.state))
      assert.deepStrictEqual(yield* writes(world.target), [])

      const first = yield* world.run()
      assert.strictEqual(first.code, 0, first.stderr)
      assert.strictEqual(first.stderr, `the state is kept in ${world.state}\n`)
      assert.match(first.stdout, /^run\ttest\nphase\tdone, pass 2\nrepositories\t2\nverified\t3 artifacts/)
      assert.match(first.stdout, /^complete\tyes$/m)
      assert.deepStrictEqual(yield* tagsOf(world.target, "shop/api"), ["stable", "v1", "v2"])

      const status = yield* world.migrate("status", "test", "--state", world.state, "--json")
      assert.deepInclude(jsonOf(status.stdout), {
        version: 1,
        name: "test",
        isComplete: true,
        phase: "done",
        problems: []
      })

      const report = yield* world.migrate("report", "test", "--state", world.state, "--jsonl")
      const lines = report.stdout.trimEnd().split("\n").map(jsonOf)
      assert.lengthOf(lines, 3)
      for (const line of lines) assert.propertyVal(line, "state", "verified")
      const text = yield* world.migrate("report", "test", "--state", world.state)
      assert.match(text.stdout, /^verified\tshop\/api@sha256:[0-9a-f]{64}\tstable,v1$/m)
      const failed = yield* world.migrate("report", "test", "--state", world.state, "--only", "failed", "--json")
      assert.deepStrictEqual(jsonOf(failed.stdout), { version: 1, outcomes: [] })

      yield* world.seed({ repository: "shop/api", tags: ["v3"], layers: ["three"] })
      const second = yield* world.run("--quiet")
      assert.deepStrictEqual(second, { code: 0, stdout: "", stderr: "" })
      assert.include(yield* tagsOf(world.target, "shop/api"), "v3")
    }).pipe(Effect.scoped)
  )

  it.live("run prints events as lines, the last of which is the end", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* world.seed(...images)
      const { code, stdout } = yield* world.run("--jsonl")
      assert.strictEqual(code, 0)
      const events = stdout.trimEnd().split("\n").map(jsonOf)
      assert.propertyVal(events[0], "_tag", "PassBegan")
      assert.strictEqual(events.filter((event) => JSON.stringify(event).includes("ArtifactDone")).length, 3)
      assert.propertyVal(events.at(-1), "_tag", "RunDone")
    }).pipe(Effect.scoped)
  )

  it.live("run and plan end with 7 if the target is down, with one line for all repositories", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* world.seed(...images)
      yield* world.writeRules({ routes: [{ ...world.route, to: { registry: "127.0.0.1:1" } }] })
      for (const { code, stderr, stdout } of [yield* world.run(), yield* world.migrate("plan", world.rulesFile)]) {
        assert.strictEqual(code, 7, stderr)
        assert.match(
          stdout,
          /^not copied\t2 repositories cannot be reached now, the first is shop\/api: .*ECONNREFUSED/m
        )
        assert.lengthOf(stdout.match(/^not copied/gm) ?? [], 1)
      }
      const status = yield* world.migrate("status", "test", "--state", world.state, "--json")
      assert.lengthOf(status.stdout.match(/"problem":"unavailable"/g) ?? [], 2)

      const rename = [{ prefix: "shop/", replaceBy: "Shop/" }]
      yield* world.writeRules({ routes: [{ ...world.route, rename }] })
      assert.strictEqual((yield* world.migrate("plan", world.rulesFile)).code, 3)
    }).pipe(Effect.scoped)
  )

  it.live("run tells before it copies which repositories have a problem", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* world.seed(...images)
      const names = ["shop/api", "shop/none", "shop/neither"]
      yield* world.writeRules({ routes: [{ ...world.route, repositories: { names } }] })
      const { code, stderr } = yield* world.run()
      assert.strictEqual(code, 3, stderr)
      assert.match(
        stderr,
        /^not copied so far: 2 repositories, the first is shop\/neither: the source has no such repository/m
      )
      assert.notInclude((yield* world.run("-q")).stderr, "so far")
    }).pipe(Effect.scoped)
  )

  it.live("run ends with 3 if something is missing, tells where to read why, and copies it in the next call", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* world.seed(...images, {
        repository: "shop/locked",
        tags: ["v1"],
        layers: ["locked"]
      })
      yield* world.target.seed({
        repository: "shop/locked",
        tags: ["v1"],
        layers: ["other"],
        locks: { tags: { writeEnabled: false } }
      })
      const { code, stderr, stdout } = yield* world.run()
      assert.strictEqual(code, 3, stderr)
      assert.match(stdout, /^refused\t1 artifact/m)
      assert.match(stdout, /^why\t1 artifact refused: refused$/m)
      assert.match(stdout, /^complete\tno$/m)
      assert.include(stderr, `eacr migrate report test --state ${world.state} --only refused`)
      // While it runs, and once for each reason.
      assert.match(
        stderr,
        /^refused shop\/locked@sha256:[0-9a-f]{64}: refused: .+lock.+\(printed once for each reason\)$/m
      )
      assert.notInclude(stderr, "trying again")
      assert.notInclude((yield* world.run("-q")).stderr, "printed once")
      const report = yield* world.migrate("report", "test", "--state", world.state, "--only", "refused")
      assert.match(report.stdout, /^refused\tshop\/locked@sha256:[0-9a-f]{64}\tv1\trefused: .+lock/m)
      const status = yield* world.migrate("status", "test", "--state", world.state, "--json")
      assert.strictEqual(status.code, 0)
      assert.deepInclude(jsonOf(status.stdout), {
        isComplete: false,
        failures: [{ state: "refused", class: "refused", count: 1 }]
      })
      const locked = `${world.target.loginServer}/shop/locked:v1`
      assert.strictEqual((yield* eacr(["unlock", locked], { env: world.env })).code, 0)
      assert.strictEqual((yield* world.run()).code, 0)
      assert.deepStrictEqual(
        (yield* world.migrate("report", "test", "--state", world.state, "--only", "refused")).stdout,
        ""
      )
    }).pipe(Effect.scoped)
  )

  it.live("run ends with 3 if artifacts are left to copy and no registry has failed", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* world.seed({ repository: "shop/api", tags: ["v1"] })
      // The target confirms what it does not keep.
      yield* world.target.inject({
        method: "PUT",
        path: "/v2/shop/api/manifests/",
        times: "always",
        consequence: { _tag: "Answer", status: 201 }
      })
      const { code, stderr, stdout } = yield* world.run()
      assert.match(stdout, /^to copy\t1 artifact/m)
      assert.match(stdout, /^complete\tno$/m)
      assert.strictEqual(code, 3, stderr)
    }).pipe(Effect.scoped)
  )

  it.live("report has the digest at the target of an index without some of its platforms", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* world.seed({ repository: "shop/api", tags: ["v1"], platforms: ["linux/amd64", "linux/arm64"] })
      yield* world.writeRules({ platforms: ["linux/arm64"] })
      assert.strictEqual((yield* world.run()).code, 0)
      const { stdout } = yield* world.migrate("report", "test", "--state", world.state, "--only", "verified")
      const [, source, target] = /^verified\tshop\/api@(\S+) -> shop\/api@(\S+)\tv1$/m.exec(stdout) ?? []
      assert.strictEqual(source, yield* digestOf(world.source, "shop/api", "v1"), stdout)
      assert.strictEqual(target, yield* digestOf(world.target, "shop/api", "v1"), stdout)
    }).pipe(Effect.scoped)
  )

  it.live("fails by class, and never with a secret", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* world.seed(...images)
      const failing = (args: ReadonlyArray<string>, code: number, says: string, env: Record<string, string> = {}) =>
        Effect.map(eacr(["migrate", ...args], { env: { ...world.env, ...env } }), (ended) => {
          assert.strictEqual(ended.code, code, ended.stderr)
          assert.strictEqual(ended.stdout, "")
          assert.include(ended.stderr, says)
          assert.notInclude(ended.stderr, "S3CRET")
        })
      const { rulesFile, state } = world
      yield* failing(["plan", join(world.folder, "none.json")], 4, "none.json")
      yield* failing(["status", "none"], 4, "there is no file none.sqlite")
      yield* failing(["run", "../up", rulesFile], 2, "Expected a name of letters")
      yield* failing(["run", "test", rulesFile, "--status-page", "none"], 2, "Expected a port such as 8080")
      yield* failing(["report", "test", "--only", "lost"], 2, "lost")
      yield* failing(["run", "test", rulesFile, "--state", world.folder], 2, `${world.folder} is a folder`)
      yield* failing(["status", "test", "--state", world.folder], 2, `${world.folder} is a folder`)
      yield* failing(["status", "test", "--state", world.rulesFile], 2, "rules.json is no state of runs")
      yield* failing(["plan", world.folder], 2, "this is a folder")
      const missing = join(world.folder, "missing")
      const inMissing = ["run", "test", rulesFile, "--state", join(missing, "state.sqlite")]
      yield* failing(inMissing, 4, `there is no folder ${missing} for the state file`)
      const url = `file:${world.folder}/state?mode=memory`
      yield* failing(["run", "test", rulesFile, "--state", url], 4, "there is no folder")
      for (const unkept of ["", ":memory:"]) {
        yield* failing(["run", "test", rulesFile, "--state", unkept], 2, `got ${JSON.stringify(unkept)}`)
      }
      yield* failing(["run", "test", rulesFile, "--state", state], 5, "log in", { DOCKER_AUTH_CONFIG: authsOf() })
      yield* failing(["status", "other", "--state", state], 4, "no run other: ")
      yield* world.writeRules({ route: [] })
      yield* failing(["plan", rulesFile], 2, "route: there is no such key; routes is the nearest")
      yield* world.writeRules({ referrers: false })
      yield* failing(["run", "test", rulesFile, "--state", state], 2, "other rules")
      yield* world.writeRules({ routes: [{ ...world.route, repositories: { include: ["shpo/**"] } }] })
      yield* failing(["plan", rulesFile], 4, "matches none of the 2 repositories")
      yield* failing(["run", "typo", rulesFile, "--state", state], 4, "matches none of the 2 repositories")
      yield* world.writeRules({ routes: [{ ...world.route, tags: { include: ["2024-*"] } }] })
      yield* failing(["plan", rulesFile], 4, "tags")
      yield* world.writeRules({ routes: [{ ...world.route, from: { registry: "me:S3CRET@old.azurecr.io" } }] })
      yield* failing(["run", "secret", rulesFile, "--state", state], 2, "a login server such as")
      yield* Effect.promise(() => writeFile(rulesFile, "{"))
      yield* failing(["plan", rulesFile], 2, "not JSON")
      const layouts = { routes: [{ from: { layouts: join(world.folder, "gone") }, to: world.route.to }] }
      yield* world.writeRules(layouts)
      yield* failing(["plan", rulesFile], 4, "there is no folder")
      yield* world.writeRules({ routes: [{ from: { archives: join(world.folder, "gone") }, to: world.route.to }] })
      yield* failing(["plan", rulesFile], 4, "there is no folder")
      assert.notInclude(yield* Effect.promise(() => readFile(state, "latin1")), "S3CRET")
      // Nothing that was refused has created a file.
      assert.isFalse(existsSync("none.sqlite"))
    }).pipe(Effect.scoped)
  )

  it.live("says that only other rules copy repositories whose names collide", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* world.seed(...images, { repository: "old/api", tags: ["v1"] })
      yield* world.writeRules({ routes: [{ ...world.route, rename: [{ prefix: "old/", replaceBy: "shop/" }] }] })
      const { code, stderr } = yield* world.run()
      assert.strictEqual(code, 3, stderr)
      assert.include(stderr, "a new run, with another name and other rules")
      assert.notInclude(stderr, "the same command")
    }).pipe(Effect.scoped)
  )

  it.live("says that a retry does not help where onTag leaves the tags of the target", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* world.seed(...images)
      yield* world.target.seed({ repository: "shop/api", tags: ["v1", "v2"], layers: ["theirs"] })
      yield* world.writeRules({ onTag: "fail" })
      const { code, stderr } = yield* world.run()
      assert.strictEqual(code, 3, stderr)
      assert.lengthOf(stderr.match(/printed once/g) ?? [], 1)
      assert.include(
        stderr,
        "use a new run, with another name and another onTag, or delete these tags at the target and run again"
      )
      assert.notInclude(stderr, "the same command retries")
    }).pipe(Effect.scoped)
  )

  it.live("says to which registry of which side a login is missing", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* world.seed(...images)
      const [source, target] = [world.source.loginServer, world.target.loginServer]
      const deniedTo = (loginServer: string) =>
        Effect.forEach(
          [
            ["run", "test", world.rulesFile, "--state", world.state],
            ["plan", world.rulesFile]
          ],
          (args) =>
            Effect.map(
              eacr(["migrate", ...args], { env: { ...world.env, DOCKER_AUTH_CONFIG: authsOf(loginServer) } }),
              ({ code, stderr }) => {
                assert.strictEqual(code, 5, stderr)
                return stderr
              }
            )
        )
      for (const stderr of yield* deniedTo(target)) {
        assert.include(stderr, `the repositories of the source ${source} cannot be listed`)
        assert.match(stderr, /; log in with the permission to list them, or name them in the rules/)
        assert.include(stderr, `\n  log in to the source: eacr login ${source}. Which`)
        assert.notInclude(stderr, `eacr login ${target}`)
      }
      for (const stderr of yield* deniedTo(source)) {
        assert.include(stderr, `\n  log in to the target: eacr login ${target}. Which`)
        assert.notInclude(stderr, `eacr login ${source}`)
      }
    }).pipe(Effect.scoped)
  )

  it.live("reports an unreachable registry, and does not suggest that the rules name its repositories", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      const port = yield* freePort
      yield* world.writeRules({ routes: [{ ...world.route, from: { registry: `localhost:${port}` } }] })
      const { code, stderr } = yield* world.run()
      assert.strictEqual(code, 7, stderr)
      assert.include(stderr, "ECONNREFUSED")
      assert.match(stderr, /^  once that is solved, repeat the command: a run continues where it stopped$/m)
      assert.notInclude(stderr, "name them")
    }).pipe(Effect.scoped)
  )

  it.live("names the flag that helps if the source has no TLS", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      for (const { code, stderr } of [
        yield* world.run("--no-plain-http"),
        yield* world.migrate("plan", world.rulesFile, "--no-plain-http")
      ]) {
        assert.strictEqual(code, 7, stderr)
        assert.match(stderr, /^  for a registry without TLS: --plain-http, which sends the login unprotected$/m)
      }
    }).pipe(Effect.scoped)
  )

  it.live("refuses the database of another program", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* world.seed(...images)
      const tables = () => {
        const database = new DatabaseSync(world.state)
        try {
          database.exec("CREATE TABLE IF NOT EXISTS bookmarks (url TEXT)")
          return database.prepare("SELECT name FROM sqlite_schema").all()
        } finally {
          database.close()
        }
      }
      const before = tables()
      for (const ended of [
        yield* world.run(),
        yield* world.migrate("status", "test", "--state", world.state),
        yield* world.migrate("report", "test", "--state", world.state)
      ]) {
        assert.strictEqual(ended.code, 2)
        assert.include(ended.stderr, "the database of another program")
        assert.notInclude(ended.stderr, "the state is kept")
      }
      assert.deepStrictEqual(tables(), before)
    }).pipe(Effect.scoped)
  )

  it.live("continues where a process was killed, or the disk was full, before it had made all tables", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* world.seed(...images)
      const database = new DatabaseSync(world.state)
      // The first table, which is not made in the transaction that makes the others.
      database.exec(`CREATE TABLE migration_versions (
        migration_id integer PRIMARY KEY NOT NULL,
        created_at datetime NOT NULL DEFAULT current_timestamp,
        name VARCHAR(255) NOT NULL
      )`)
      database.close()
      const status = yield* world.migrate("status", "test", "--state", world.state)
      assert.strictEqual(status.code, 4, status.stderr)
      const run = yield* world.run()
      assert.strictEqual(run.code, 0, run.stderr)
    }).pipe(Effect.scoped)
  )

  it.live("a run is complete where only lists of the target have records that cannot be read, as its status says", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* world.seed({ repository: "shop/api", tags: ["v1"] })
      assert.strictEqual((yield* world.run()).code, 0)
      const record = { createdTime: "2026-01-01T00:00:00Z", lastUpdateTime: "2026-01-01T00:00:00Z", signed: false }
      const [tag] = Option.getOrThrow(yield* world.target.contents("shop/api")).tags
      const changeableAttributes = { deleteEnabled: true, writeEnabled: true, readEnabled: true, listEnabled: true }
      const tags = ["v1", "-not a tag-"].map((name) => ({ name, digest: tag?.digest, ...record, changeableAttributes }))
      const odd = (registry: AcrEmulator.Service) =>
        registry.inject({
          path: "/acr/v1/shop%2Fapi/_tags",
          times: "always",
          consequence: {
            _tag: "Answer",
            status: 200,
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ registry: registry.loginServer, imageName: "shop/api", tags })
          }
        })
      yield* odd(world.target)
      const { code, stdout } = yield* world.run()
      assert.deepStrictEqual([code, /^complete\tyes$/m.test(stdout)], [0, true])
      assert.strictEqual((yield* world.migrate("plan", world.rulesFile)).code, 0)
      yield* odd(world.source)
      const incomplete = yield* world.run()
      assert.deepStrictEqual([incomplete.code, /^complete\tno$/m.test(incomplete.stdout)], [3, true])
      assert.match((yield* world.migrate("status", "test", "--state", world.state)).stdout, /^complete\tno$/m)
    }).pipe(Effect.scoped)
  )

  it.live("report tells that it has no artifacts, and where the problems are", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* world.writeRules({ routes: [{ ...world.route, repositories: { names: ["shop/none"] } }] })
      assert.strictEqual((yield* world.run()).code, 3)
      const report = (...flags: ReadonlyArray<string>) =>
        world.migrate("report", "test", "--state", world.state, ...flags)
      const why = `the report has no artifacts. 1 problem: eacr migrate status test --state ${world.state}\n`
      assert.deepStrictEqual(yield* report(), { code: 0, stdout: "", stderr: why })
      assert.strictEqual((yield* report("--json")).stderr, why)
      assert.strictEqual((yield* report("--quiet")).stderr, "")
    }).pipe(Effect.scoped)
  )

  it.live("names the runs of the state file if it lacks one", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* world.writeRules({ routes: [{ ...world.route, to: { registry: "127.0.0.1:1" } }] })
      yield* world.seed(...images)
      assert.strictEqual((yield* world.run()).code, 7)
      const database = new DatabaseSync(world.state)
      try {
        const columns = "rules, pass, phase, attempt, started"
        const copy = database.prepare(
          `INSERT INTO migration_runs (id, name, ${columns}) SELECT ?, ?, ${columns} FROM migration_runs WHERE id = 1`
        )
        for (const number of [2, 3]) copy.run(number, `run${number}`)
        const few = yield* world.migrate("status", "other", "--state", world.state)
        assert.include(few.stderr, `no run other: ${world.state} has run3, run2, test\n`)
        for (const number of [4, 5, 6, 7, 8, 9, 10, 11]) copy.run(number, `run${number}`)
      } finally {
        database.close()
      }
      const many = yield* world.migrate("report", "other", "--state", world.state)
      assert.strictEqual(many.code, 4)
      assert.include(many.stderr, ", run3, run2 and others\n")
    }).pipe(Effect.scoped)
  )

  it.live("tells that copies are tried again: a target that is down shows no other sign for minutes", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* world.seed({ repository: "shop/api", tags: ["v1", "v2"], layers: ["one"] })
      // The client sends a request six times, and the copy begins again after that.
      yield* world.target.inject({
        method: "PUT",
        path: "/v2/shop/api/manifests/",
        times: 6,
        consequence: { _tag: "Answer", status: 503 }
      })
      const { code, stderr } = yield* world.run()
      assert.strictEqual(code, 0, stderr)
      assert.match(stderr, /^trying again shop\/api@sha256:[0-9a-f]{64}: .+503.* \(printed once a minute at most\)$/m)
    }).pipe(Effect.scoped)
  )

  it.live("status tells how to continue a run that has not ended", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* world.seed(...images)
      yield* world.target.inject({
        method: "POST",
        times: "always",
        path: "/v2/",
        consequence: { _tag: "Answer", status: 401, body: '{"errors":[{"code":"UNAUTHORIZED","message":"no"}]}' }
      })
      assert.strictEqual((yield* world.run()).code, 5)
      const stopped = yield* world.migrate("status", "test", "--state", world.state)
      assert.include(stopped.stderr, `eacr migrate run test RULES.json --state ${world.state}`)
      yield* world.target.clearFaults
      assert.strictEqual((yield* world.run()).code, 0)
      assert.strictEqual((yield* world.migrate("status", "test", "--state", world.state)).stderr, "")
    }).pipe(Effect.scoped)
  )

  it.live("sends no more requests than the rules allow", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      yield* world.seed({ repository: "shop/api", tags: ["v1"], layers: ["one"] })
      const plan = world.migrate("plan", world.rulesFile)
      const reads = Effect.map(
        world.source.journal,
        (requests) => requests.filter(({ method, path }) => method === "GET" && !path.startsWith("/oauth2")).length
      )
      yield* plan
      assert.isAbove(yield* reads, 2)
      yield* world.source.clearJournal
      // One a minute: after the first, this one waits.
      yield* world.writeRules({ limits: { registries: { [world.source.loginServer]: { read: 1 } } } })
      assert.isTrue(Option.isNone(yield* Effect.timeoutOption(plan, "2 seconds")))
      assert.isAtMost(yield* reads, 2)
    }).pipe(Effect.scoped)
  )

  it.live("--explain prints programs, and does nothing", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld
      for (const args of [
        ["plan", world.rulesFile],
        ["run", "test", world.rulesFile, "--state", world.state],
        ["run", "test", world.rulesFile, "--state", world.state, "--status-page", "[::1]:8080"],
        ["status", "test"],
        ["report", "test", "--only", "failed"]
      ]) {
        const { code, stdout } = yield* world.migrate(...args, "--explain")
        assert.strictEqual(code, 0)
        assert.include(stdout, 'from "@effect-acr/migration"')
        assert.strictEqual(stdout.includes('host: "::1",'), args.includes("--status-page"))
      }
      assert.isFalse(existsSync(world.state))
      assert.include(yield* Effect.promise(() => readFile(world.rulesFile, "utf8")), "routes")
    }).pipe(Effect.scoped)
  )
})
