/**
 * Faults in the packages beside the client.
 */
import type { Fault } from "./fault.ts"

const ofNode = "packages/node/src"
const ofAzure = "packages/azure-identity/src"
const ofEmulator = "packages/emulator/src"

const node: ReadonlyArray<Fault> = [
  {
    wrong: "an answer that the program does not read fills the memory: there is no back pressure",
    file: `${ofNode}/internal/undiciResponse.ts`,
    find: "      this.controller.pause()\n",
    replace: ""
  },
  {
    wrong: "a blob that comes late after a HEAD is taken for the next answer",
    file: `${ofNode}/internal/undiciClient.ts`,
    find: "(status: number): boolean => status < 400",
    replace: "(status: number): boolean => status < 100"
  },
  {
    wrong: "each HEAD costs a connection",
    file: `${ofNode}/internal/undiciClient.ts`,
    find: '...(request.method === "HEAD" ? { reset: false } : {}),',
    replace: ""
  },
  {
    wrong: "an upload that is answered with its last byte costs its connection",
    file: `${ofNode}/internal/undiciBody.ts`,
    find: "this.behind = this.leftBytes > 0 ? undefined : await this.iterator.next()",
    replace: "this.behind = undefined"
  },
  {
    wrong: "a request that was given up keeps its connection",
    file: `${ofNode}/internal/undiciClient.ts`,
    find: '      if (!isOver) controller?.abort(new Error("the request was given up"))\n',
    replace: ""
  },
  {
    wrong: "a request that was given up before it had a connection is sent all the same",
    file: `${ofNode}/internal/undiciClient.ts`,
    find: "            if (isGivenUp) giveUp()\n",
    replace: ""
  },
  {
    wrong: "the source of a failed request stays open",
    file: `${ofNode}/internal/undiciClient.ts`,
    find: "      isOver = true\n      closeBody()\n",
    replace: "      isOver = true\n"
  },
  {
    wrong: "a preliminary answer is taken for the answer",
    file: `${ofNode}/internal/undiciClient.ts`,
    find: "            if (status < 200) return\n",
    replace: ""
  },
  {
    wrong: "the address of a connection is not judged, and DNS leads into a private network",
    file: `${ofNode}/internal/dial.ts`,
    find: "      if (!gate.allows(reach)) {\n        socket.destroy()\n        return callback(refusal(target.hostname, [reach], gate), null)\n      }\n",
    replace: ""
  },
  {
    wrong: "an address that must not be reached is dialled",
    file: `${ofNode}/internal/dial.ts`,
    find: "addresses.filter(({ address }) => gate.allows(reachOf(address)))",
    replace: "addresses"
  },
  {
    wrong: "connections to an address that a registry has left are used on",
    file: `${ofNode}/internal/places.ts`,
    find: "open.origin === origin && open.reach !== now",
    replace: "open.origin === origin && open.reach !== now && open.reach === reach"
  },
  {
    wrong: "connections stay open when the HTTP client is closed",
    file: `${ofNode}/internal/guardedAgents.ts`,
    find: "Effect.promise(() => Promise.all([agent.destroy(), ...Array.from(opening, (client) => client.destroy())]))",
    replace: "Effect.void"
  },
  {
    wrong: "a sha512 digest is made of a sha256 hash",
    file: `${ofNode}/NodeHasher.ts`,
    find: "createHash(algorithm)",
    replace: 'createHash(algorithm === "sha512" ? "sha256" : algorithm)'
  },
  {
    wrong: "what another program writes to docker's file right before it is replaced is lost",
    file: `${ofNode}/internal/authFile.ts`,
    find: "if (Option.getOrUndefined(now) !== Option.getOrUndefined(text)) return false",
    replace: 'if (Option.getOrUndefined(now) === "") return false'
  },
  {
    wrong: "a member of docker's file that is there twice is dropped",
    file: `${ofNode}/internal/jsonText.ts`,
    find: "const members = object.members.filter(({ key }) => !isChosen(key))",
    replace: "const members = object.members.filter(({ key }) => !isChosen(key)).slice(-1)"
  },
  {
    wrong: "podman's login counts before docker's",
    file: `${ofNode}/DockerConfig.ts`,
    find: "[dockerFile, ...podman,",
    replace: "[...podman, dockerFile,"
  },
  {
    wrong: "a password with a colon loses its beginning",
    file: `${ofNode}/internal/authFile.ts`,
    find: 'const colon = decoded.indexOf(":")',
    replace: 'const colon = decoded.lastIndexOf(":")'
  },
  {
    wrong: "the credential helper of all registries counts before that of one",
    file: `${ofNode}/internal/authFile.ts`,
    find: "[...RegistryKey.entriesFor(file.credHelpers, loginServer, undefined), file.credsStore].find(nonEmpty)",
    replace: "[file.credsStore, ...RegistryKey.entriesFor(file.credHelpers, loginServer, undefined)].find(nonEmpty)"
  },
  {
    wrong: "a configuration runs any program as a credential helper",
    file: `${ofNode}/internal/credentialHelper.ts`,
    find: "/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)",
    replace: 'name !== ""'
  },
  {
    wrong: "a credential helper that never answers is waited for far too long",
    file: `${ofNode}/internal/credentialHelper.ts`,
    find: "      duration: helper.timeout,\n",
    replace: '      duration: "1 day",\n'
  },
  {
    wrong: "a credential helper that prints without end fills the memory",
    file: `${ofNode}/internal/credentialHelper.ts`,
    find: "        return size > maxOutputBytes\n",
    replace: "        return false\n"
  },
  {
    wrong: "a credential helper that failed counts as one that has nothing",
    file: `${ofNode}/internal/credentialHelper.ts`,
    find: "return nothingThere.test(output)\n",
    replace: 'return output !== ""\n'
  }
]

