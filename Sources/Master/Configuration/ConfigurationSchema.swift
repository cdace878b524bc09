extension ConfigurationKey {
    /// The schema: every key that there is, in the order of the documents.
    static let all: [ConfigurationKey] = [
        .init(
            "data", .path, \.data, .start,
            default: "`${XDG_STATE_HOME:-~/.local/state}/danube/master`",
            "The folder of the database, logs, artifacts and keys."),
        .init(
            "http.listen", .address, \.http.listen, .start,
            "The host and port that the server listens on; port 0 takes a free one."),
        .init(
            "http.max_body", .size(1 << 10...1 << 40), \.http.maxBody, .reloads,
            "The largest body of a request."),
        .init(
            "http.max_connections", .integer(1...1_000_000), \.http.maxConnections, .start,
            "How many connections are open at once."),
        .init(
            "http.idle_timeout", .duration("1s", "1d"), \.http.idleTimeout, .start,
            "How long a connection may be without a whole head of a request, or "
                + "a body come with less than 1 KiB a second."),
        .init(
            "http.stall_timeout", .duration("1s", "30d"), \.http.stallTimeout, .start,
            "How long a client may take nothing of an answer before its connection is closed."),
        .init(
            "log.format", .choice, \.log.format, .reloads,
            "How the master's own log is written: for people, or one JSON object a line."),
        .init(
            "log.level", .choice, \.log.level, .reloads,
            "The least level that the master's own log has."),
        .init(
            "jobs.limit", .integer(1...4096), \.jobs.limit, .reloads,
            default: "the number of cores",
            "How many steps of a job run at once; a job keeps what it began with."),
        .init(
            "jobs.active", .integer(1...10_000), \.jobs.active, .reloads,
            "How many jobs run at once."),
        .init(
            "jobs.per_team", .integer(0...10_000), \.jobs.perTeam, .reloads,
            "How many jobs of one team, or one repository without a team, run at once; 0 for"
                + " as many as `jobs.limit` and two more: the next are ready then."),
        .init(
            "jobs.queue", .integer(1...10_000_000), \.jobs.queue, .reloads,
            "How many jobs wait at most; more are refused."),
        .init(
            "jobs.max_duration", .duration("1s", "365d"), \.jobs.maxDuration, .reloads,
            "How long a job may take whose pipeline says nothing shorter."),
        .init(
            "jobs.per_pipeline", .integer(1...10_000), \.jobs.perPipeline, .reloads,
            "How many jobs of one pipeline run at once."),
        .init(
            "cache.folder", .path, \.cache.folder, .start, default: "`cache` in the folder `data`",
            "The folder of the cache of results."),
        .init(
            "cache.size", .size(0...1 << 50), \.cache.size, .reloads,
            "The size that the cache is kept below; 0 for no limit."),
        .init(
            "cache.shared_size", .size(0...1 << 50), \.cache.sharedSize, .reloads,
            "The size that the cache for Bazel and others is kept below; 0 for no limit."),
        .init(
            "cache.remote", .endpoint, \.cache.remote, .reloads,
            "A cache elsewhere that jobs take results from and send theirs to: the address of a "
                + "master, or of any server of Bazel's HTTP scheme."),
        .init(
            "cache.remote_token", .optionalPath, \.cache.remoteToken, .reloads,
            "A file that only its owner may read, with the token, or `name:password`, for the "
                + "cache elsewhere. Steps cannot read it in the folder `data`."),
        .init(
            "repositories.allow", .repositories, \.repositories.allow, .reloads,
            default: "`[]`: local repositories of the user who runs the master",
            "What may be built: repositories that are one of these or beneath one."),
        .init(
            "repositories.private", .boolean, \.repositories.isPrivateAllowed, .start,
            "Whether the hosts of repositories may have addresses of private networks, of links or "
                + "of this machine."),
        .init(
            "retention.logs", .duration("1m", "3650d"), \.retention.logs, .reloads,
            "How long the logs of a finished job are kept."),
        .init(
            "retention.artifacts", .duration("1m", "3650d"), \.retention.artifacts, .reloads,
            "How long the artifacts of a finished job are kept."),
        .init(
            "retention.jobs", .duration("1m", "3650d"), \.retention.jobs, .reloads,
            "How long the record of a finished job is kept."),
        .init(
            "retention.logs_size", .size(0...1 << 50), \.retention.logsSize, .reloads,
            "The size that all logs are kept below, the oldest go first; 0 for no limit."),
        .init(
            "retention.artifacts_size", .size(0...1 << 50), \.retention.artifactsSize, .reloads,
            "The size that all artifacts are kept below, the oldest go first; 0 for no limit."),
        .init(
            "retention.cache", .duration("1h", "3650d"), \.retention.cache, .reloads,
            "How long what nobody asks for stays in the cache for Bazel and others."),
        .init(
            "retention.mirrors", .duration("1d", "3650d"), \.retention.mirrors, .reloads,
            "How long the mirror of a repository is kept that nobody builds."),
        .init(
            "retention.at", .timeOfDay, \.retention.at, .reloads,
            "When what is too old is removed each day, in the machine's time zone."),
        .init(
            "disk.reserve", .size(0...1 << 50), \.disk.reserve, .reloads,
            "The free space on the disk of `data` below which no new job is taken."),
        .init(
            "metrics.open", .boolean, \.metrics.open, .reloads,
            "Whether `/metrics` is answered without a token."),
        .init(
            "traces.endpoint", .endpoint, \.traces.endpoint, .start,
            "Where traces of jobs are sent by OTLP over HTTP; without a path, to `/v1/traces`."),
        .init(
            "traces.headers", .optionalPath, \.traces.headers, .start,
            "A file that only its owner may read, with a line `Name: value` for each header that "
                + "the collector of traces wants."),
        .init(
            "traces.sample", .ratio, \.traces.sample, .start,
            "The share of jobs whose traces are sent; one with a `traceparent` does as that says."),
        .init(
            team: "weight", .integer(1...1000), \.weight,
            "How many steps the team gets for each one of a team of weight 1, when both wait."),
    ]
}

extension ValueForm where Value == ListenAddress {
    /// `host:port`.
    static let address = parsed(
        "host and port", wanted: "a host and a port",
        hint: "Write \"127.0.0.1:8420\", or \"[::1]:8420\".", { ListenAddress($0) },
        { $0.description })
}

extension ValueForm where Value == TimeOfDay {
    /// `03:30`.
    static let timeOfDay = parsed(
        "time of day", wanted: "a time of day", hint: "Write hours and minutes: \"03:30\".",
        { TimeOfDay($0) }, { $0.description })
}
