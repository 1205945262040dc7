/**
 * Downloads to one target by several processes, at once and one after another, some of which are killed.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process"
import { createHash, randomBytes } from "node:crypto"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as BlobSource from "@effect-acr/client/BlobSource"
import { RegistryContent } from "@effect-acr/client/RegistryContent"
import { AcrEmulator } from "@effect-acr/emulator"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { temporaryFolder } from "./support/command.ts"
import { emulated } from "./support/emulator.ts"
import { proxyTo, total } from "./support/proxy.ts"

const entry = fileURLToPath(new URL("./support/downloadProcess.ts", import.meta.url))
const mebibyte = 1024 * 1024
const bytes = randomBytes(32 * mebibyte)
const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`

/** What a process does next: it prints a line, or ends. */
const next = (child: ChildProcessWithoutNullStreams): Effect.Effect<string> =>
  Effect.callback((resume) => {
    const printed = (data: Buffer) => end(data.toString("utf8").trim())
    const ended = (code: number | null, signal: string | null) => end(signal ?? `code ${code}`)
    const end = (what: string) => {
      child.stdout.off("data", printed)
      child.off("close", ended)
      resume(Effect.succeed(what))
    }
    child.stdout.once("data", printed)
    child.once("close", ended)
  })

/** A process that has half of a blob, and waits. With `renamed`, it waits again once it has renamed its file. */
const halting = (
  target: string,
  port: number,
  { blob = digest, stop = "" }: { readonly blob?: string; readonly stop?: "" | "renamed" } = {}
) =>
  Effect.gen(function* () {
    const { logins } = yield* AcrEmulator.AcrEmulator
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, [entry, `http://127.0.0.1:${port}`, "a", blob, target, String(bytes.length), stop], {
          env: { ...process.env, ENTRA_TOKEN: Redacted.value(logins.entraToken) }
        })
      ),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    child.stderr.pipe(process.stderr)
    assert.strictEqual(yield* next(child), "half")
    return {
      end: Effect.suspend(() => {
        child.stdin.write("\n")
        return next(child)
      }),
      kill: Effect.suspend(() => {
        child.kill("SIGKILL")
        return next(child)
      })
    }
  })

const partials = (folder: string) =>
  readdirSync(folder).map((name) => name.replace(digest.slice("sha256:".length, "sha256:".length + 16), "DIGEST"))

const withRegistry = <A, E, R>(test: (target: string, port: number) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const content = yield* RegistryContent
    yield* content.uploadBlob("a", BlobSource.fromBytes(bytes))
    const { loginServer } = yield* AcrEmulator.AcrEmulator
    return yield* test(join(yield* temporaryFolder, "layer.tar"), Number(loginServer.split(":")[1]))
  }).pipe(Effect.scoped, Effect.provide(emulated({ blobs: "direct" })))

it.live("a process that is killed leaves a partial file, from which the next one continues", () =>
  withRegistry((target, port) =>
    Effect.gen(function* () {
      const proxy = yield* proxyTo(port)
      const folder = join(target, "..")
      for (let kill = 0; kill < 2; kill++) {
        const killed = yield* halting(target, proxy.port)
        assert.strictEqual(yield* killed.kill, "SIGKILL")
        assert.isFalse(existsSync(target))
        assert.deepStrictEqual(partials(folder), ["layer.tar.DIGEST.partial"])
      }
      const before = total(proxy, "down")
      const second = yield* halting(target, proxy.port)
      assert.strictEqual(yield* second.end, "done")
      assert.isTrue(readFileSync(target).equals(bytes))
      assert.deepStrictEqual(readdirSync(folder), ["layer.tar"])
      assert.isBelow(total(proxy, "down") - before, 0.6 * bytes.length)
    })
  )
)

for (const order of ["earlier", "later"]) {
  it.live(`two processes at once both end, the ${order} one first`, () =>
    withRegistry((target, port) =>
      Effect.gen(function* () {
        const one = yield* halting(target, port)
        const other = yield* halting(target, port)
        for (const { end } of order === "earlier" ? [one, other] : [other, one]) {
          assert.strictEqual(yield* end, "done")
          assert.isTrue(readFileSync(target).equals(bytes))
        }
        assert.deepStrictEqual(readdirSync(join(target, "..")), ["layer.tar"])
      })
    )
  )

  it.live(`of two processes at once one ends, though the ${order} one is killed`, () =>
    withRegistry((target, port) =>
      Effect.gen(function* () {
        const one = yield* halting(target, port)
        const other = yield* halting(target, port)
        const [killed, stays] = order === "earlier" ? [one, other] : [other, one]
        assert.strictEqual(yield* killed.kill, "SIGKILL")
        assert.strictEqual(yield* stays.end, "done")
        assert.isTrue(readFileSync(target).equals(bytes))
        assert.deepStrictEqual(readdirSync(join(target, "..")), ["layer.tar"])
      })
    )
  )
}

it.live("a process whose target another one replaces with another blob fails, and leaves what is there", () =>
  withRegistry((target, port) =>
    Effect.gen(function* () {
      const content = yield* RegistryContent
      const otherBytes = randomBytes(bytes.length)
      const other = yield* content.uploadBlob("a", BlobSource.fromBytes(otherBytes))
      const replaced = yield* halting(target, port, { stop: "renamed" })
      assert.strictEqual(yield* replaced.end, "renamed")
      const replacing = yield* halting(target, port, { blob: other.digest })
      assert.strictEqual(yield* replacing.end, "done")
      const outcome = yield* replaced.end
      assert.isTrue(existsSync(target), "the file of the process that succeeded is gone")
      assert.isTrue(readFileSync(target).equals(otherBytes))
      assert.include(outcome, "the path now leads to another file")
      assert.deepStrictEqual(readdirSync(join(target, "..")), ["layer.tar"])
    })
  )
)
