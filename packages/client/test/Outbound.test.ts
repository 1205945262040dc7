/**
 * Which addresses the client may connect to.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { ContainerRegistry } from "../src/ContainerRegistry.ts"
import { check, mayConnect, type Reach, reachAfter, reachOf, type Relation } from "../src/Outbound.ts"
import * as RegistryContent from "../src/RegistryContent.ts"
import * as BlobSource from "../src/BlobSource.ts"
import { atOnce } from "./support/atOnce.ts"
import { sha256 } from "./support/content.ts"
import { Journal, registry, type Script } from "./support/registry.ts"

describe("the reach of a host", () => {
  const known: ReadonlyArray<readonly [string, Reach | undefined]> = [
    ["myregistry.azurecr.io", undefined],
    ["10.evil.example", undefined],
    ["127.0.0.1.evil.example", undefined],
    ["localhost", "loopback"],
    ["LOCALHOST.", "loopback"],
    ["registry.localhost", "loopback"],
    ["127.0.0.1", "loopback"],
    ["127.255.255.254", "loopback"],
    ["0.0.0.0", "loopback"],
    ["[::1]", "loopback"],
    ["[::]", "loopback"],
    ["::1", "loopback"],
    // IPv4 inside IPv6: mapped, compatible, translated.
    ["[::ffff:127.0.0.1]", "loopback"],
    ["[::ffff:7f00:1]", "loopback"],
    ["[::ffff:0:0]", "loopback"],
    ["[::ffff:0:1]", "loopback"],
    ["[::ffff:a9fe:a9fe]", "link-local"],
    ["[::ffff:10.0.0.1]", "private"],
    ["[::ffff:20.60.1.1]", "public"],
    ["[::7f00:1]", "loopback"],
    ["[::2]", "loopback"],
    ["[::20.60.1.1]", "public"],
    ["[::ffff:0:7f00:1]", "loopback"],
    ["[::ffff:0:143c:101]", "public"],
    // NAT64, by the well-known prefix and by one for local use of any length.
    ["[64:ff9b::7f00:1]", "loopback"],
    ["[64:ff9b::143c:101]", "public"],
    ["[64:ff9b:1::a9fe:a9fe]", "link-local"],
    ["[64:ff9b:1::143c:101]", "public"],
    ["[64:ff9b:1:a9fe:a9:fe00::]", "link-local"],
    ["[64:ff9b:1:a9fe:a9:fe00:143c:101]", "link-local"],
    ["[64:ff9b:1:7f:0:1::]", "loopback"],
    ["[64:ff9b:1:0:a:0:100:0]", "private"],
    ["[64:ff9b:2::143c:101]", "private"],
    // 6to4, and Teredo by its server and by its client.
    ["[2002:7f00:1::]", "loopback"],
    ["[2002:a9fe:a9fe::1]", "link-local"],
    ["[2002:143c:101::1]", "public"],
    ["[2001:0:143c:101::80ff:fffe]", "loopback"],
    ["[2001:0:a00:1::ebc3:fefd]", "private"],
    ["[2001:0:143c:101::ebc3:fefd]", "public"],
    // ISATAP, after any prefix.
    ["[2603:1030::5efe:7f00:1]", "loopback"],
    ["[2603:1030::200:5efe:a9fe:a9fe]", "link-local"],
    ["[2603:1030::5efe:143c:101]", "public"],
    ["[fe80::5efe:a00:1]", "link-local"],
    ["[fd00::5efe:7f00:1]", "loopback"],
    // One link, and the metadata services of clouds.
    ["169.254.169.254", "link-local"],
    ["168.63.129.16", "link-local"],
    ["100.100.100.200", "link-local"],
    ["192.0.0.192", "link-local"],
    ["[fe80::1]", "link-local"],
    ["fe80::1%eth0", "link-local"],
    ["[fd00:ec2::254]", "link-local"],
    ["[fd00:ec2::23]", "link-local"],
    ["[fd20:ce::254]", "link-local"],
    ["[fd00:42::42]", "link-local"],
    // Private networks.
    ["10.0.0.1", "private"],
    ["172.15.255.255", "public"],
    ["172.16.0.1", "private"],
    ["172.31.255.255", "private"],
    ["172.32.0.1", "public"],
    ["192.168.1.1", "private"],
    ["100.63.255.255", "public"],
    ["100.64.0.1", "private"],
    ["100.128.0.1", "public"],
    ["[fd00::1]", "private"],
    ["[fec0::1]", "private"],
    // Not globally reachable by IANA's registries.
    ["192.0.0.9", "private"],
    ["192.0.2.1", "private"],
    ["192.88.99.1", "private"],
    ["198.17.255.255", "public"],
    ["198.18.0.1", "private"],
    ["198.19.255.255", "private"],
    ["198.51.100.7", "private"],
    ["203.0.113.7", "private"],
    ["223.255.255.255", "public"],
    ["224.0.0.1", "private"],
    ["240.0.0.1", "private"],
    ["255.255.255.255", "private"],
    ["[100::1]", "private"],
    ["[100:0:0:1::1]", "private"],
    ["[2001:2::1]", "private"],
    ["[2001:10::1]", "private"],
    ["[2001:20::1]", "private"],
    ["[2001:db8:1:2:3:4:5:6]", "private"],
    ["[3fff::1]", "private"],
    ["[4000::1]", "private"],
    ["[5f00::1]", "private"],
    ["[ff02::1]", "private"],
    // Out there.
    ["20.60.1.1", "public"],
    ["192.31.196.1", "public"],
    ["[2001:200::1]", "public"],
    ["[2603:1030::1]", "public"],
    ["[2a00:1450::1]", "public"],
    // No addresses.
    ["1.2.3", undefined],
    ["1.2.3.256", undefined],
    ["1:2:3:4:5:6:7", undefined],
    ["1:2:3:4:5:6:7:8:9", undefined],
    ["1::2::3", undefined],
    ["1::2:3:4:5:6:7:8", undefined],
    ["::12345", undefined],
    ["::1.2.3.4:5", undefined]
  ]
  it.each(known)("%s is %s", (host, reach) => {
    assert.strictEqual(reachOf(host), reach)
  })

  it("is read from every form of an address that URL accepts", () => {
    for (const written of ["2130706433", "0x7f.1", "017700000001", "127.1", "①②⑦.0.0.1"]) {
      assert.strictEqual(reachOf(new URL(`https://${written}`).hostname), "loopback", written)
    }
    assert.strictEqual(reachOf(new URL("https://[0:0:0:0:0:FFFF:A00:1]").hostname), "private")
  })

  it.each([":", ".", "1.", "::", "f", "%"])("of a megabyte of %j is found at once", (piece) => {
    atOnce(() => reachOf(piece.repeat(1_000_000)))
    atOnce(() => reachOf(`${piece.repeat(100_000)}\n`))
  })
})

describe("a connection", () => {
  const everywhere = ["public", "private", "link-local", "loopback"] as const

  /** The addresses that a connection may lead to, by the relation of the target and the reach of the registry. */
  const allowed: ReadonlyArray<readonly [Relation, Reach | undefined, ReadonlyArray<Reach>]> = [
    ["registry", undefined, everywhere],
    ["registry", "public", ["public"]],
    ["registry", "private", ["public", "private"]],
    ["registry", "link-local", ["public", "link-local"]],
    ["registry", "loopback", ["public", "loopback"]],
    ["named", undefined, everywhere],
    ["named", "public", everywhere],
    ["named", "private", everywhere],
    ["named", "link-local", everywhere],
    ["named", "loopback", everywhere],
    ["other", undefined, ["public"]],
    ["other", "public", ["public"]],
    ["other", "private", ["public", "private"]],
    ["other", "link-local", ["public", "link-local"]],
    ["other", "loopback", ["public", "loopback"]]
  ]
  it.each(allowed)("to a target that is %s, of a registry known to be %s, leads to %j", (relation, known, expected) => {
    assert.deepStrictEqual(
      everywhere.filter((address) => mayConnect(relation, known, address)),
      expected
    )
  })

  it("shows the reach of a registry; two different ones count as public", () => {
    for (const known of everywhere) {
      assert.strictEqual(reachAfter(undefined, known), known)
      for (const address of everywhere) {
        assert.strictEqual(reachAfter(known, address), known === address ? known : "public")
      }
    }
  })
})

