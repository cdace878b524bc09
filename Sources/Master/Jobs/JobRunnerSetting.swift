internal import Glibc
internal import Logging
internal import NIOPosix

extension JobRunner {
    /// What does not differ between jobs.
    struct Setting: Sendable {
        var database: MasterDatabase
        var data: DataFolder
        var mirrors: SourceMirrors
        var engine: EngineProcess
        var watcher: JournalWatcher
        var secrets: SecretStore
        /// For what waits for files.
        var threads: NIOThreadPool
        var cacheFolder: String
        var configuration: LiveConfiguration
        var logger: Logger

        /// Steps that run at once, of all jobs.
        var slots: Int { configuration.values.jobs.limit }
        /// Weights of teams; 1 where there is none.
        var weights: [String: Double] {
            configuration.values.teams.mapValues { Double($0.weight) }
        }
        /// A cache elsewhere that jobs use, and the file of the token for it.
        var remoteCache: (url: String, token: String?)? {
            let cache = configuration.values.cache
            return cache.remote.map { ($0, cache.remoteToken) }
        }
        /// What may be built, as `repositories.allow` has it.
        var allowed: [String] { configuration.values.repositories.allow }
        /// Whose repositories may be built from anywhere.
        var owner: uid_t? { allowed.isEmpty ? geteuid() : nil }
    }
}
