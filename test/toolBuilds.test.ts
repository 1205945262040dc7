/**
 * `npx -y pnpm@12 tools`, with a Go of our own: what it builds, and what it says of what it cannot build.
 */
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { run, temporaryFolder } from "./support/command.ts"
import { tools as known } from "./support/tools.ts"

const script = fileURLToPath(new URL("tools/build.ts", import.meta.url))

/** Notes its arguments, and writes a program of the package's name. */
const workingGo = `#!/bin/sh
[ "$1" = install ] || exit 2
echo "$2" >> "$HOME/installed"
package="\${2%@*}"
echo "#!/bin/sh" > "$GOBIN/\${package##*/}"
/bin/chmod +x "$GOBIN/\${package##*/}"
`

/** As Go fails when it has written a part of the program. */
const failingGo = `#!/bin/sh
[ "$1" = install ] || exit 2
package="\${2%@*}"
echo "#!/bin/sh" > "$GOBIN/\${package##*/}"
echo "go: downloading many modules" >&2
echo "go: the proxy does not answer" >&2
exit 1
`

/** The script on a machine with an empty home, and with the given Go or none. */
const machine = Effect.fnUntraced(function* (go: string | undefined) {
  const home = yield* temporaryFolder
  const file = (path: string) => join(home, path)
  yield* Effect.promise(async () => {
    await mkdir(file("bin"))
    if (go === undefined) return
    await writeFile(file("bin/go"), go)
    await chmod(file("bin/go"), 0o755)
  })
  return {
    tools: (...names: ReadonlyArray<string>) =>
      run(process.execPath, [script, ...names], {
        env: { PATH: file("bin"), HOME: home, XDG_CACHE_HOME: file("cache"), NO_COLOR: "1" }
      }),
    cache: file("cache"),
    /** The files of the cache, those of broken builds included. */
    cached: Effect.promise(async () => {
      const files = await readdir(file("cache/effect-acr/tools"), { recursive: true }).catch(() => [])
      return files.filter((path) => path.includes("/")).toSorted()
    }),
    installed: Effect.promise(() => readFile(file("installed"), "utf8"))
  }
})

describe("the tools of the tests", () => {
  it.live("are built once, each into the folder of its version", () =>
    Effect.gen(function* () {
      const { cached, installed, tools } = yield* machine(workingGo)
      assert.match(yield* tools(), /^ {2}oras [\d.]+: built in \d+ s$/m)
      const files = Object.values(known)
        .filter(({ isBuiltByDefault }) => isBuiltByDefault)
        .map(({ name, version }) => `${name}-${version}/${name}`)
      assert.deepStrictEqual(yield* cached, files.toSorted())
      assert.include(yield* installed, `oras.land/oras/cmd/oras@v${known.oras.version}\n`)

      const built = yield* installed
      assert.match(yield* tools(), /^ {2}oras [\d.]+: cached$/m)
      assert.strictEqual(yield* installed, built)

      yield* tools("cosign")
      assert.deepStrictEqual(yield* cached, [...files, `cosign-${known.cosign.version}/cosign`].toSorted())
    })
  )

  it.live("are left out without Go, and the suite runs without them", () =>
    Effect.gen(function* () {
      const { cached, tools } = yield* machine(undefined)
      assert.match(yield* tools(), /^ {2}oras [\d.]+: not built, .*: Go is not installed$/m)
      assert.deepStrictEqual(yield* cached, [])
    })
  )

  it.live("are left out if Go fails, and nothing is left of them", () =>
    Effect.gen(function* () {
      const { cached, tools } = yield* machine(failingGo)
      assert.include(yield* tools(), "go: the proxy does not answer")
      assert.deepStrictEqual(yield* cached, [])
    })
  )

  it.live("are left out if the cache cannot be written", () =>
    Effect.gen(function* () {
      const { cache, tools } = yield* machine(workingGo)
      yield* Effect.promise(() => writeFile(cache, "a file in the place of the folder"))
      assert.match(yield* tools(), /^ {2}oras [\d.]+: not built, .*: Error: ENOTDIR/m)
    })
  )

  it.live("are an error if they are named and cannot be built, or if there is none of that name", () =>
    Effect.gen(function* () {
      const { tools } = yield* machine(undefined)
      assert.include((yield* Effect.flip(tools("oras"))).stdout, "Go is not installed")
      assert.include((yield* Effect.flip(tools("skopeo"))).message, "no tool is named skopeo")
    })
  )
})