const outcome = (from: string, to: string, relation: Relation = "other"): string => {
  const registry = new URL(from)
  return Result.match(check(registry, new URL(to), { registry: registry.origin, relation }), {
    onSuccess: () => "goes",
    onFailure: (problem) => problem
  })
}

describe("a request", () => {
  const acr = "https://myregistry.azurecr.io"
  const cases: ReadonlyArray<readonly [string, string, string]> = [
    [acr, acr, "goes"],
    [acr, "https://storage.blob.core.windows.net", "goes"],
    [acr, "https://20.60.1.1", "goes"],
    [acr, "http://storage.blob.core.windows.net", `http://storage.blob.core.windows.net is not as safe as ${acr}`],
    [acr, "http://myregistry.azurecr.io", `http://myregistry.azurecr.io is not as safe as ${acr}`],
    [acr, "https://127.0.0.1", `https://127.0.0.1 is a loopback address, and ${acr} is not there`],
    [acr, "https://localhost:8080", `https://localhost:8080 is a loopback address, and ${acr} is not there`],
    [acr, "https://169.254.169.254", `https://169.254.169.254 is a link-local address, and ${acr} is not there`],
    [acr, "https://10.0.0.1", `https://10.0.0.1 is a private address, and ${acr} is not there`],
    [acr, "https://[::ffff:10.0.0.1]", `https://[::ffff:a00:1] is a private address, and ${acr} is not there`],
    [acr, "https://[::ffff:0:0]", `https://[::ffff:0:0] is a loopback address, and ${acr} is not there`],
    [acr, `${acr}:8443`, "goes"],
    ["https://10.0.0.1", "https://10.0.0.1:8443", "goes"],
    ["https://10.0.0.1", "https://192.168.0.1", "goes"],
    [
      "https://10.0.0.1",
      "https://169.254.169.254",
      "https://169.254.169.254 is a link-local address, and https://10.0.0.1 is not there"
    ],
    [
      "https://10.0.0.1",
      "https://127.0.0.1",
      "https://127.0.0.1 is a loopback address, and https://10.0.0.1 is not there"
    ],
    ["http://127.0.0.1:5000", "http://localhost:6000", "goes"],
    ["http://127.0.0.1:5000", "https://storage.blob.core.windows.net", "goes"],
    ["http://127.0.0.1:5000", "http://10.0.0.1", "http://10.0.0.1 is not as safe as http://127.0.0.1:5000"],
    ["http://registry.example", "http://storage.example", "goes"]
  ]
  it.each(cases)("of %s to %s: %s", (from, to, expected) => {
    assert.strictEqual(outcome(from, to), expected)
  })

  it("to a host that the user named is sent, but not unencrypted", () => {
    assert.strictEqual(outcome(acr, "https://10.0.0.1", "named"), "goes")
    assert.strictEqual(outcome(acr, "http://10.0.0.1", "named"), `http://10.0.0.1 is not as safe as ${acr}`)
  })
})

