internal import CSandbox
internal import Glibc
internal import PipelineIR

/// The folder in which a job keeps its workspaces. It is locked while the job lives, so that
/// another run can tell what a killed one left behind.
final class WorkPlace {
    /// Absolute path of the folder that belongs to the job.
    let folder: String
    /// A folder for what steps need for a moment.
    var temporary: String { "\(folder)/tmp" }
    private let lock: LockFile
    private let keeping: KeptWorkspace?
    /// Whether an engine before this one had worked there.
    private let found: Bool

    /// Makes the folder of a job. Removes those of jobs that are dead, and ends the processes that
    /// they left.
    convenience init(_ configuration: RunConfiguration) throws {
        try self.init(
            configuration.cacheFolder, job: configuration.job,
            namespaces: configuration.namespaces, keptFor: configuration.jobFolder,
            sweeps: configuration.jobFolder == nil ? .always : .onceInAWhile)
        guard let earlier = configuration.earlierRun, earlier.hasLanes else { return }
        if earlier.isOfAnotherBoot || !found {
            remove()
            throw earlier.isOfAnotherBoot ? ResumeError.restarted : .noWorkspace(folder)
        }
    }

    /// Makes the folder of a job in a cache, also anew for one that has ended. A job of a master
    /// keeps it for the next engine when this one is ended from outside.
    init(
        _ cacheFolder: String, job: String, namespaces: Int32, keptFor jobFolder: JobFolder? = nil,
        sweeps: Sweeps = .always
    ) throws {
        let all = Self.all(cacheFolder)
        try Workspaces.makeFolder(cacheFolder)
        try Workspaces.makeFolder(all)
        let seesAll = namespaces & Int32(DANUBE_OWN_PROCESSES) == 0
        if sweeps == .always || Self.isSweepDue(cacheFolder) {
            Self.removeDead(in: cacheFolder, seesProcesses: seesAll)
        }
        folder = "\(all)/\(job)"
        let name = seesAll ? "\(folder)\(Self.openMark).lock" : "\(folder).lock"
        guard let lock = try LockFile.take(name, .alone) else {
            throw WorkspaceError.system("lock", path: name, errno: EWOULDBLOCK)
        }
        self.lock = lock
        let path = folder
        keeping = jobFolder.map { KeptWorkspace(path, $0) }
        found = access("\(folder)/lanes", F_OK) == 0
        if found { Containers.reap(folder) }
        try keeping?.keep()
        try Workspaces.makeFolder(folder)
        try Workspaces.makeFolder("\(folder)/tmp")
    }

    /// When the folders of dead jobs are looked for. Where many jobs begin at once, each would look
    /// at the folders of all others.
    enum Sweeps {
        case always, onceInAWhile
    }

    private static let sweepSeconds = 10

    /// Whether nobody has looked of late; the caller does, then.
    private static func isSweepDue(_ cacheFolder: String) -> Bool {
        let path = "\(cacheFolder)/swept"
        var status = stat()
        let age = stat(path, &status) == 0 ? time(nil) - status.st_mtim.tv_sec : .max
        // A clock that was put back makes it due as well.
        guard age > sweepSeconds || age < 0 else { return false }
        let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        if file >= 0 { close(file) }
        utimensat(AT_FDCWD, path, nil, 0)
        return true
    }

    /// Removes the folder.
    func remove() {
        // What is still mounted would keep its folder.
        for lane in (try? FileComparison.names(in: "\(folder)/lanes".joined(.root))) ?? [] {
            _ = danube_unmount("\(folder)/lanes/\(String(decoding: lane, as: UTF8.self))")
        }
        ScratchRemoval.remove(folder)
        keeping?.giveUp()
        lock.remove()
    }

    /// In the names of locks of jobs whose processes do not end with the engine by themselves.
    private static let openMark = ".open"

    private static func all(_ cacheFolder: String) -> String { "\(cacheFolder)/work" }

    /// Removes the folders of dead jobs. `seesProcesses` says that this run sees the processes of
    /// others; one that does not leaves jobs alone whose processes may live.
    static func removeDead(in cacheFolder: String, seesProcesses: Bool) {
        let all = all(cacheFolder)
        guard let names = try? FileComparison.names(in: all.joined(.root)) else { return }
        var dead: [LockFile] = []
        var jobs: Set<String> = []
        for name in names {
            var job = String(decoding: name, as: UTF8.self)
            if KeptWorkspace.isMark(name: job, in: all) { continue }
            if KeptWorkspace.isKept("\(all)/\(job)") { continue }
            guard job.hasSuffix(".lock") else {
                // A folder is made after its lock and removed before it.
                let locks = ["\(all)/\(job).lock", "\(all)/\(job)\(openMark).lock"]
                if !locks.contains(where: { access($0, F_OK) == 0 }) {
                    ScratchRemoval.remove("\(all)/\(job)")
                }
                continue
            }
            job.removeLast(".lock".count)
            let path = "\(all)/\(job).lock"
            if job.hasSuffix(openMark) {
                if !seesProcesses { continue }
                job.removeLast(openMark.count)
            }
            if KeptWorkspace.isKept("\(all)/\(job)") { continue }
            guard let lock = try? LockFile.take(path, .aloneAtOnce) else { continue }
            dead.append(lock)
            jobs.insert(job)
        }
        if dead.isEmpty { return }
        // First what may still write there.
        if seesProcesses { StrayProcesses.end(ofJobs: jobs) }
        for job in jobs {
            Containers.reap("\(all)/\(job)")
            ScratchRemoval.remove("\(all)/\(job)")
        }
        for lock in dead { lock.remove() }
    }
}
