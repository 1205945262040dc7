/**
 * Registries and trees of image layouts to others, by rules, in runs that survive a kill.
 *
 * @since 0.1.0
 */

/** Runs by rules, and what became of them. */
export * as Migration from "./Migration.ts"

/** Why a migration does not begin or stops. */
export * as MigrationError from "./MigrationError.ts"

/** What a migration would do. */
export * as MigrationPlan from "./MigrationPlan.ts"

/** How far a run is and how fast. */
export * as MigrationProgress from "./MigrationProgress.ts"

/** What became of a migration. */
export * as MigrationReport from "./MigrationReport.ts"

/** Rules that say what moves where. */
export * as MigrationRules from "./MigrationRules.ts"

/** A SQL client on the SQLite of Node. */
export * as SqliteClient from "./SqliteClient.ts"

/** A page that shows how far a run is. */
export * as StatusPage from "./StatusPage.ts"
