/**
 * Converts errors of `@azure/identity` to reasons.
 *
 * Only the messages are used. The errors also hold the requests, which contain client secrets.
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

/** The maximum length of a description, in characters. No explanation needs more, and a page of HTML has far more. */
const longest = 600

/** The credential that a message comes from. Messages name it, mostly at the beginning. */
const credentialOf = (message: string): string | undefined => {
  const named = /\b([A-Z]\w*Credential)\b/.exec(message.slice(0, 120))?.[1]
  if (named !== undefined) return named
  if (/^(?:Azure CLI|Please run 'az login')/.test(message)) return "AzureCliCredential"
  return message.startsWith("Azure Developer CLI") ? "AzureDeveloperCliCredential" : undefined
}

/** A JSON parser quotes what it cannot parse, which may be a token. */
const withoutQuotes = (message: string): string =>
  /\bJSON\b/.test(message) ? "the response cannot be parsed" : message

/** Replaces every secret in the text. */
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
        // The field `credential` already has the name.
        .replace(/^\w+Credential: (?:is unavailable\. )?/, "")
        .replace(/\s+/g, " ")
        .trim()
        .slice(0, longest)
    })
  })

/**
 * The reason why a credential has no token. For a chain, `passedOver` has the reasons of its members.
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
        description: `none of the credentials of ${credential} is available`,
        passedOver
      })
    }
  })
