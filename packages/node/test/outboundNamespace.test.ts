/**
 * A registry that owns its DNS, against real addresses: a network namespace has public, private and link-local ones,
 * all of which are answered by this machine.
 */
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { run } from "../../../test/support/command.ts"
import { type Happened, readHappened, type Scenario, writeScenarios } from "./support/scenario.ts"

const attacker = "20.60.1.1"
const storage = "20.60.1.2"
const inside = "10.9.9.9"
const registryInside = "10.9.9.8"
const metadata = "169.254.169.254"
const attacker6 = "2603:1030::1"
const inside6 = "fd00::9"
/** No machine has this address, so a dial fails. */
const nowhere = "10.9.9.10"

const addresses = [attacker, storage, inside, registryInside, metadata]
const setUp = [
  "ip link set lo up",
  ...addresses.map((address) => `ip address add ${address}/32 dev lo`),
  ...[attacker6, inside6].map((address) => `ip address add ${address}/128 dev lo`)
].join(" && ")

const within = (command: string) => ["--map-root-user", "--net", "sh", "-c", `${setUp} && exec ${command}`]
const canBeMade = spawnSync("unshare", within("true")).status === 0

const endpoint = "http://registry.example"
const secret = "/latest/meta-data"

interface Case extends Partial<Scenario> {
  readonly names: Scenario["names"]
  readonly expected: Happened
}

