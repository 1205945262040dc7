/**
 * The output of the command when it is ready: for people, or as JSON for programs.
 */
import { rename, rm, writeFile } from "node:fs/promises"
import { resolve } from "node:path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Login, Service } from "../../AcrEmulator.ts"
import { attempt, type CannotStart } from "./problem.ts"
import type { Settings } from "./settings.ts"

const ReadyLogin = Schema.Struct({ username: Schema.String, password: Schema.String })

/** Where the emulator is, and how to log in. */
const Ready = Schema.Struct({
  endpoint: Schema.String,
  loginServer: Schema.String,
  /** The control API, if it is served. */
  control: Schema.optionalKey(Schema.Struct({ endpoint: Schema.String })),
  /** Whether downloads of blobs are redirected to the storage, or served. */
  blobs: Schema.Literals(["redirect", "direct"]),
  /** The certificate to trust, in PEM, if it serves https. */
  certificate: Schema.optionalKey(Schema.String),
  /** The file that has it. */
  certificateFile: Schema.optionalKey(Schema.String),
  logins: Schema.Struct({
    adminUser: ReadyLogin,
    entraToken: Schema.String,
    scopeMapTokens: Schema.Array(ReadyLogin)
  })
})
type Ready = typeof Ready.Type

const loginOf = ({ password, username }: Login): typeof ReadyLogin.Type => ({
  username,
  password: Redacted.value(password)
})

export const readyOf = Effect.fnUntraced(function* (
  { certificate, endpoint, loginServer, logins, modes }: Service,
  control: Ready["control"],
  { caOut, scopeMapTokens = [] }: Settings
): Effect.fn.Return<Ready> {
  const { blobs } = yield* modes
  return {
    endpoint,
    loginServer,
    ...(control === undefined ? {} : { control }),
    blobs,
    ...(Option.isSome(certificate) ? { certificate: certificate.value } : {}),
    ...(Option.isSome(certificate) && caOut !== undefined ? { certificateFile: resolve(caOut) } : {}),
    logins: {
      adminUser: loginOf(logins.adminUser),
      entraToken: Redacted.value(logins.entraToken),
      scopeMapTokens: scopeMapTokens.map(loginOf)
    }
  }
})

const encode = Schema.encodeSync(Schema.fromJsonString(Ready))

/** One line of JSON. */
export const json = (ready: Ready): string => encode(ready)

/** The lines about the certificate, which clients must trust. */
const certificateLines = ({ certificate, certificateFile }: Ready): ReadonlyArray<string> =>
  certificate === undefined
    ? []
    : certificateFile === undefined
      ? ["Clients must trust its certificate: --ca-out FILE writes it to a file."]
      : [`Clients must trust the certificate in ${certificateFile}.`]

/** The line that logs `eacr` in. By itself, it uses http for this machine alone, which `--public-host` may not name. */
const eacrLine = ({ certificate, certificateFile, loginServer, logins: { adminUser } }: Ready): string => {
  const flags = certificate === undefined ? "--plain-http" : `--no-plain-http --ca-file ${certificateFile ?? "FILE"}`
  return `echo ${adminUser.password} | eacr login ${loginServer} -u ${adminUser.username} --password-stdin ${flags}`
}

/** For people. */
export const instructions = (ready: Ready): string => {
  const { adminUser, entraToken } = ready.logins
  const login = `${ready.loginServer} -u ${adminUser.username} -p ${adminUser.password}`
  return [
    `Azure Container Registry emulator at ${ready.endpoint}`,
    ...(ready.blobs === "direct" ? ["It serves blobs itself: there is no redirect to a storage."] : []),
    ...certificateLines(ready),
    ...(ready.control === undefined ? [] : [`Control API, and a page for browsers, at ${ready.control.endpoint}`]),
    "",
    `  docker login ${login}`,
    `  skopeo login --tls-verify=false ${login}`,
    `  ${eacrLine(ready)}`,
    "",
    `  export REGISTRY_ENDPOINT=${ready.endpoint} REGISTRY_USERNAME=${adminUser.username} REGISTRY_PASSWORD=${adminUser.password}`,
    "",
    `The Entra token that it accepts is "${entraToken}".`,
    "",
    "Press Ctrl-C to stop."
  ].join("\n")
}

/** Writes a file as a whole: readers never see a part of it. */
export const write = (file: string, content: string, mode = 0o666): Effect.Effect<void, CannotStart> =>
  attempt(`${file} cannot be written`, async () => {
    const temporary = `${file}.${process.pid}.new`
    try {
      await rm(temporary, { force: true })
      // Does not follow a link that another user has put into a shared folder.
      await writeFile(temporary, content, { flag: "wx", mode })
      await rename(temporary, file)
    } catch (cause) {
      await rm(temporary, { force: true })
      throw cause
    }
  })

/** Removes the file of a killed emulator, which could not remove it itself. */
export const clear = (file: string): Effect.Effect<void, CannotStart> =>
  attempt(`${file} cannot be removed`, () => rm(file, { force: true }))

/** Writes a file that exists while the emulator is ready. It has passwords, so only its owner may read it. */
export const announce = (file: string, ready: Ready): Effect.Effect<void, CannotStart, Scope.Scope> =>
  Effect.acquireRelease(write(file, `${json(ready)}\n`, 0o600), () => Effect.ignore(clear(file)))
