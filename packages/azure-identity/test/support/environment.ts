/**
 * The environment variables of this process, for code that reads them there.
 */
import * as Effect from "effect/Effect"

/** All variables that `@azure/identity` reads. */
const known = [
  "AZURE_TENANT_ID",
  "AZURE_CLIENT_ID",
  "AZURE_CLIENT_SECRET",
  "AZURE_CLIENT_CERTIFICATE_PATH",
  "AZURE_FEDERATED_TOKEN_FILE",
  "AZURE_AUTHORITY_HOST",
  "AZURE_TOKEN_CREDENTIALS",
  "IDENTITY_ENDPOINT",
  "IDENTITY_HEADER",
  "IDENTITY_SERVER_THUMBPRINT",
  "IMDS_ENDPOINT",
  "MSI_ENDPOINT",
  "MSI_SECRET",
  "PATH"
] as const

/** Sets variables, and removes the other known ones, until the scope closes. */
export const environment = (variables: { readonly [name in (typeof known)[number]]?: string }) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const before = known.map((name) => [name, process.env[name]] as const)
      for (const name of known) if (name !== "PATH") delete process.env[name]
      Object.assign(process.env, variables)
      return before
    }),
    (before) =>
      Effect.sync(() => {
        for (const [name, value] of before) {
          if (value === undefined) delete process.env[name]
          else process.env[name] = value
        }
      })
  )
