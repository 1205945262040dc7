/**
 * Where a request may be sent.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { atRegistry, follow } from "../src/internal/http/origin.ts"
import { atOnce } from "./support/atOnce.ts"

const registry = "https://myregistry.azurecr.io"

describe("an address on the registry's own origin", () => {
  const page = (address: string) =>
    Result.map(follow(address, atRegistry(registry, "/acr/v1/_catalog?n=1"), "page"), ({ path }) => path)

  const addresses: ReadonlyArray<readonly [string, string]> = [
    ["/acr/v1/_catalog?last=a&n=1", "/acr/v1/_catalog?last=a&n=1"],
    ["?last=a", "/acr/v1/_catalog?last=a"],
    ["_tags", "/acr/v1/_tags"],
    ["../v2/_catalog", "/acr/v2/_catalog"],
    ["/../../etc", "/etc"],
    ["", "/acr/v1/_catalog?n=1"],
    ["//myregistry.azurecr.io/a", "/a"],
    ["https://myregistry.azurecr.io/a?b=c%2Fd", "/a?b=c%2Fd"],
    ["HTTPS://MYREGISTRY.azurecr.io:443/A", "/A"],
    ["https://me:secret@myregistry.azurecr.io/a", "/a"],
    ["/a#fragment", "/a"],
    // After an origin this is a path, not another authority.
    ["/.//evil.example/x", "//evil.example/x"],
    ["https://myregistry.azurecr.io//evil.example/x", "//evil.example/x"],
    ["/samples%2fhello-world/_tags", "/samples%2fhello-world/_tags"]
  ]
  it.each(addresses)("%j leads to %s", (address, expected) => {
    assert.deepStrictEqual(page(address), Result.succeed(expected))
  })

  const elsewhere: ReadonlyArray<readonly [string, string]> = [
    ["https://evil.example/a", "https://evil.example"],
    ["//evil.example/a", "https://evil.example"],
    ["\\\\evil.example\\a", "https://evil.example"],
    ["http://myregistry.azurecr.io/a", "http://myregistry.azurecr.io"],
    ["https://myregistry.azurecr.io:444/a", `${registry}:444`],
    ["https://myregistry.azurecr.io.evil.example/a", `${registry}.evil.example`],
    ["https://myregistry.azurecr.io@evil.example/a", "https://evil.example"],
    ["https://xmyregistry.azurecr.io/a", "https://xmyregistry.azurecr.io"],
    ["https://me:secret@evil.example/a", "https://evil.example"]
  ]
  it.each(elsewhere)("%j leads away", (address, origin) => {
    assert.deepStrictEqual(page(address), Result.fail(`leads to ${origin}, away from ${registry}`))
  })

  it.each([
    "javascript:alert(1)",
    "file:///etc/passwd",
    "blob:https://myregistry.azurecr.io/a",
    "Password-of-the-user:x"
  ])("%j is refused, and its scheme is not quoted", (address) => {
    assert.deepStrictEqual(page(address), Result.fail("is neither http nor https"))
  })

  it.each(["https://", "https://[::1", "https://a b/"])("%j leads nowhere", (address) => {
    assert.deepStrictEqual(page(address), Result.fail("is not a URL"))
  })

  it.each(["a/", "../", "./", "%2e/", "-", "_", "?", "#", "@", ":"])("of a megabyte of %j is read at once", (piece) => {
    for (const length of [100_000, 1_000_000]) {
      const long = piece.repeat(length / piece.length)
      const read = atOnce(() => page(`/a${long}`))
      assert.isTrue(Result.getOrElse(read, String).startsWith("/"))
    }
  })
})

describe("an address for an upload or a download", () => {
  const from = atRegistry(registry, "/v2/a/blobs/uploads/?x=y")
  const storage = "https://storage.blob.core.windows.net"

  const followed: ReadonlyArray<readonly [string, string, string]> = [
    // Byte for byte, because signatures depend on it.
    [
      "/v2/a/blobs/uploads/1?_state=a%2Fb+c~%7E'()&_nouploadcache=false",
      registry,
      "/v2/a/blobs/uploads/1?_state=a%2Fb+c~%7E'()&_nouploadcache=false"
    ],
    [
      `${storage}/a%2Fb/c?se=2023-01-01T00%3A00%3A00Z&sig=a%2Bb%2f%3D`,
      storage,
      "/a%2Fb/c?se=2023-01-01T00%3A00%3A00Z&sig=a%2Bb%2f%3D"
    ],
    ["//storage.blob.core.windows.net/a?b", storage, "/a?b"],
    ["1?_state=2", registry, "/v2/a/blobs/uploads/1?_state=2"],
    ["?_state=2", registry, "/v2/a/blobs/uploads/?_state=2"],
    [storage, storage, "/"],
    [`${storage}?a=b`, storage, "/?a=b"],
    [`${storage}/a?b#fragment`, storage, "/a?b"],
    ["https://me:secret@storage.blob.core.windows.net/a?b", storage, "/a?b"],
    [`${registry}//evil.example/a`, registry, "//evil.example/a"],
    ["https://10.0.0.1:8443/a", "https://10.0.0.1:8443", "/a"],
    // The normalized path counts.
    ["/v2/a/blobs/uploads/../../manifests/v1?_state=a%2Fb", registry, "/v2/a/manifests/v1?_state=a%2Fb"],
    ["/v2/a/blobs/uploads/%2e%2e/%2E./manifests/v1", registry, "/v2/a/manifests/v1"]
  ]
  it.each(followed)("%j is followed to %s", (address, origin, path) => {
    const authority = origin === registry ? "access" : "none"
    assert.deepStrictEqual(
      follow(address, from, "session"),
      Result.succeed({ registry, origin, path, authority } as const)
    )
  })

  const refused: ReadonlyArray<readonly [string, string]> = [
    ["ftp://storage.blob.core.windows.net/a", "is neither http nor https"],
    ["file:///etc/passwd", "is neither http nor https"],
    ["blob:https://myregistry.azurecr.io/a", "is neither http nor https"]
  ]
  it.each(refused)("%s is not followed", (address, why) => {
    assert.deepStrictEqual(follow(address, from, "session"), Result.fail(why))
  })

  it("that is invalid is not followed", () => {
    assert.deepStrictEqual(follow("https://[::1", from, "session"), Result.fail("is not a URL"))
  })

  it.prop(
    "is unchanged when it is parsed from its parts",
    [Schema.String.check(Schema.isPattern(/^[!-~]{0,60}$/))],
    ([tail]) => {
      const result = follow(`/${tail}`, from, "session")
      if (Result.isFailure(result)) return
      const { origin, path } = result.success
      const asked = new URL(`/${tail}`, registry)
      assert.strictEqual(new URL(origin + path).href, asked.origin + asked.pathname + asked.search)
    },
    { arbitrary: { seed: 1, runs: 1000 } }
  )

  it.each(["a/", "../", "-", "_", "?", "@", "%2F", "//", "\\", "a:"])(
    "of a megabyte of %j is judged at once",
    (piece) => {
      for (const length of [100_000, 1_000_000]) {
        const long = piece.repeat(length / piece.length)
        for (const address of [`/x${long}`, `${storage}/${long}`, long]) {
          const result = atOnce(() => follow(address, from, "session"))
          if (Result.isSuccess(result)) assert.isTrue(result.success.path.startsWith("/"))
        }
      }
    }
  )
})
