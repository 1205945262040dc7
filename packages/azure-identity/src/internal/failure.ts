/**
 * What `@azure/identity` fails with, as reasons.
 *
 * Only what its errors say in words is taken over: they hold the requests as well, and those hold client secrets.
 */
import { CredentialUnavailable, type PassedOver } from "@effect-acr/client/RegistryError"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

const AnyError = Schema.Struct({ name: Schema.String, message: Schema.String })

const Aggregate = Schema.Struct({
  name: Schema.Literal("AggregateAuthenticationError"),
  errors: Schema.Array(Schema.Unknown)
})

const decodeError = Schema.decodeUnknownOption(AnyError)
const decodeAggregate = Schema.decodeUnknownOption(Aggregate)

/** No explanation needs more; a page of HTML would go on. */
const longest = 600

/** The credential that a message is of: it names itself, mostly at the beginning. */
const credentialOf = (message: string): string | undefined => {
  const named = /\b([A-Z]\w*Credential)\b/.exec(message.slice(0, 120))?.[1]
  if (named !== undefined) return named
  if (/^(?:Azure CLI|Please run 'az login')/.test(message)) return "AzureCliCredential"
  return message.startsWith("Azure Developer CLI") ? "AzureDeveloperCliCredential" : undefined
}

/** A parser of JSON quotes what it can't read, and that may be a token. */
const withoutQuotes = (message: string): string =>
  /\bJSON\b/.test(message) ? "what came in answer can't be read" : message

/** The text with every secret struck out. */
const strikeOut = (text: string, secrets: ReadonlyArray<Redacted.Redacted<string>>): string =>
  secrets.reduce(
    (clean, secret) => (Redacted.value(secret) === "" ? clean : clean.replaceAll(Redacted.value(secret), "<redacted>")),
    text
  )

const reasonOf = (credential: string, error: unknown, secrets: ReadonlyArray<Redacted.Redacted<string>>): PassedOver =>
  Option.match(decodeError(error), {
    onNone: () => ({ credential, problem: "Failed", description: "it failed without an explanation" }),
    onSome: ({ message, name }) => ({
      credential: credentialOf(message) ?? credential,
      problem: name === "CredentialUnavailableError" ? "NotConfigured" : "Failed",
      description: strikeOut(withoutQuotes(message), secrets)
        // Its name stands before it.
        .replace(/^\w+Credential: (?:is unavailable\. )?/, "")
        .replace(/\s+/g, " ")
        .trim()
        .slice(0, longest)
    })
  })

/**
 * The reason for which a credential gave no token: with the reasons of all of them, where it is a chain.
 */
export const fromError = (
  credential: string,
  error: unknown,
  secrets: ReadonlyArray<Redacted.Redacted<string>>
): CredentialUnavailable =>
  Option.match(decodeAggregate(error), {
    onNone: () => new CredentialUnavailable(reasonOf(credential, error, secrets)),
    onSome: ({ errors }) => {
      const passedOver = errors.map((one) => reasonOf(credential, one, secrets))
      return new CredentialUnavailable({
        credential,
        problem: passedOver.every(({ problem }) => problem === "NotConfigured") ? "NotConfigured" : "Failed",
        description: `none of the credentials of ${credential} is there`,
        passedOver
      })
    }
  })
