internal import CSandbox
internal import Glibc

/// The folder in which a job keeps its workspaces. It is locked while the job lives, so that
/// another run can tell what a killed one left behind.
final class WorkPlace {
    /// The folder.
    let folder: String
    /// A folder for what steps need for a moment.
    var temporary: String { "\(folder)/tmp" }
    private let lock: Int32

    /// Makes the folder of a job, and removes those of jobs that are dead.
    init(_ configuration: RunConfiguration) throws {
        let all = "\(configuration.cacheFolder)/work"
        try Workspaces.makeFolder(configuration.cacheFolder)
        try Workspaces.makeFolder(all)
        Self.removeDead(in: all)
        folder = "\(all)/\(configuration.job)"
        lock = open("\(folder).lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0, flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            throw WorkspaceError.system("lock", path: "\(folder).lock", errno: errno)
        }
        try Workspaces.makeFolder(folder)
        try Workspaces.makeFolder("\(folder)/tmp")
    }

    /// Removes the folder.
    func remove() {
        // What is still mounted would keep its folder.
        for lane in (try? FileComparison.names(in: "\(folder)/lanes".joined(.root))) ?? [] {
            _ = danube_unmount("\(folder)/lanes/\(String(decoding: lane, as: UTF8.self))")
        }
        ScratchRemoval.remove(folder)
        unlink("\(folder).lock")
        close(lock)
    }

    private static func removeDead(in all: String) {
        guard let names = try? FileComparison.names(in: all.joined(.root)) else { return }
        let suffix = Array(".lock".utf8)
        for name in names where name.suffix(suffix.count).elementsEqual(suffix) {
            let job = String(decoding: name.dropLast(suffix.count), as: UTF8.self)
            let file = open("\(all)/\(job).lock", O_RDWR | O_CLOEXEC)
            if file < 0 { continue }
            if flock(file, LOCK_EX | LOCK_NB) == 0 {
                Containers.reap("\(all)/\(job)")
                ScratchRemoval.remove("\(all)/\(job)")
                unlink("\(all)/\(job).lock")
            }
            close(file)
        }
    }
}
