internal import CSandbox
internal import Glibc
internal import Logging
internal import NIOPosix

internal import struct Executor.CacheCollection
internal import class Executor.ContentStore
internal import struct Executor.JobID
internal import struct Executor.Timestamp

/// Removes what is too old or too much. Rows say that something is removed before its files go, so
/// that wherever the master ends no row points to what is not there; the next run goes on.
struct Reaper: Sendable {
    let data: String
    let database: MasterDatabase
    let shared: ContentStore
    /// Of the results of the master's own jobs.
    let cacheFolder: String
    let mirrors: SourceMirrors
    /// For what waits for the disk.
    let threads: NIOThreadPool
    let metrics: ReaperMetrics
    let logger: Logger
    /// Lets no job begin until it is called again, where that can be done: for what must not meet
    /// one.
    var hold: @Sendable (Bool) async -> Void = { _ in }

    /// What is done with the names of what is removed.
    static let mark = "reap"
    /// How long jobs are held up at most where the cache cannot be collected otherwise.
    private static let mostHold = Duration.seconds(120)
    private static let holdPause = Duration.milliseconds(200)

    /// Removes all that the rules let go. What cannot be removed is logged, and does not keep the
    /// rest from it.
    func run(_ rules: ReapRules) async throws {
        let start = Timestamp.now()
        await attempt("files") { try await removeDoomed() }
        await attempt("jobs") { try await removeJobs(rules, start) }
        await attempt("plans") { try await removePlans() }
        await attempt("shared cache") { try await removeShared(rules, start) }
        await attempt("mirrors") { try await tidyMirrors(rules, start) }
        await attempt("cache") { try await collectCache(rules) }
        try await database.mark(Self.mark, at: start)
        metrics.ran(at: start)
        logger.info("what is too old was removed", metadata: metrics.lastRun)
    }

    private func attempt(_ what: String, _ work: () async throws -> Void) async {
        do {
            try await work()
        } catch {
            metrics.failed()
            logger.error("\(what) cannot be removed: \(error)")
        }
    }

    // MARK: Jobs

    /// Removes the files of what is removed already, as the rows say.
    private func removeDoomed() async throws {
        while true {
            let files = try await database.doomedFiles(most: MasterDatabase.mostRemoved)
            if files.isEmpty { return }
            let data = data
            let gone = try await threads.runIfActive {
                files.filter { JobFolderRemoval(data: data).remove($0) }
            }
            try await database.removed(gone)
            // What stays is tried again the next time.
            if gone.count < files.count { return }
        }
    }

    private func removeJobs(_ rules: ReapRules, _ now: Timestamp) async throws {
        let survey = JobSurvey(folder: data, rules: rules, now: now)
        let items = try await database.read { try survey.items(in: $0) }
        for kind in [DoomedFiles.Kind.jobs, .logs, .artifacts] {
            for reason in [ReapItem.Reason.age, .size] {
                let group = items.filter {
                    $0.kind.rawValue == kind.rawValue && $0.reason == reason
                }
                for start in stride(from: 0, to: group.count, by: MasterDatabase.mostRemoved) {
                    let part = group[start...].prefix(MasterDatabase.mostRemoved)
                    try await remove(kind, Array(part), reason)
                }
            }
        }
        for item in items where item.kind == .leftovers {
            let path = "\(data)/jobs/\(item.name)"
            let isGone = try await threads.runIfActive { danube_remove_tree(path) == 0 }
            if isGone { count(item.kind, 1, item.bytes, "\(item.name): \(item.reason.rawValue)") }
        }
    }

    private func remove(
        _ kind: DoomedFiles.Kind, _ items: [ReapItem], _ reason: ReapItem.Reason
    ) async throws {
        let jobs = items.compactMap { JobID($0.name) }
        let gone = try await database.write {
            try $0.remove(kind, of: jobs, reason: reason.rawValue, at: .now())
        }
        let files = gone.map { DoomedFiles(job: $0, kind: kind) }
        let data = data
        let removed = try await threads.runIfActive {
            files.filter { JobFolderRemoval(data: data).remove($0) }
        }
        try await database.removed(removed)
        let names = Set(gone.map(\.text))
        let bytes = items.filter { names.contains($0.name) }.reduce(0) { $0 + $1.bytes }
        if let item = ReapItem.Kind(rawValue: kind.rawValue), !gone.isEmpty {
            count(item, gone.count, bytes, reason.rawValue)
        }
    }

