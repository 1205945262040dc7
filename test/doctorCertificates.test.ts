/**
 * What the doctor says of certificates that are expired or for another name, and of tokens that are refused.
 */
import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { generate } from "selfsigned"
import { eacr } from "../packages/cli/test/support/eacr.ts"
import { loggedIn } from "../packages/cli/test/support/registry.ts"

const day = 24 * 60 * 60 * 1000

const inDays = (count: number) => new Date(Date.now() + count * day)

interface Given {
  readonly address: string
  readonly from: Date
  readonly to: Date
}

/** Checks a registry with such a certificate, whose authority is trusted. */
const checked = ({ address, from, to }: Given) =>
  Effect.gen(function* () {
    const { cert, private: key } = yield* Effect.promise(() =>
      generate([{ name: "commonName", value: "a registry" }], {
        keyType: "ec",
        algorithm: "sha256",
        notBeforeDate: from,
        notAfterDate: to,
        extensions: [
          { name: "basicConstraints", cA: true, critical: true },
          { name: "subjectAltName", altNames: [{ type: 7, ip: address }] }
        ]
      })
    )
    const file = join(mkdtempSync(join(tmpdir(), "effect-acr-certificate-")), "ca.pem")
    writeFileSync(file, cert)
    return yield* Effect.gen(function* () {
      const { loginServer } = yield* AcrEmulator.AcrEmulator
      return yield* eacr(["doctor", loginServer, "--no-plain-http", "--ca-file", file], {
        env: { HOME: "/nonexistent" }
      })
    }).pipe(Effect.provide(AcrEmulator.layer({ https: { certificate: cert, key: Redacted.make(key) } })))
  })

const lineOf = (stdout: string, start: string): string =>
  stdout.split("\n").find((line) => line.startsWith(start)) ?? stdout

const cases = [
  {
    name: "has expired",
    given: { address: "127.0.0.1", from: inDays(-30), to: inDays(-2) },
    code: "CERT_HAS_EXPIRED",
    advice: "must be renewed at the server, unless the clock of this machine is wrong"
  },
  {
    name: "is not valid yet, as for a clock that is late",
    given: { address: "127.0.0.1", from: inDays(2), to: inDays(30) },
    code: "CERT_NOT_YET_VALID",
    advice: "unless the clock of this machine is wrong"
  },
  {
    name: "is for another name",
    given: { address: "192.0.2.1", from: inDays(-2), to: inDays(30) },
    code: "ERR_TLS_CERT_ALTNAME_INVALID",
    advice: "use a name that the certificate is for"
  }
]

describe("the doctor, of a certificate that", () => {
  for (const { advice, code, given, name } of cases) {
    it.live(name, () =>
      Effect.gen(function* () {
        const ended = yield* checked(given)
        assert.strictEqual(ended.code, 7, ended.stderr)
        const failed = lineOf(ended.stdout, "connection\tfailed\t")
        assert.include(failed, `the certificate is not trusted: ${code}`)
        const [from = "", to = ""] = [given.from, given.to].map((date) => date.toISOString().slice(0, 10))
        assert.include(failed, `valid from ${from} to ${to}`)
        assert.include(lineOf(ended.stdout, "connection\tadvice\t"), advice)
        assert.include(lineOf(ended.stdout, "api\t"), "skipped")
      })
    )
  }
})

describe("the doctor, of a login that", () => {
  it.live("the registry refuses says so, and skips the rights", () =>
    Effect.gen(function* () {
      const { inject } = yield* AcrEmulator.AcrEmulator
      yield* inject({ path: "/oauth2/token", times: "always", consequence: { _tag: "Answer", status: 401 } })
      const { code, stdout } = yield* loggedIn(["doctor", "$REGISTRY"])
      assert.strictEqual(code, 5)
      assert.include(lineOf(stdout, "login\tfailed\t"), "docker used admin")
      assert.include(lineOf(stdout, "login\tadvice\t"), "eacr login")
      assert.include(lineOf(stdout, "token\tskipped\t"), "the login is not accepted")
    }).pipe(Effect.provide(AcrEmulator.layer()))
  )
})
