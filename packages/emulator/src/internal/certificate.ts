/**
 * A certificate for addresses of this machine, made on the spot.
 */
import { randomUUID } from "node:crypto"
import * as Effect from "effect/Effect"
import { generate } from "selfsigned"

export interface Certificate {
  readonly key: string
  readonly cert: string
}

/** A client that trusts several emulators tells their authorities apart by their names alone. */
const subject = () => [
  { name: "commonName", value: "localhost" },
  { shortName: "OU", value: randomUUID() }
]

/** Its own authority, good for a day and for `localhost`, `127.0.0.1` and `::1`. */
export const make: Effect.Effect<Certificate> = Effect.map(
  Effect.promise(() =>
    generate(subject(), {
      keyType: "ec",
      extensions: [
        { name: "basicConstraints", cA: true, critical: true },
        { name: "keyUsage", digitalSignature: true, keyCertSign: true, critical: true },
        { name: "extKeyUsage", serverAuth: true },
        {
          name: "subjectAltName",
          altNames: [
            { type: 2, value: "localhost" },
            { type: 7, ip: "127.0.0.1" },
            { type: 7, ip: "::1" }
          ]
        }
      ]
    })
  ),
  ({ cert, private: key }) => ({ cert, key })
)
