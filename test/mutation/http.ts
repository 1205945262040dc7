/**
 * Faults in requests and their answers.
 */
import type { Fault } from "./fault.ts"

const folder = "packages/client/src/internal/http"

export const http: ReadonlyArray<Fault> = [
  {
    wrong: "what a registry hides from anonymous callers is missing to a caller with a login",
    file: `${folder}/exchange.ts`,
    find: " && mayHide !== true) return",
    replace: ") return"
  },
  {
    wrong: "a failed attempt keeps its connection until the operation ends",
    file: `${folder}/exchange.ts`,
    find: "        : Scope.close(own, exit)\n",
    replace: "        : Scope.addFinalizerExit(outer, (outcome) => Scope.close(own, outcome))\n"
  },
  {
    wrong: "a registry that never answers is waited for forever",
    file: `${folder}/exchange.ts`,
    find: "operation.stalled ?? timeout,",
    replace: "operation.stalled ?? Effect.never,"
  },
  {
    wrong: "fetch follows redirects by itself, with the credentials",
    file: `${folder}/exchange.ts`,
    find: '{ redirect: "manual" }',
    replace: '{ redirect: "follow" }'
  },
  {
    wrong: "a registry leads the client into a private network",
    file: `${folder}/exchange.ts`,
    find: "          if (Result.isFailure(checked)) return Effect.fail(refusal(checked.failure))\n",
    replace: ""
  },
  {
    wrong: "a warning shows the token of an answer that cannot be decoded",
    file: `${folder}/exchange.ts`,
    find: "Effect.tapError(() => (hidesTokens ? Effect.void : tell(undefined)))",
    replace: "Effect.tapError(() => tell(hidesTokens))"
  },
  {
    wrong: "warnings of storage are reported as those of the registry",
    file: "packages/client/src/Transport.ts",
    find: "(from === origin ? warnings.report(header, quote) : Effect.void)",
    replace: "warnings.report(header, quote)"
  },
  {
    wrong: "an operation waits as long as the registry asks, beyond the limit of the policy",
    file: `${folder}/retry.ts`,
    find: 'if (repeat === "never" || askedWait(failure.error) > maxRetryAfterMillis) return false',
    replace: 'if (repeat === "never") return false'
  },
  {
    wrong: "an operation that must not run twice is sent again after its response was lost",
    file: `${folder}/retry.ts`,
    find: '      return repeat === "always"\n',
    replace: "      return true\n"
  },
  {
    wrong: "to delete what was never there succeeds",
    file: `${folder}/retry.ts`,
    find: 'mayBeDone && error.reason._tag === "NotFound"',
    replace: 'error.reason._tag === "NotFound"'
  },
  {
    wrong: "Retry-After is not honoured",
    file: `${folder}/retry.ts`,
    find: "Effect.succeed(Duration.max(duration, Duration.millis(askedWait(input))))",
    replace: "Effect.succeed(duration)"
  },
  {
    wrong: "the seconds of Retry-After are taken for milliseconds",
    file: `${folder}/retryAfter.ts`,
    find: "(seconds) => seconds * 1000)",
    replace: "(seconds) => seconds)"
  },
  {
    wrong: "a page of another server that says 404 is taken for a missing image",
    file: `${folder}/failure.ts`,
    find: 'findResource(errors) ?? (answer.isForeign ? "endpoint" : answer.missing)',
    replace: "findResource(errors) ?? answer.missing"
  },
  {
    wrong: "a fault of the registry is not retried",
    file: `${folder}/failure.ts`,
    find: 'if (status >= 500) return { reason: new RegistryError.Unavailable({ description, ...wait }), repeat: "uncertain" }',
    replace: "if (status >= 500) return final(new RegistryError.Unavailable({ description, ...wait }))"
  },
  {
    wrong: "a lock of the registry is reported as a missing permission or a bad request",
    file: `${folder}/failure.ts`,
    find: '      if (putsTag || (isWrite && hasCode(errors, "PRECONDITION"))) return "immutability"\n',
    replace: ""
  },
  {
    wrong: "a connection to a refused address is retried",
    file: `${folder}/connection.ts`,
    find: 'reason: new Refused({ description: message }), repeat: "never" }',
    replace: 'reason: new Refused({ description: message }), repeat: "unprocessed" }'
  },
  {
    wrong: "a request whose connection was reset counts as never sent, and runs twice",
    file: `${folder}/connection.ts`,
    find: "/^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|UND_ERR_CONNECT_TIMEOUT)$/",
    replace: "/^(?:ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|UND_ERR_CONNECT_TIMEOUT)$/"
  },
  {
    wrong: "a redirect keeps its permit while the blob behind it waits for one",
    file: `${folder}/permits.ts`,
    find: "        if (isOver()) yield* Scope.close(own, Exit.void)\n",
    replace: ""
  },
  {
    wrong: "an upload whose source is a download waits for its own permit",
    file: `${folder}/permits.ts`,
    find: "        if (yield* IsUnderPermit) return yield* request\n",
    replace: ""
  },
  {
    wrong: "reads and writes count against one limit",
    file: `${folder}/limiter.ts`,
    find: "key: `@effect-acr/client/${registry.host}/${bucket}`",
    replace: "key: `@effect-acr/client/${registry.host}`"
  },
  {
    wrong: "a list whose links go in a circle never ends",
    file: `${folder}/pages.ts`,
    find: '    if (seen.has(page)) return "the pages of the list repeat"\n',
    replace: ""
  },
  {
    wrong: "a list of more than a thousand pages fails",
    file: `${folder}/pages.ts`,
    find: "pagesWithoutNews = items === undefined || hasNews(items) ? 0 : pagesWithoutNews + 1",
    replace: "pagesWithoutNews += 1"
  },
  {
    wrong: "a link to the previous page is followed as if it led to the next",
    file: `${folder}/link.ts`,
    find: 'if (relation?.toLowerCase().split(/\\s+/).includes("next") === true)',
    replace: "if (relation !== undefined)"
  },
  {
    wrong: "the signature of an address is written anew, and is no longer valid",
    file: `${folder}/origin.ts`,
    find: "return verbatim ? written : url.pathname + url.search",
    replace: "return `${url.pathname}?${url.searchParams}`"
  },
  {
    wrong: "credentials are sent in the clear",
    file: `${folder}/origin.ts`,
    find: '(url.protocol === "http:" && isThisMachine(url.hostname))',
    replace: 'url.protocol === "http:"'
  },
  {
    wrong: "storage leads the client back to the registry by another of its names",
    file: `${folder}/origin.ts`,
    find: 'origin === registry || (author === "stranger" && origin !== from.origin && mayBe(new URL(registry), url))',
    replace: "origin === registry"
  },
  {
    wrong: "storage borrows the client's authority over the registry for uploads",
    file: `${folder}/authority.ts`,
    find: 'stranger: { registry: "refused", trusted: "none", elsewhere: "none" }',
    replace: 'stranger: { registry: "access", trusted: "none", elsewhere: "none" }'
  },
  {
    wrong: "a session whose path leads out of the uploads is deleted",
    file: `${folder}/authority.ts`,
    find: "return path.startsWith(uploads) && /^(?!\\.{1,2}(?:\\?|$))[\\w.~=:@-]+(?:\\?|$)/.test(path.slice(uploads.length))",
    replace: "return path.startsWith(uploads)"
  },
  {
    wrong: "a registry leads the client to the metadata service of its cloud",
    file: `${folder}/address.ts`,
    find: '    ["169.254.0.0/16", "link-local"],\n',
    replace: ""
  },
  {
    wrong: "an IPv4 address inside an IPv6 address is not seen",
    file: `${folder}/address.ts`,
    find: '  { ...range("::ffff:0:0/96"), at: lastFour },\n',
    replace: ""
  },
  {
    wrong: "a secret that is quoted in base64 behind other bytes is shown",
    file: `${folder}/needles.ts`,
    find: "const base64: ReadonlyArray<Encoding> = [0, 1, 2].map(",
    replace: "const base64: ReadonlyArray<Encoding> = [0].map("
  },
  {
    wrong: "the signature of a link is shown in errors",
    file: `${folder}/secrets.ts`,
    find: "(?:sig|signature|",
    replace: "(?:signature|"
  },
  {
    wrong: "a secret that others replaced in the index is shown",
    file: `${folder}/scrubbing.ts`,
    find: "if (secrets === latest) return",
    replace: "if (latest !== undefined) return"
  },
  {
    wrong: "a text that takes too long to search is shown unsearched",
    file: `${folder}/scrubbing.ts`,
    find: "if (spans === undefined) return replacement",
    replace: "if (spans === undefined) return text"
  },
  {
    wrong: "a secret that is cut in half is shown",
    file: `${folder}/quote.ts`,
    find: "const clean = scrub(text)\n    return",
    replace: "const clean = scrub(text.slice(0, longest + 1))\n    return"
  },
  {
    wrong: "a secret in a key of JSON is shown",
    file: `${folder}/quote.ts`,
    find: "[quoteText(key), at(item, levels - 1)]",
    replace: "[key, at(item, levels - 1)]"
  },
  {
    wrong: "a warning shows a secret",
    file: `${folder}/warning.ts`,
    find: "const text = quote.text(warning)",
    replace: "const text = warning"
  },
  {
    wrong: "a registry fills the memory with ever other warnings",
    file: `${folder}/warning.ts`,
    find: "if (known.has(text) || known.size >= mostWarnings) return Effect.void",
    replace: "if (known.has(text)) return Effect.void"
  },
  {
    wrong: "an answer without end fills the memory",
    file: `${folder}/body.ts`,
    find: "return size > limit ? Effect.succeed(ended(true)) : next",
    replace: "return size < 0 ? Effect.succeed(ended(true)) : next"
  }
]
