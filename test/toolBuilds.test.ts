/**
 * `npx -y pnpm@12 tools`, with a Go of our own: what it builds, and what it says of what it cannot build.
 */
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { azureClients, versionOf } from "./support/azureClients.ts"
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

/** Notes its folder and its arguments, and writes the program that `go build` was asked for. */
const buildingGo = `#!/bin/sh
[ "$1 $2 $3" = "build -mod=readonly -o" ] || exit 2
echo "$PWD" >> "$HOME/installed"
/bin/mkdir -p "\${4%/*}"
echo "#!/bin/sh" > "$4"
/bin/chmod +x "$4"
`

/** Makes an environment whose Python notes the arguments of pip. */
const workingPython = `#!/bin/sh
[ "$1 $2" = "-m venv" ] || exit 2
/bin/mkdir -p "$3/bin"
/bin/cat > "$3/bin/python" <<'END'
#!/bin/sh
echo "$@" >> "$HOME/installed"
END
/bin/chmod +x "$3/bin/python"
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

/** The script on a machine with an empty home, and with the given Go and Python or none. */
const machine = Effect.fnUntraced(function* (go: string | undefined, python?: string) {
  const home = yield* temporaryFolder
  const file = (path: string) => join(home, path)
  yield* Effect.promise(async () => {
    await mkdir(file("bin"))
    for (const [name, program] of [
      ["bin/go", go],
      ["bin/python3", python]
    ] as const) {
      if (program === undefined) continue
      await writeFile(file(name), program)
      await chmod(file(name), 0o755)
    }
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

  it.live("are built of our own sources for Azure's client for Go", () =>
    Effect.gen(function* () {
      const { cached, installed, tools } = yield* machine(buildingGo)
      const path = `azure-go-${versionOf(azureClients.go)}/azure-go/azure-go`
      assert.match(yield* tools("azure-go"), /^ {2}azure-go [0-9a-f]{12}: built in \d+ s$/m)
      assert.deepStrictEqual(yield* cached, [path.replace(/\/azure-go$/, ""), path])
      assert.strictEqual(yield* installed, azureClients.go.folder + "\n")
      assert.match(yield* tools("azure-go"), /^ {2}azure-go [0-9a-f]{12}: cached$/m)
    })
  )

  it.live("have an environment of Python with Azure's client, whose files are those of our hashes", () =>
    Effect.gen(function* () {
      const { cached, installed, tools } = yield* machine(undefined, workingPython)
      assert.match(yield* tools("azure-python"), /^ {2}azure-python [0-9a-f]{12}: built in \d+ s$/m)
      assert.include(yield* cached, `azure-python-${versionOf(azureClients.python)}/azure-python/bin/python`)
      assert.match(yield* installed, /^-m pip install .*--require-hashes .*-r .*\/azurePython\/requirements\.txt$/m)
    })
  )

  it.live("are left out without Go, and the suite runs without them", () =>
    Effect.gen(function* () {
      const { cached, tools } = yield* machine(undefined)
      const said = yield* tools()
      assert.match(said, /^ {2}oras [\d.]+: not built, .*: Go is not installed$/m)
      assert.match(said, /^ {2}azure-python [0-9a-f]+: not built, .*: Python is not installed$/m)
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
