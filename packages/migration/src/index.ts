/**
 * Moves registries, image layouts and archives by rules, in runs that continue after a kill.
 *
 * @since 0.1.0
 */

/** Plans, runs and continues migrations, and reports on them. */
export * as Migration from "./Migration.ts"

/** The error of a migration that does not begin, or stops. */
export * as MigrationError from "./MigrationError.ts"

/** What a migration would do. */
export * as MigrationPlan from "./MigrationPlan.ts"

/** The progress and throughput of a run. */
export * as MigrationProgress from "./MigrationProgress.ts"

/** The outcome of each artifact, and totals. */
export * as MigrationReport from "./MigrationReport.ts"

/** Rules as data: what moves from where to where, within which limits. */
export * as MigrationRules from "./MigrationRules.ts"

/** A `SqlClient` on the SQLite that is part of Node. */
export * as SqliteClient from "./SqliteClient.ts"

/** A web page with the progress of a run. */
export * as StatusPage from "./StatusPage.ts"