const azure: ReadonlyArray<Fault> = [
  {
    wrong: "a registry of another cloud is shown a token",
    file: `${ofAzure}/AzureCredentials.ts`,
    find: "if (AzureCloud.holds(cloud, loginServer)) return Effect.void",
    replace: "if (loginServer !== '') return Effect.void"
  },
  {
    wrong: "what the registry demands of a token does not reach Entra ID",
    file: `${ofAzure}/AzureCredentials.ts`,
    find: "                      ...(claims === undefined ? {} : { claims }),\n",
    replace: ""
  },
  {
    wrong: "a request for a token goes on after it was interrupted",
    file: `${ofAzure}/internal/abortable.ts`,
    find: "        if (signal !== undefined) request.abortSignal = signal\n",
    replace: ""
  },
  {
    wrong: "an error shows the secret of a client",
    file: `${ofAzure}/internal/failure.ts`,
    find: "strikeOut(withoutQuotes(message), secrets)",
    replace: "withoutQuotes(message)"
  }
]

const emulator: ReadonlyArray<Fault> = [
  {
    wrong: "a link to storage never expires",
    file: `${ofEmulator}/internal/storage.ts`,
    find: "!== sign(path, expires) || !(Date.parse(expires) > nowMillis)",
    replace: "!== sign(path, expires)"
  },
  {
    wrong: "storage takes requests that carry a credential",
    file: `${ofEmulator}/internal/storage.ts`,
    find: '      if (headers["authorization"] !== undefined) return refused(400, "InvalidAuthenticationInfo")\n',
    replace: ""
  },
  {
    wrong: "a repository shows the blobs of others",
    file: `${ofEmulator}/internal/store.ts`,
    find: "repository?.blobs.has(digest) === true ?",
    replace: "repository !== undefined ?"
  },
  {
    wrong: "an upload goes on at a location that was replaced",
    file: `${ofEmulator}/internal/uploads.ts`,
    find: 'if (request.query.get("_state") !== session.state) return uploadInvalid',
    replace: 'if (request.query.get("_state") === null) return uploadInvalid'
  },
  {
    wrong: "what a locked repository holds can be deleted",
    file: `${ofEmulator}/internal/store.ts`,
    find: "!attributes.deleteEnabled || !attributes.writeEnabled",
    replace: "!attributes.deleteEnabled"
  },
  {
    wrong: "a registry that had nothing to do for an hour answers an hour's requests at once",
    file: `${ofEmulator}/internal/throttle.ts`,
    find: "Math.min(limit, bucket.tokens + elapsedMillis * perMilli)",
    replace: "(bucket.tokens + elapsedMillis * perMilli)"
  },
  {
    wrong: "bytes of a chunk that was too large stay in the blob",
    file: `${ofEmulator}/internal/contents.ts`,
    find: "    await handle.truncate(incoming.size)\n",
    replace: ""
  },
  {
    wrong: "the last page of a list links to one that is empty",
    file: `${ofEmulator}/internal/page.ts`,
    find: "items.length - from <= n",
    replace: "items.length - from < n"
  },
  {
    wrong: "a token to pull may push",
    file: `${ofEmulator}/internal/access.ts`,
    find: '(granted.action === right.action || granted.action === "*")',
    replace: '(granted.action === right.action || granted.action !== "")'
  },
  {
    wrong: "an access token never expires",
    file: `${ofEmulator}/internal/tokens.ts`,
    find: "issued !== undefined && issued.expiresMillis > nowMillis",
    replace: "issued !== undefined"
  }
]

export const packages = [...node, ...azure, ...emulator]
