package import Logging

/// All that one run of the master was told: `danube.toml`, then variables, then flags.
///
/// Each property stands in one line of `ConfigurationKey.all`, which says its name, its form and
/// what it is for.
package struct MasterConfiguration: Sendable, Equatable {
    /// The folder of the database, logs, artifacts and keys; absolute.
    package var data = ""
    package var http = HTTP()
    package var log = Log()
    package var jobs = Jobs()
    package var cache = Cache()
    package var repositories = Repositories()
    package var retention = Retention()
    package var disk = Disk()
    package var metrics = Metrics()
    package var traces = Traces()
    /// Teams that have a share of their own, by name.
    package var teams: [String: Team] = [:]

    /// Where each key that was set was set last, by its name (`http.listen`).
    package internal(set) var origins: [String: String] = [:]

    /// The HTTP server.
    package struct HTTP: Sendable, Equatable {
        /// Where it listens.
        package var listen = ListenAddress(host: "127.0.0.1", port: 8420)
        /// The largest body of a request, in bytes.
        package var maxBody: Int64 = 1 << 30
        /// How many connections are open at once.
        package var maxConnections = 4096
        /// How long a connection may be without a request, or a request without progress.
        package var idleTimeout = Duration.seconds(60)
        /// How long somebody may take nothing of an answer.
        package var stallTimeout = Duration.seconds(600)
    }

    /// What the master says about itself.
    package struct Log: Sendable, Equatable {
        /// How a line is written.
        package var format = LogFormat.text
        /// The least level that is written.
        package var level = Logger.Level.info
    }

    /// How much runs at once.
    package struct Jobs: Sendable, Equatable {
        /// Parallel slots for steps.
        package var limit = 1
        /// Jobs that run at once.
        package var active = 64
        /// Jobs of one team that run at once; 0 for as many as have work.
        package var perTeam = 0
        /// Jobs that wait at once.
        package var queue = 100_000
        /// How long a job may take.
        package var maxDuration = Duration.seconds(86_400)
        /// Jobs of one pipeline that run at once.
        package var perPipeline = 32
    }

    /// The cache of results.
    package struct Cache: Sendable, Equatable {
        /// Its folder; absolute.
        package var folder = ""
        /// The bytes it is kept below; 0 for no limit.
        package var size: Int64 = 10 << 30
        /// The bytes that the cache for others is kept below; 0 for no limit.
        package var sharedSize: Int64 = 10 << 30
        /// A cache elsewhere that jobs use as well; `nil` for none.
        package var remote: String?
        /// The file of the token that lets in there.
        package var remoteToken: String?
    }

    /// What may be built.
    package struct Repositories: Sendable, Equatable {
        /// Absolute paths and urls, whole components of which begin what may be built. When it is
        /// empty, local repositories of the user who runs the master may be.
        package var allow: [String] = []
        /// Whether hosts of repositories may have addresses of private networks.
        package var isPrivateAllowed = false
    }

    /// How long things are kept.
    package struct Retention: Sendable, Equatable {
        package var logs = Duration.seconds(30 * 86_400)
        package var artifacts = Duration.seconds(30 * 86_400)
        package var jobs = Duration.seconds(365 * 86_400)
        /// What was not used for so long.
        package var cache = Duration.seconds(30 * 86_400)
        package var mirrors = Duration.seconds(90 * 86_400)
        /// Bytes of all logs and of all artifacts; 0 for no limit.
        package var logsSize: Int64 = 0
        package var artifactsSize: Int64 = 0
        /// When the daily removal begins, in the time zone of the machine.
        package var at = TimeOfDay(hour: 3, minute: 30)
    }

    /// The disk of the data folder.
    package struct Disk: Sendable, Equatable {
        /// Free bytes below which no new work is taken.
        package var reserve: Int64 = 1 << 30
    }

    /// `/metrics`.
    package struct Metrics: Sendable, Equatable {
        /// Whether it is answered without a token.
        package var open = false
    }

    /// Traces over OTLP/HTTP.
    package struct Traces: Sendable, Equatable {
        /// Where they are sent; `nil` when they are not.
        package var endpoint: String?
        /// The file of headers that are sent with them.
        package var headers: String?
        /// How many of them are sent.
        package var sample = Ratio.whole
    }

    /// A team's share.
    package struct Team: Sendable, Equatable {
        /// How many steps it gets for each one of a team whose weight is 1.
        package var weight = 1
    }

    init() {}

    /// What a running master takes of a newer configuration, and the names of keys which differ
    /// but are read at start only.
    package func reloaded(
        from newer: MasterConfiguration
    ) -> (configuration: MasterConfiguration, needsRestart: [String]) {
        var result = self
        var left: [String] = []
        for key in ConfigurationKey.all {
            if key.reloads {
                key.copy(newer, &result)
            } else if key.written(self) != key.written(newer) {
                left.append(key.name)
            }
        }
        let names = Set(ConfigurationKey.all.filter { !$0.reloads }.map(\.name))
        result.origins = newer.origins.filter { !names.contains($0.key) }
            .merging(origins.filter { names.contains($0.key) }) { _, own in own }
        return (result, left)
    }
}
