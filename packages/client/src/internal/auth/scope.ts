/**
 * Scopes: what a token is good for.
 *
 * Distribution's token specification, "Resource scope": `type:name:action,action`. One right has many spellings
 * (`pull,push` and `push,pull`, one scope or two), so they are brought to one before they name a token.
 */

/**
 * One scope, as in `repository:library/hello-world:metadata_read`.
 */
export type Scope = string

/** The scope in which repositories are listed. */
export const catalog: Scope = "registry:catalog:*"

/** A scope of one repository. */
export const repository = (name: string, ...actions: ReadonlyArray<string>): Scope =>
  `repository:${name}:${actions.join(",")}`

/**
 * The same rights in their only spelling: one scope a resource, actions and resources sorted, nothing twice.
 */
export const normalise = (scopes: ReadonlyArray<Scope>): ReadonlyArray<Scope> => {
  const actions = new Map<string, Set<string>>()
  for (const scope of scopes) {
    const colon = scope.lastIndexOf(":")
    // What is not of this form is passed on as it is.
    const resource = colon === -1 ? scope : scope.slice(0, colon)
    const known = actions.get(resource) ?? new Set()
    if (colon !== -1) for (const action of scope.slice(colon + 1).split(",")) if (action !== "") known.add(action)
    actions.set(resource, known)
  }
  return Array.from(actions, ([resource, known]) =>
    known.size === 0 ? resource : `${resource}:${Array.from(known).toSorted().join(",")}`
  ).toSorted()
}

/** The scopes that a challenge asks for: any number, separated by spaces. */
export const fromChallenge = (scope: string): ReadonlyArray<Scope> => scope.split(/\s+/).filter((part) => part !== "")

/** Whether scopes in their only spelling hold all rights of others. */
export const covers = (held: ReadonlyArray<Scope>, wanted: ReadonlyArray<Scope>): boolean =>
  wanted.every((scope) => {
    const { actions, resource } = parse(scope)
    return held
      .map(parse)
      .some((own) => own.resource === resource && actions.every((action) => own.actions.includes(action)))
  })

const parse = (scope: Scope): { readonly resource: string; readonly actions: ReadonlyArray<string> } => {
  const colon = scope.lastIndexOf(":")
  return { resource: scope.slice(0, colon), actions: scope.slice(colon + 1).split(",") }
}