describe("a registry that leads into the network of its client", () => {
  const inside = "https://169.254.169.254"
  const leading: Script = ({ method, url }) =>
    url.origin === inside
      ? new Response("inside", { status: method === "PUT" ? 201 : 200, headers: { location: `${inside}/s` } })
      : method === "POST"
        ? new Response(null, { status: 202, headers: { location: `${inside}/s` } })
        : new Response(null, { status: 307, headers: { location: `${inside}/latest/meta-data/` } })

  const provided = (options: Parameters<typeof registry>[1] = {}) =>
    RegistryContent.layerTransport().pipe(Layer.provideMerge(registry(leading, options)))

  const asked = Effect.map(Journal, (journal) => journal.filter(({ url }) => url.origin === inside))

  const refused = <A>(run: (content: RegistryContent.Service) => Effect.Effect<A, unknown>) =>
    Effect.gen(function* () {
      const content = yield* RegistryContent.RegistryContent
      const error = yield* Effect.flip(run(content))
      assert.include(String(error), "Refused")
      assert.include(String(error), "is a link-local address")
      assert.deepStrictEqual(yield* asked, [])
    }).pipe(Effect.provide(provided()))

  it.effect("by a redirect is not followed", () => refused((content) => content.blobBytes("alpine", sha256("inside"))))

  it.effect("by the location of an upload is not followed, nor is its session cancelled there", () =>
    refused((content) => content.uploadBlob("alpine", BlobSource.fromString("inside")))
  )

  it.effect("may do so if the user allows it", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent.RegistryContent
      const bytes = yield* content.blobBytes("alpine", sha256("inside"))
      assert.strictEqual(new TextDecoder().decode(bytes), "inside")
      for (const { authorization } of yield* asked) assert.isUndefined(authorization)
      assert.isDefined(yield* ContainerRegistry)
    }).pipe(Effect.provide(provided({ allowedHosts: ["169.254.169.254"] })))
  )
})

describe("other targets that the user names", () => {
  const storage = "https://10.0.0.1:8443"
  const leading: Script = ({ url }) =>
    url.origin === storage
      ? new Response("blob")
      : new Response(null, { status: 307, headers: { location: `${storage}/blob` } })

  const cases = [
    ["a realm, by its origin", { trustedRealms: [storage] }, true],
    ["a realm on another port", { trustedRealms: ["https://10.0.0.1"] }, false],
    ["a realm, in another spelling", { trustedRealms: [`${storage.toUpperCase()}/`] }, true],
    ["a host, with any port", { allowedHosts: ["10.0.0.1"] }, true],
    ["a host, in another spelling", { allowedHosts: ["0x0A.1"] }, true],
    ["another host", { allowedHosts: ["10.0.0.2"] }, false]
  ] as const
  it.effect.each(cases)("%s", ([, options, isFollowed]) =>
    Effect.gen(function* () {
      const content = yield* RegistryContent.RegistryContent
      yield* Effect.ignore(content.blobBytes("alpine", sha256("blob")))
      const asked = (yield* Journal).filter(({ url }) => url.origin === storage)
      assert.lengthOf(asked, isFollowed ? 1 : 0)
    }).pipe(Effect.provide(RegistryContent.layerTransport().pipe(Layer.provideMerge(registry(leading, options)))))
  )
})
