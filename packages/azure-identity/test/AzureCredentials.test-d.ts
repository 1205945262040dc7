/**
 * The options and the errors of the layers of identities.
 */
import * as Credentials from "@effect-acr/client/Credentials"
import type { AzureCliCredential } from "@azure/identity"
import type { ConfigError } from "effect/Config"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { expectTypeOf } from "vitest"
import * as AzureCloud from "../src/AzureCloud.ts"
import * as AzureCredentials from "../src/AzureCredentials.ts"

type Identity = Layer.Layer<Credentials.Credentials, ConfigError>

declare const credential: AzureCliCredential

const application = { tenantId: "tenant", clientId: "client", cloud: AzureCloud.china }
const secret = Redacted.make("secret")

expectTypeOf(AzureCredentials.layerDefault).toEqualTypeOf<Identity>()
expectTypeOf(AzureCredentials.layerDefaultOptions({ tenantId: "tenant" })).toEqualTypeOf<Identity>()
expectTypeOf(AzureCredentials.layerAzureCli).toEqualTypeOf<Identity>()
expectTypeOf(AzureCredentials.layerManagedIdentity).toEqualTypeOf<Identity>()
expectTypeOf(AzureCredentials.layerWorkloadIdentity).toEqualTypeOf<Identity>()
expectTypeOf(AzureCredentials.layerClientSecret({ ...application, clientSecret: secret })).toEqualTypeOf<Identity>()
expectTypeOf(
  AzureCredentials.layerClientCertificate({ ...application, certificate: { pem: secret } })
).toEqualTypeOf<Identity>()
expectTypeOf(AzureCredentials.layerTokenCredential(credential)).toEqualTypeOf<Identity>()

// A credential that cannot be set up is passed over.
expectTypeOf(Credentials.layerConfig().pipe(Credentials.orElse(AzureCredentials.layerDefault))).toEqualTypeOf<
  Layer.Layer<Credentials.Credentials>
>()

export const accepted = [
  AzureCredentials.layerManagedIdentityOptions({ identity: { clientId: "client" } }),
  AzureCredentials.layerManagedIdentityOptions({ identity: { resourceId: "/subscriptions/…" } }),
  AzureCredentials.layerManagedIdentityOptions({ identity: { objectId: "object" } }),
  AzureCredentials.layerClientCertificate({ ...application, certificate: { path: "certificate.pem" } })
]

export const refused = [
  // @ts-expect-error an identity has one name
  AzureCredentials.layerManagedIdentityOptions({ identity: { clientId: "client", resourceId: "/subscriptions/…" } }),
  // @ts-expect-error an identity has one name
  AzureCredentials.layerManagedIdentityOptions({ identity: { objectId: "object", resourceId: "/subscriptions/…" } }),
  // @ts-expect-error a certificate is in one place
  AzureCredentials.layerClientCertificate({ ...application, certificate: { path: "certificate.pem", pem: secret } }),
  // @ts-expect-error a text with a private key is redacted
  AzureCredentials.layerClientCertificate({ ...application, certificate: { pem: "-----BEGIN" } }),
  // @ts-expect-error a secret is redacted
  AzureCredentials.layerClientSecret({ ...application, clientSecret: "secret" })
]
