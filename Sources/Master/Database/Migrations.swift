/// The scripts that make the schema, oldest first. One that was released never changes; a change of
/// the schema is one more script. `user_version` of a file counts those that it has.
///
/// Checks call no function of JSON, for a schema that is not trusted may not; what is written is
/// JSON already. Times are milliseconds since 1970. Jobs refer to each other and are referred to by
/// `number`, which counts them in the order of acceptance; `id` is the name that people see.
enum Migrations {
    /// All scripts.
    static let scripts = [
        [SchemaJobs.tables, SchemaJobs.indices, SchemaJobs.guards, SchemaRest.tables]
            .joined(separator: "\n"),
        SchemaRetention.script,
        "ALTER TABLE jobs ADD COLUMN traceparent TEXT",
    ]
}
