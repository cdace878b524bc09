import CSandbox
import Glibc

/// The data folder of a master, of which a job sees its own part only: tokens, keys, the database
/// and other jobs are hidden from the engine, and so from whatever its steps start.
enum MasterFolder {
    private static let jobs = "jobs"
    private static let database = "danube.db"

    /// Hides the data folder in which a job's folder is, but for the job's folder and those that
    /// are named. Nothing is hidden where the job's folder is elsewhere, or where the host gives no
    /// mounts of one's own.
    static func hide(
        from job: String, but kept: [String], namespaces: Int32
    ) throws(Failure) {
        let parts = job.split(separator: "/")
        guard namespaces & Int32(DANUBE_OWN_MOUNTS) != 0, job.hasPrefix("/"), parts.count > 2,
            parts[parts.count - 2] == jobs
        else { return }
        let data = "/" + parts.dropLast(2).joined(separator: "/")
        guard access("\(data)/\(database)", F_OK) == 0 else { return }
        let shown = ([job] + kept).filter { $0.hasPrefix("\(data)/") }
        for folder in shown where access(folder, F_OK) != 0 {
            guard mkdir(folder, 0o700) == 0 || errno == EEXIST else {
                throw .environment("cannot make \(folder): \(FileBytes.reason(errno))")
            }
        }
        let texts = shown.map { strdup($0) }
        defer { for text in texts { free(text) } }
        let error = texts.map { UnsafePointer($0) }.withUnsafeBufferPointer {
            danube_engine_hide(data, $0.baseAddress, $0.count)
        }
        guard error == 0 else {
            throw .environment("cannot hide \(data) from the job: \(FileBytes.reason(-error))")
        }
    }
}
