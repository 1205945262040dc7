/**
 * Which origin may cause which request, and with which credentials.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import {
  type Author,
  type Authority,
  authorityOf,
  isUploadSession,
  type Place,
  type Purpose
} from "../src/internal/http/authority.ts"
import { atRegistry, follow } from "../src/internal/http/origin.ts"

describe("the credentials of a request to an address that an answer names", () => {
  const rows: ReadonlyArray<readonly [Purpose, Author, Place, Authority]> = [
    ["page", "registry", "registry", "access"],
    ["page", "registry", "trusted", "refused"],
    ["page", "registry", "elsewhere", "refused"],
    ["page", "stranger", "registry", "refused"],
    ["page", "stranger", "trusted", "refused"],
    ["page", "stranger", "elsewhere", "none"],
    ["content", "registry", "registry", "access"],
    ["content", "registry", "trusted", "none"],
    ["content", "registry", "elsewhere", "none"],
    ["content", "stranger", "registry", "none"],
    ["content", "stranger", "trusted", "none"],
    ["content", "stranger", "elsewhere", "none"],
    ["session", "registry", "registry", "access"],
    ["session", "registry", "trusted", "none"],
    ["session", "registry", "elsewhere", "none"],
    ["session", "stranger", "registry", "refused"],
    ["session", "stranger", "trusted", "none"],
    ["session", "stranger", "elsewhere", "none"],
    ["realm", "registry", "registry", "login"],
    ["realm", "registry", "trusted", "login"],
    ["realm", "registry", "elsewhere", "refused"],
    ["realm", "stranger", "registry", "refused"],
    ["realm", "stranger", "trusted", "refused"],
    ["realm", "stranger", "elsewhere", "refused"]
  ]

  it.each(rows)("a %s that the %s names, leading to %s: %s", (purpose, author, place, authority) => {
    assert.strictEqual(authorityOf(purpose, author, place), authority)
  })

  it("is decided for every combination", () => {
    assert.strictEqual(new Set(rows.map((row) => row.slice(0, 3).join())).size, 4 * 2 * 3)
  })
})

describe("an address that leads from the registry to storage and on", () => {
  const registry = "https://myregistry.azurecr.io"
  const storage = "https://storage.example"

  for (const purpose of ["content", "session"] as const) {
    const there = follow(`${storage}/s`, atRegistry(registry, "/v2/a/blobs/uploads/"), purpose)

    it(`carries no credentials there, or further on (${purpose})`, () => {
      const further = Result.flatMap(there, (location) => follow("https://other.example/t", location, purpose))
      for (const location of [there, further]) {
        assert.strictEqual(Result.getOrThrow(location).authority, "none")
      }
    })

    it.each([
      `${registry}/acr/v1/team-a/app`,
      "//MYREGISTRY.azurecr.io:443/v2/a/blobs/uploads/1",
      `https://me@myregistry.azurecr.io/v2/a/blobs/uploads/1`
    ])(`does not get them back with %s (${purpose})`, (address) => {
      const back = Result.flatMap(there, (location) => follow(address, location, purpose))
      if (purpose === "content") assert.strictEqual(Result.getOrThrow(back).authority, "none")
      else {
        assert.deepStrictEqual(
          back,
          Result.fail(`leads from ${storage} back to ${registry}, for which it has no authority`)
        )
      }
    })
  }
})

describe("a session that storage names at the registry under another name", () => {
  const storage = "https://storage.example"
  const cases: ReadonlyArray<readonly [string, string]> = [
    ["https://registry.example", "https://registry.example./v2/a/manifests/latest"],
    ["https://registry.example:8443", "https://registry.example/v2/a/manifests/latest"],
    ["https://registry.example", "https://registry.example:8443/v2/a/manifests/latest"],
    ["https://registry.example:8443", "https://REGISTRY.example.:8443/v2/a/manifests/latest"],
    ["http://127.0.0.1:5000", "http://localhost:5000/v2/a/manifests/latest"],
    ["http://127.0.0.1:5000", "http://127.0.0.2:5000/v2/a/manifests/latest"],
    ["http://localhost:5000", "http://[::1]:5000/v2/a/manifests/latest"],
    ["http://10.0.0.5:5000", "http://[::ffff:10.0.0.5]:5000/v2/a/manifests/latest"],
    ["http://10.0.0.5:5000", "http://[::ffff:a00:5]:8080/v2/a/manifests/latest"],
    ["http://[::ffff:10.0.0.5]:5000", "http://10.0.0.5:5000/v2/a/manifests/latest"],
    ["http://[::ffff:10.0.0.5]:5000", "http://[64:ff9b::10.0.0.5]:5000/v2/a/manifests/latest"],
    ["http://10.0.0.5", "https://[2002:a00:5::1]/v2/a/manifests/latest"],
    ["https://myregistry.westeurope.geo.azurecr.io", "https://myregistry.azurecr.io/v2/a/manifests/latest"],
    ["https://myregistry.azurecr.io", "https://myregistry.westeurope.geo.azurecr.io/v2/a/manifests/latest"]
  ]
  it.each(cases)("is refused: %s, %s", (registry, location) => {
    const there = Result.getOrThrow(follow(`${storage}/s`, atRegistry(registry, "/v2/a/blobs/uploads/"), "session"))
    assert.isTrue(Result.isFailure(follow(location, there, "session")))
  })

  it("is not one if storage is another port of the registry's host, and names itself", () => {
    const registry = atRegistry("http://127.0.0.1:5000", "/v2/a/blobs/uploads/")
    const there = Result.getOrThrow(follow("http://127.0.0.1:5001/s", registry, "session"))
    assert.strictEqual(Result.getOrThrow(follow("/s2", there, "session")).authority, "none")
  })

  it("gets no credentials, although the registry itself names it", () => {
    const registry = atRegistry("https://myregistry.westeurope.geo.azurecr.io", "/v2/a/blobs/uploads/")
    const location = follow("https://myregistry.azurecr.io/v2/a/blobs/uploads/1", registry, "session")
    assert.strictEqual(Result.getOrThrow(location).authority, "none")
  })
})

describe("the path of an upload session of a repository", () => {
  it.each([
    "/v2/team-a/app/blobs/uploads/3b05bb8f-0bc2-4e2c-9f4c-6a1a2c7d1e0f",
    "/v2/team-a/app/blobs/uploads/3b05bb8f?_nouploadcache=false&_state=a%2Fb",
    "/v2/team-a/app/blobs/uploads/AKYxxL~_.=:@1"
  ])("is %s", (path) => {
    assert.isTrue(isUploadSession("team-a/app", path))
  })

  it.each([
    "/acr/v1/team-a/app",
    "/v2/team-a/app/manifests/latest",
    "/v2/team-a/other/blobs/uploads/1",
    "/v2/team-a/app/blobs/uploads/",
    "/v2/team-a/app/blobs/uploads/?_state=1",
    "/v2/team-a/app/blobs/uploads/..",
    "/v2/team-a/app/blobs/uploads/..?_state=1",
    "/v2/team-a/app/blobs/uploads/../../manifests/latest",
    "/v2/team-a/app/blobs/uploads/..%2f..%2fmanifests%2flatest",
    "/v2/team-a/app/blobs/uploads/%2e%2e",
    "/v2/team-a/app/blobs/uploads/1/2",
    "/v2/team-a/app/blobs/uploads/1\\..",
    "/v2/team-a/app/blobs/upload/1",
    "//v2/team-a/app/blobs/uploads/1",
    "/V2/team-a/app/blobs/uploads/1"
  ])("is not %s", (path) => {
    assert.isFalse(isUploadSession("team-a/app", path))
  })
})
