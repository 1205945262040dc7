/**
 * Requests without a client in between: what is sent is what stands here.
 */
import * as NodeRegistryHttpClient from "@effect-acr/node/NodeRegistryHttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as AcrEmulator from "../../src/AcrEmulator.ts"

/** What came back, read to its end. */
export interface Reply {
  readonly status: number
  readonly headers: { readonly [name: string]: string | undefined }
  readonly text: string
}

export interface Asked {
  readonly headers?: { readonly [name: string]: string }
  readonly body?: string | Uint8Array | HttpBody.HttpBody
}

type Method = Parameters<typeof HttpClientRequest.make>[0]

const bodyOf = (body: Asked["body"]): HttpBody.HttpBody =>
  body === undefined
    ? HttpBody.empty
    : typeof body === "string"
      ? HttpBody.text(body, "application/octet-stream")
      : body instanceof Uint8Array
        ? HttpBody.uint8Array(body)
        : body

/** Sends a request, as it is, to a path here or to a whole address. */
export const ask = Effect.fnUntraced(function* (method: Method, address: string, { body, headers = {} }: Asked = {}) {
  const { endpoint } = yield* AcrEmulator.AcrEmulator
  const client = yield* HttpClient.HttpClient
  const url = address.startsWith("/") ? endpoint + address : address
  const response = yield* client.execute(HttpClientRequest.make(method)(url, { body: bodyOf(body), headers }))
  return {
    status: response.status,
    headers: response.headers,
    text: method === "HEAD" ? "" : yield* response.text
  } satisfies Reply
})

/** Sends a request with the admin user's login. */
export const askAsAdmin = Effect.fnUntraced(function* (method: Method, address: string, asked: Asked = {}) {
  const { logins } = yield* AcrEmulator.AcrEmulator
  return yield* ask(method, address, { ...asked, headers: { ...basicOf(logins.adminUser), ...asked.headers } })
})

export const basicOf = (login: AcrEmulator.Login): { readonly authorization: string } => ({
  authorization: `Basic ${btoa(`${login.username}:${Redacted.value(login.password)}`)}`
})

export const form = (fields: { readonly [name: string]: string }): HttpBody.HttpBody =>
  HttpBody.urlParams(Object.entries(fields))

const ErrorBody = Schema.fromJsonString(
  Schema.Struct({ errors: Schema.Array(Schema.Struct({ code: Schema.String, message: Schema.String })) })
)

/** The code of a refusal, in the form that the protocol demands. */
export const codeOf = (reply: Reply): Effect.Effect<string | undefined, Schema.SchemaError> =>
  Effect.map(Schema.decodeEffect(ErrorBody)(reply.text), ({ errors }) => errors[0]?.code)

export const emulator = (options?: AcrEmulator.Options) =>
  Layer.merge(AcrEmulator.layer(options), NodeRegistryHttpClient.layer)
