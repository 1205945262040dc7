/**
 * Other clients of registries, and distribution v3: which versions tests use, where those are, and how to run one with
 * nothing of the user's.
 */
import { spawnSync } from "node:child_process"
import { accessSync, constants } from "node:fs"
import { mkdir, writeFile } from "node:fs/promises"
import { homedir } from "node:os"
import { join } from "node:path"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { run, temporaryFolder } from "./command.ts"

/** A program that `go install` builds. */
export interface Tool {
  /** The name of the program, and of its folder in the cache. */
  readonly name: string
  readonly version: string
  /** What `go install` takes. */
  readonly package: string
  /** The arguments that print the version. Without them, the program of the `PATH` is not used, because its version is not known. */
  readonly versionArgs?: ReadonlyArray<string>
  /** Whether `.ci/run` builds it. On two cores, cosign would take more than four minutes. */
  readonly isBuiltByDefault: boolean
}

/** In the order in which they are built: those that follow reuse packages of those before. */
export const tools = {
  regctl: {
    name: "regctl",
    version: "0.11.7",
    package: "github.com/regclient/regclient/cmd/regctl",
    versionArgs: ["version"],
    isBuiltByDefault: true
  },
  oras: {
    name: "oras",
    version: "1.3.6",
    package: "oras.land/oras/cmd/oras",
    versionArgs: ["version"],
    isBuiltByDefault: true
  },
  registry: {
    name: "registry",
    version: "3.1.2",
    package: "github.com/distribution/distribution/v3/cmd/registry",
    versionArgs: ["--version"],
    isBuiltByDefault: true
  },
  conformance: {
    name: "conformance",
    // No release of the specification has the suite in this form, which is a program.
    version: "0.0.0-20260831232431-97274622c111",
    package: "github.com/opencontainers/distribution-spec/conformance",
    isBuiltByDefault: true
  },
  crane: {
    name: "crane",
    version: "0.22.1",
    package: "github.com/google/go-containerregistry/cmd/crane",
    versionArgs: ["version"],
    isBuiltByDefault: false
  },
  cosign: {
    name: "cosign",
    version: "2.6.5",
    package: "github.com/sigstore/cosign/v2/cmd/cosign",
    versionArgs: ["version"],
    isBuiltByDefault: false
  }
} as const satisfies Record<string, Tool>

export type ToolName = keyof typeof tools

export const isToolName = (name: string): name is ToolName => Object.hasOwn(tools, name)

/** The folder of the built tools. The XDG specification ignores a relative path. */
export const cacheFolder = (): string => {
  const given = process.env["XDG_CACHE_HOME"]
  return join(given?.startsWith("/") === true ? given : join(homedir(), ".cache"), "effect-acr/tools")
}

/** Where the cache keeps a tool. Another version has another folder, so that a file that is there is the right one. */
export const cachedPath = ({ name, version }: Tool): string => join(cacheFolder(), `${name}-${version}`, name)

/** Whether a file is there and can be run. */
export const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Whether a program is the version that tests expect: what another one prints or sends may differ. */
const isVersion = (command: string, { version, versionArgs }: Tool): boolean => {
  if (versionArgs === undefined) return false
  const { stdout } = spawnSync(command, versionArgs, { encoding: "utf8", timeout: 10_000 })
  // A program that cannot be started has no output.
  return (stdout ?? "").split(/[^\d.]+/).includes(version)
}

/** The command that runs a tool, from the cache or from the PATH, if either has the version that tests expect. */
const find = (name: ToolName): string | undefined => {
  // Elsewhere than on Linux, Go takes the certificates that it trusts from the system alone.
  if (process.platform !== "linux") return undefined
  const tool: Tool = tools[name]
  const cached = cachedPath(tool)
  if (isExecutable(cached)) return cached
  return isVersion(name, tool) ? name : undefined
}

/** Whether tests can use a tool: `describe.runIf(isThere("oras"))`. */
export const isThere = (name: ToolName): boolean => find(name) !== undefined

/** A tool that is neither in the cache nor on the PATH. */
class ToolMissing extends Data.TaggedError("ToolMissing")<{ readonly tool: Tool }> {
  override get message(): string {
    const { name, version } = this.tool
    return `${name} ${version} is not there: npx -y pnpm@12 tools ${name}`
  }
}

/** The command that runs a tool. A test that needs it is skipped with `isThere`, and does not come here. */
export const commandOf = (name: ToolName): Effect.Effect<string, ToolMissing> =>
  Effect.suspend(() => {
    const command = find(name)
    return command === undefined ? Effect.fail(new ToolMissing({ tool: tools[name] })) : Effect.succeed(command)
  })

/** What a tool needs to know of a registry that speaks https. */
export interface Registry {
  readonly loginServer: string
  /** The certificate to trust, in PEM. */
  readonly certificate: string
  readonly login: { readonly username: string; readonly password: Redacted.Redacted<string> } | undefined
}

/** A port on which nothing listens. */
const nowhere = "http://127.0.0.1:1"

/** The configuration in which Docker keeps logins. All of these tools read it. */
const dockerConfig = (registries: ReadonlyArray<Registry>): string => {
  const auths = registries.flatMap(({ login, loginServer }) =>
    login === undefined
      ? []
      : [[loginServer, { auth: Buffer.from(`${login.username}:${Redacted.value(login.password)}`).toString("base64") }]]
  )
  return JSON.stringify({ auths: Object.fromEntries(auths) })
}

/**
 * A client with a home of its own, logged in to these registries, and with trust in their certificates alone. Its files
 * are relative to that home. `runWith` sets variables of its environment.
 */
export const toolFor = Effect.fnUntraced(function* (name: ToolName, ...registries: ReadonlyArray<Registry>) {
  const command = yield* commandOf(name)
  const home = yield* temporaryFolder
  const file = (path: string) => join(home, path)
  yield* Effect.promise(async () => {
    await mkdir(file(".docker"))
    await mkdir(file("no-certificates"))
    await writeFile(file(".docker/config.json"), dockerConfig(registries))
    await writeFile(file("certificates.pem"), registries.map(({ certificate }) => certificate).join("\n"))
  })
  const env = {
    PATH: process.env["PATH"],
    HOME: home,
    TMPDIR: home,
    DOCKER_CONFIG: file(".docker"),
    SSL_CERT_FILE: file("certificates.pem"),
    // Go would add what the system has here.
    SSL_CERT_DIR: file("no-certificates"),
    // Go connects to this machine without a proxy. To all others, a proxy that is not there is the only way.
    HTTP_PROXY: nowhere,
    HTTPS_PROXY: nowhere,
    // Without one, cosign would ask for the password of a key.
    COSIGN_PASSWORD: ""
  }
  const runWith =
    (more: Readonly<Record<string, string>>) =>
    (...args: ReadonlyArray<string>) =>
      run(command, args, { cwd: home, env: { ...env, ...more } })
  return { home, run: runWith({}), runWith }
})
