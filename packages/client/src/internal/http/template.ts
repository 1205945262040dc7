/**
 * The templates of the paths that registries share. There are few, so spans can be named after them.
 *
 * A path is recognized only by its form. A path that a registry chose, for an upload or for tokens, has no template,
 * because each request may have a different one.
 */

/** OCI distribution specification, "Endpoints", and Azure Container Registry's own. */
const templates: ReadonlyArray<readonly [RegExp, string]> = [
  [/^\/v2\/.+\/manifests\/[^/]+$/, "/v2/{name}/manifests/{reference}"],
  [/^\/v2\/.+\/blobs\/uploads\/$/, "/v2/{name}/blobs/uploads/"],
  [/^\/v2\/.+\/blobs\/uploads\/[^/]+$/, "/v2/{name}/blobs/uploads/{reference}"],
  [/^\/v2\/.+\/blobs\/[^/]+$/, "/v2/{name}/blobs/{digest}"],
  [/^\/v2\/.+\/tags\/list$/, "/v2/{name}/tags/list"],
  [/^\/v2\/.+\/referrers\/[^/]+$/, "/v2/{name}/referrers/{digest}"],
  [/^\/v2\/$/, "/v2/"],
  [/^\/acr\/v1\/_catalog$/, "/acr/v1/_catalog"],
  [/^\/acr\/v1\/_deleted\/_catalog$/, "/acr/v1/_deleted/_catalog"],
  [/^\/acr\/v1\/_deleted\/[^/]+\/_tags$/, "/acr/v1/_deleted/{name}/_tags"],
  [/^\/acr\/v1\/_deleted\/[^/]+\/_manifests$/, "/acr/v1/_deleted/{name}/_manifests"],
  [/^\/acr\/v1\/_deleted\/[^/]+\/_manifests\/[^/]+$/, "/acr/v1/_deleted/{name}/_manifests/{digest}"],
  [/^\/acr\/v1\/[^/]+$/, "/acr/v1/{name}"],
  [/^\/acr\/v1\/[^/]+\/_tags$/, "/acr/v1/{name}/_tags"],
  [/^\/acr\/v1\/[^/]+\/_tags\/[^/]+$/, "/acr/v1/{name}/_tags/{reference}"],
  [/^\/acr\/v1\/[^/]+\/_manifests$/, "/acr/v1/{name}/_manifests"],
  [/^\/acr\/v1\/[^/]+\/_manifests\/[^/]+$/, "/acr/v1/{name}/_manifests/{digest}"],
  [/^\/oauth2\/token$/, "/oauth2/token"],
  [/^\/oauth2\/exchange$/, "/oauth2/exchange"]
]

/** The template of a path without its query. */
export const templateOf = (path: string): string | undefined => templates.find(([form]) => form.test(path))?.[1]
