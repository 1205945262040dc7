/**
 * Scenarios in a network namespace, and their results, as the test and its program exchange them.
 */
import * as Schema from "effect/Schema"

const Machine = Schema.Struct({
  /** Where it redirects requests of the distribution API; it answers others with a few bytes. */
  leadsTo: Schema.optionalKey(Schema.String),
  /** How many requests it answers. It keeps connections then, and otherwise closes each after one answer. */
  answers: Schema.optionalKey(Schema.Finite)
})

/** What one address does. */
export type Machine = typeof Machine.Type

const Scenario = Schema.Struct({
  endpoint: Schema.String,
  options: Schema.Struct({
    allowedHosts: Schema.optionalKey(Schema.Array(Schema.String)),
    trustedRealms: Schema.optionalKey(Schema.Array(Schema.String))
  }),
  /** See `Names`. */
  names: Schema.Record(Schema.String, Schema.Array(Schema.Array(Schema.String))),
  machines: Schema.Record(Schema.String, Machine),
  /** How many downloads run at once, one entry after the other. */
  downloads: Schema.Array(Schema.Finite)
})

/** A client with its registry, and what DNS and the machines do meanwhile. */
export type Scenario = typeof Scenario.Type

const Happened = Schema.Struct({
  /** The reason with which each download failed. */
  outcomes: Schema.Array(Schema.String),
  /** Each connection to a machine. */
  dialled: Schema.Array(Schema.String)
})

/** The result of a scenario. */
export type Happened = typeof Happened.Type

const scenarios = Schema.fromJsonString(Schema.Array(Scenario))
const happened = Schema.fromJsonString(Schema.Array(Happened))

export const writeScenarios = Schema.encodeEffect(scenarios)
export const readScenarios = Schema.decodeEffect(scenarios)
export const writeHappened = Schema.encodeEffect(happened)
export const readHappened = Schema.decodeEffect(happened)
