internal import PipelineIR

/// Something that is to be removed, and why.
struct ReapItem: Sendable, Equatable {
    /// What it is. The words are in metrics, in the audit log and in what `reap` prints.
    enum Kind: String, Sendable, CaseIterable {
        /// All that is known of a job.
        case jobs
        /// What a job printed, with its journal and plan files.
        case logs
        /// What a job has kept.
        case artifacts
        /// A folder in `jobs/` of which the database knows nothing.
        case leftovers
        /// A plan that no job has.
        case plans
        /// What others said of an action, in the shared cache.
        case results
        /// A content of the shared cache.
        case contents
        /// Results of the master's own jobs, with the contents that nothing else needs.
        case cache
        /// A mirror of a repository.
        case mirrors
        /// Packs of a mirror, which become one.
        case packs
    }

    /// Why it goes.
    enum Reason: String, Sendable {
        /// It is older than the configuration keeps it.
        case age
        /// There is more than the configuration allows, and this was used least lately.
        case size
        /// Nothing needs it.
        case unneeded
    }

    var kind: Kind
    /// Its name: of a job, a folder, a digest.
    var name: String
    /// Bytes on the disk, as far as they are known beforehand.
    var bytes: Int64
    var reason: Reason
}

/// How much was removed of a kind.
struct ReapCount: Sendable, Equatable {
    var items = 0
    var bytes: Int64 = 0

    /// Adds something.
    mutating func add(items more: Int, bytes moreBytes: Int64) {
        items += more
        bytes = bytes.addingReportingOverflow(max(0, moreBytes)).partialValue
    }
}

/// How long things are kept, and how much of them.
struct ReapRules: Sendable, Equatable {
    /// Milliseconds.
    var jobs: Int64
    var logs: Int64
    var artifacts: Int64
    var shared: Int64
    var mirrors: Int64
    /// Bytes; 0 for no limit.
    var mostLogs: Int64
    var mostArtifacts: Int64
    var mostShared: Int64
    var mostCache: Int64

    /// As configured.
    init(_ configuration: MasterConfiguration) {
        let retention = configuration.retention
        jobs = Self.milliseconds(retention.jobs)
        logs = Self.milliseconds(retention.logs)
        artifacts = Self.milliseconds(retention.artifacts)
        shared = Self.milliseconds(retention.cache)
        mirrors = Self.milliseconds(retention.mirrors)
        mostLogs = retention.logsSize
        mostArtifacts = retention.artifactsSize
        mostShared = configuration.cache.sharedSize
        mostCache = configuration.cache.size
    }

    /// What holds while the disk is nearly full: what can be made again takes half of what it may.
    /// What cannot stays as long as it was promised.
    var whenFull: ReapRules {
        var rules = self
        rules.mostShared = mostShared > 0 ? mostShared / 2 : 0
        rules.mostCache = mostCache > 0 ? mostCache / 2 : 0
        return rules
    }

    private static func milliseconds(_ duration: Duration) -> Int64 {
        duration.components.seconds.multipliedReportingOverflow(by: 1000).partialValue
    }
}