    private func removePlans() async throws {
        while true {
            let removed = try await database.removeUnneededPlans()
            if removed.items == 0 { return }
            count(.plans, removed.items, removed.bytes, "unneeded")
        }
    }

    // MARK: Caches

    private func removeShared(_ rules: ReapRules, _ now: Timestamp) async throws {
        let survey = SharedCacheSurvey(store: shared, rules: rules, now: now)
        let found = try await database.read { try survey.found(in: $0) }
        for reason in [ReapItem.Reason.age, .size] {
            let group = found.results.filter { $0.reason == reason }
            for start in stride(from: 0, to: group.count, by: MasterDatabase.mostRemoved) {
                let part = Array(group[start...].prefix(MasterDatabase.mostRemoved))
                let removed = try await database.removeCacheEntries(part, notUsedSince: now)
                count(.results, removed.items, removed.bytes, reason.rawValue)
            }
        }
        // The rows are gone. What was put or asked for since the look has another time now.
        let limit = now.sinceEpoch - SharedCacheSurvey.graceMilliseconds
        for (item, path) in found.contents {
            let isGone = try await threads.runIfActive {
                guard let facts = try? FileFacts(of: path),
                    item.reason == .age || facts.changed.sinceEpoch < limit,
                    facts.changed < now
                else { return false }
                return unlink(path) == 0
            }
            if isGone { count(item.kind, 1, item.bytes, nil) }
        }
    }

    /// Collects the cache of the master's own jobs, which nobody may use meanwhile. Where it has
    /// grown far beyond its limit, no job begins until that is done, for a bounded time.
    private func collectCache(_ rules: ReapRules) async throws {
        guard rules.mostCache > 0, access("\(cacheFolder)/cas", F_OK) == 0 else { return }
        let folder = cacheFolder
        let most = rules.mostCache
        let work: @Sendable () throws -> CacheReaping.End = {
            try CacheReaping(folder: folder, mostBytes: most).run()
        }
        var end = try await threads.runIfActive(work)
        if case .inUse(let isFarOver) = end, isFarOver {
            await hold(true)
            let last = ContinuousClock.now + Self.mostHold
            while case .inUse = end, ContinuousClock.now < last, !Task.isCancelled {
                try? await Task.sleep(for: Self.holdPause)
                end = (try? await threads.runIfActive(work)) ?? .small
            }
            await hold(false)
        }
        switch end {
        case .small: return
        case .inUse: logger.notice("the cache is over its size and in use: it is tried again")
        case .done(let collection):
            guard collection.results + collection.blobs > 0 else { return }
            try await database.audit(
                reaped: "cache", "\(collection.results) results, \(collection.blobs) contents")
            count(.cache, collection.results + collection.blobs, collection.bytes, "size")
        }
    }

    // MARK: Mirrors

    private func tidyMirrors(_ rules: ReapRules, _ now: Timestamp) async throws {
        let survey = MirrorSurvey(folder: "\(data)/mirrors", rules: rules, now: now)
        let items = try await threads.runIfActive { survey.items() }
        for item in items {
            // Asked when nobody fetches: a job is in the database before it does.
            let isDone = try await mirrors.tidy(
                item, keepsMilliseconds: rules.jobs
            ) { try await database.read { try UsedMirrors.names(in: $0) } }
            guard isDone else { continue }
            try await database.audit(reaped: item.kind.rawValue, item.name)
            let path = "\(data)/mirrors/\(item.name)/objects"
            let left = try await threads.runIfActive { FolderSize.bytes(path) }
            count(item.kind, 1, item.bytes - left, item.name)
        }
    }

    private func count(
        _ kind: ReapItem.Kind, _ items: Int, _ bytes: Int64, _ detail: String?
    ) {
        metrics.count(kind, items: items, bytes: bytes)
        guard let detail, items > 0 else { return }
        logger.info(
            "removed \(items) \(kind.rawValue), \(bytes) bytes (\(ShownText.line(detail)))")
    }
}

extension MasterDatabase {
    /// Records that the reaper removed something which no row tells of.
    fileprivate func audit(reaped kind: String, _ name: String) async throws {
        try await write {
            try $0.audit(reaped: kind, [name], reason: "removed", at: .now())
        }
    }
}