const cases: { readonly [what: string]: Case } = {
  "leads inside while a second look-up says that it is there, and that dial fails": {
    names: { "registry.example": [[attacker], [attacker], [nowhere]], "inside.example": [[inside]] },
    machines: { [attacker]: { leadsTo: `http://inside.example${secret}` } },
    downloads: [1, 2],
    expected: {
      outcomes: [
        "Refused: inside.example leads to a private address, and the registry is not there",
        "Refused: inside.example leads to a private address, and the registry is not there",
        "Refused: registry.example leads to a private address, but the registry was reached at a public one before"
      ],
      dialled: [attacker, attacker]
    }
  },
  "leads inside, and is at a private address as well, where no server answers": {
    names: { "registry.example": [[nowhere, attacker]], "inside.example": [[inside]] },
    machines: { [attacker]: { leadsTo: `http://inside.example${secret}` } },
    expected: {
      outcomes: ["Refused: inside.example leads to a private address, and the registry is not there"],
      dialled: [attacker]
    }
  },
  "leads to itself and points its name at the metadata service": {
    names: { "registry.example": [[attacker], [metadata]] },
    machines: { [attacker]: { leadsTo: `${endpoint}${secret}` } },
    expected: {
      outcomes: [
        "Refused: registry.example leads to a link-local address, but the registry was reached at a public one before"
      ],
      dialled: [attacker]
    }
  },
  "leads to itself and points its name at this machine": {
    names: { "registry.example": [[attacker], ["127.0.0.1"]] },
    machines: { [attacker]: { leadsTo: `${endpoint}${secret}` } },
    expected: {
      outcomes: [
        "Refused: registry.example leads to a loopback address, but the registry was reached at a public one before"
      ],
      dialled: [attacker]
    }
  },
  "leads to another port of itself and points its name at the metadata service": {
    endpoint: `${endpoint}:8080`,
    names: { "registry.example": [[attacker], [metadata]] },
    machines: { [attacker]: { leadsTo: `${endpoint}${secret}` } },
    expected: {
      outcomes: ["Refused: registry.example leads to a link-local address, and the registry is not there"],
      dialled: [`${attacker} port 8080`]
    }
  },
  "leads from the private network to another port of itself, at the metadata service": {
    endpoint: `${endpoint}:8080`,
    names: { "registry.example": [[registryInside], [metadata]] },
    machines: { [registryInside]: { leadsTo: `${endpoint}${secret}` } },
    expected: {
      outcomes: ["Refused: registry.example leads to a link-local address, and the registry is not there"],
      dialled: [`${registryInside} port 8080`]
    }
  },
  "leads to another port of a trusted realm": {
    options: { trustedRealms: ["http://auth.example"] },
    names: { "registry.example": [[attacker]], "auth.example": [[inside]] },
    machines: { [attacker]: { leadsTo: `http://auth.example:8080${secret}` } },
    expected: {
      outcomes: ["Refused: auth.example leads to a private address, and the registry is not there"],
      dialled: [attacker]
    }
  },
  "leads to this machine by the address that maps none": {
    names: { "registry.example": [[attacker]] },
    machines: { [attacker]: { leadsTo: `http://[::ffff:0:0]${secret}` } },
    expected: {
      outcomes: [`Refused: http://[::ffff:0:0] is a loopback address, and ${endpoint} is not there`],
      dialled: [attacker]
    }
  },
  "is at a private address as well, later": {
    names: { "registry.example": [[attacker], [inside, attacker]] },
    downloads: [1, 1],
    expected: { outcomes: ["ContentMismatch", "ContentMismatch"], dialled: [attacker, attacker] }
  },
  "is at a private address of IPv6 as well, later": {
    names: { "registry.example": [[attacker6], [inside6, attacker]] },
    downloads: [1, 1],
    expected: { outcomes: ["ContentMismatch", "ContentMismatch"], dialled: [attacker6, attacker] }
  },
  "leads to storage that is at a private address as well": {
    names: { "registry.example": [[attacker]], "storage.example": [[inside, storage]] },
    machines: { [attacker]: { leadsTo: "http://storage.example/blob" } },
    expected: { outcomes: ["ContentMismatch"], dialled: [attacker, storage] }
  },
  "moves from the private network to the world and leads inside": {
    names: { "registry.example": [[registryInside], [attacker]], "inside.example": [[inside]] },
    machines: { [attacker]: { leadsTo: `http://inside.example${secret}` } },
    downloads: [1, 1],
    expected: {
      outcomes: [
        "ContentMismatch",
        "Refused: inside.example leads to a private address, and the registry is not there"
      ],
      dialled: [registryInside, attacker]
    }
  },
  "moves to the world while a connection of it leads to a private machine": {
    names: { "registry.example": [[inside], [attacker], [attacker]] },
    machines: { [inside]: { answers: 1 }, [attacker]: { leadsTo: "http://169.254.169.254/" } },
    downloads: [1, 2, 1],
    expected: {
      outcomes: [
        "ContentMismatch",
        // The connection to the private machine is closed: what the registry says now must not be asked there.
        "Unavailable",
        `Refused: http://169.254.169.254 is a link-local address, and ${endpoint} is not there`,
        `Refused: http://169.254.169.254 is a link-local address, and ${endpoint} is not there`
      ],
      dialled: [inside, attacker, attacker]
    }
  },
  "is in two places, and the user allows its host": {
    options: { allowedHosts: ["registry.example"] },
    names: { "registry.example": [[attacker], [registryInside]] },
    downloads: [1, 1],
    expected: { outcomes: ["ContentMismatch", "ContentMismatch"], dialled: [attacker, registryInside] }
  },
  "is private and allowed by the user, and leads to private storage": {
    options: { allowedHosts: ["registry.example"] },
    names: { "registry.example": [[registryInside]], "storage.example": [[inside]] },
    machines: { [registryInside]: { leadsTo: "http://storage.example/blob" } },
    expected: { outcomes: ["ContentMismatch"], dialled: [registryInside, inside] }
  },
  "is private and leads to another port of itself": {
    names: { "registry.example": [[registryInside]] },
    machines: { [registryInside]: { leadsTo: `${endpoint}:8080/blob` } },
    expected: { outcomes: ["ContentMismatch"], dialled: [registryInside, `${registryInside} port 8080`] }
  },
  "is private and leads to private storage": {
    names: { "registry.example": [[registryInside]], "storage.example": [[inside]] },
    machines: { [registryInside]: { leadsTo: "http://storage.example/blob" } },
    expected: { outcomes: ["ContentMismatch"], dialled: [registryInside, inside] }
  },
  "is on this machine and leads to another port of it": {
    endpoint: "http://127.0.0.1",
    names: {},
    machines: { "127.0.0.1": { leadsTo: "http://127.0.0.1:8080/blob" } },
    expected: { outcomes: ["ContentMismatch"], dialled: ["127.0.0.1", "127.0.0.1 port 8080"] }
  },
  "leads to a trusted realm": {
    options: { trustedRealms: ["http://auth.example"] },
    names: { "registry.example": [[attacker]], "auth.example": [[inside]] },
    machines: { [attacker]: { leadsTo: "http://auth.example/blob" } },
    expected: { outcomes: ["ContentMismatch"], dialled: [attacker, inside] }
  },
  "leads to a host that the user allows, on any port": {
    options: { allowedHosts: ["storage.example"] },
    names: { "registry.example": [[attacker]], "storage.example": [[inside]] },
    machines: { [attacker]: { leadsTo: "http://storage.example:8080/blob" } },
    expected: { outcomes: ["ContentMismatch"], dialled: [attacker, `${inside} port 8080`] }
  }
}

const scenarios = Object.values(cases).map((played): Scenario => ({
  endpoint: played.endpoint ?? endpoint,
  options: played.options ?? {},
  names: played.names,
  machines: played.machines ?? {},
  downloads: played.downloads ?? [1]
}))

describe("a registry, seen from a network of its own, that", () => {
  let happened: ReadonlyArray<Happened> = []

  beforeAll(() =>
    Effect.gen(function* () {
      const program = fileURLToPath(new URL("support/world.ts", import.meta.url))
      const written = yield* writeScenarios(scenarios)
      const command = `"$NODE" "$PROGRAM" "$SCENARIOS"`
      const env = { ...process.env, NODE: process.execPath, PROGRAM: program, SCENARIOS: written }
      const printed = yield* run("unshare", within(command), { env })
      // Warnings of plain http are printed before.
      happened = yield* readHappened(printed.trimEnd().split("\n").at(-1) ?? "")
    }).pipe(Effect.when(Effect.succeed(canBeMade)), Effect.runPromise)
  )

  it.for(Object.entries(cases).map(([what, { expected }], index) => [what, index, expected] as const))(
    "%s",
    ([, index, expected], { skip }) => {
      skip(!canBeMade, "left out: `unshare --net` and `ip` make no network namespace on this machine")
      assert.deepStrictEqual(happened[index], expected)
    }
  )
})
