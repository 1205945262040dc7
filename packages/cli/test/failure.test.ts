/**
 * Failures: their texts and their exit codes.
 */
import { ArchiveError, NotAnArchive, UnsupportedArchive } from "@effect-acr/artifacts/ArchiveError"
import { FileFailed, FolderError } from "@effect-acr/artifacts/FolderError"
import { LayoutError, NotALayout } from "@effect-acr/artifacts/LayoutError"
import { type ConnectionProblem, RegistryError, Unavailable } from "@effect-acr/client/RegistryError"
import { LoginStoreError } from "@effect-acr/node/DockerConfig"
import { assert, describe, it } from "@effect/vitest"
import { PlatformError, SystemError } from "effect/PlatformError"
import { format, failureOf } from "../src/failure.ts"
import { readingOf } from "../src/reading.ts"
import { OutputFailed } from "../src/output.ts"

const platformError = (tag: SystemError["_tag"], code: string) =>
  new PlatformError(
    new SystemError({
      _tag: tag,
      module: "FileSystem",
      method: "write",
      pathOrDescriptor: "/data/api.tar",
      cause: Object.assign(new Error("no more"), { code })
    })
  )

describe("a failure of the file system", () => {
  it("reports a full disk, with the code of the system", () => {
    const { code, why } = readingOf(platformError("Unknown", "ENOSPC"))
    assert.strictEqual(code, 1)
    assert.include(why, "/data/api.tar")
    assert.match(why, /: the disk is full \(ENOSPC\)$/)
  })

  it("is described in words, and not by the name of an operation", () => {
    const missing = new FolderError({
      folder: "nothere",
      reason: new FileFailed({ description: "", cause: platformError("NotFound", "ENOENT") })
    })
    assert.strictEqual(readingOf(missing).why, "there is no file /data/api.tar")
    const cause = platformError("Unknown", "EROFS")
    const full = new FolderError({ folder: "site", reason: new FileFailed({ description: cause.message, cause }) })
    assert.strictEqual(readingOf(full).why, "site: the file system can only be read (EROFS)")
    const login = new LoginStoreError({
      place: "config.json",
      problem: "FileFailed",
      description: "it can't be written",
      code: "EROFS"
    })
    assert.include(readingOf(login).why, "it can't be written: the file system can only be read (EROFS)")
  })

  it("keeps a code whose meaning the command does not know", () => {
    assert.match(readingOf(platformError("Unknown", "ENOTEMPTY")).why, /: ENOTEMPTY$/)
  })

  it("has an exit code of its own", () => {
    assert.strictEqual(readingOf(platformError("NotFound", "ENOENT")).code, 4)
    assert.strictEqual(readingOf(platformError("PermissionDenied", "EACCES")).code, 5)
    assert.strictEqual(readingOf(platformError("AlreadyExists", "EEXIST")).code, 6)
  })
})

const failed = (reason: { readonly description: string; readonly problem?: ConnectionProblem }) =>
  readingOf(new RegistryError({ operation: "Transport.check", reason: new Unavailable(reason) }))

describe("a connection that failed", () => {
  for (const [problem, flag] of [
    ["WithoutTls", "--plain-http"],
    ["ProbablyWithTls", "--no-plain-http"],
    ["UntrustedIssuer", "--ca-file"]
  ] as const) {
    it(`by ${problem} leads to ${flag}, and to no option of the library`, () => {
      const { help, why } = failed({ description: "the handshake failed", problem })
      assert.strictEqual(why, "the handshake failed")
      assert.include(help, flag)
    })
  }

  it("at a proxy without TLS does not lead to a registry without TLS", () => {
    const { help } = failed({ description: "the proxy proxy.example does not speak TLS" })
    assert.notInclude(help, "--plain-http")
    assert.include(help, "eacr doctor")
  })
})

describe("a place that is no store", () => {
  const description = "as the library says it"
  for (const [error, words] of [
    [
      new LayoutError({ folder: "api.tar", reason: new NotALayout({ description, found: "File" }) }),
      "api.tar: this is not a folder: --archive, or --from-archive of cp, reads tar archives"
    ],
    [
      new ArchiveError({ archive: "api", reason: new NotAnArchive({ description, found: "Folder" }) }),
      "api: this is a folder: --layout, or --from-layout of cp, reads image layouts"
    ],
    [
      new ArchiveError({ archive: "/dev/stdin", reason: new UnsupportedArchive({ description, found: "Pipe" }) }),
      "/dev/stdin: this is a pipe or a device, not a file: - reads standard input"
    ],
    [
      new LayoutError({ folder: "api", reason: new NotALayout({ description, found: "OtherFolder" }) }),
      "api: as the library says it"
    ]
  ] as const) {
    it(`is described as ${words}`, () => {
      assert.strictEqual(readingOf(error).why, words)
    })
  }
})

describe("standard output", () => {
  it("that fails reports why", () => {
    const { code, why } = readingOf(new OutputFailed({ cause: platformError("Unknown", "ENOSPC") }))
    assert.strictEqual(code, 1)
    assert.include(why, "the disk is full (ENOSPC)")
    // What the verb did is done: only its answer is lost.
    const cause = platformError("Unknown", "ENOSPC")
    const failure = failureOf("delete the tag v1")(new OutputFailed({ cause, isLast: true }))
    assert.deepInclude(failure, { what: "print the answer", help: "all else is done" })
  })

  it("whose reader closed it reports nothing", () => {
    const reading = readingOf(new OutputFailed({ cause: platformError("Unknown", "EPIPE") }))
    assert.deepStrictEqual(reading, { why: "", code: 141 })
  })
})

describe("the text of a failure", () => {
  for (const name of [
    "user:SECRET@h/x:v1",
    "user:pa/ssSECRET@h/x:v1",
    "https://user:p@ssSECRET@h/x",
    "user:SECRET word@h/x",
    "user:SECRET@sha256:h/x@h/x"
  ]) {
    it(`has no login of the name ${name}`, () => {
      const failure = failureOf(`read ${name}`)(platformError("Unknown", "EIO"))
      assert.strictEqual(failure._tag, "Failure")
      if (failure._tag === "Failure") assert.notInclude(format(failure), "SECRET")
    })
  }

  it("has names with a port, a tag and a digest as they are", () => {
    const what = `delete localhost:5000/shop/api:v1, localhost:5000/shop/api@sha256:${"a".repeat(64)}`
    const failure = failureOf(what)(platformError("Unknown", "EIO"))
    if (failure._tag === "Failure") assert.include(format(failure), what)
  })

  it("escapes control characters", () => {
    const failure = failureOf("read \u001b[2J")(platformError("Unknown", "EIO"))
    assert.strictEqual(failure._tag, "Failure")
    if (failure._tag === "Failure") assert.notInclude(format(failure), "\u001b")
  })
})
