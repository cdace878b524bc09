internal import CSandbox
internal import Glibc

/// The mark by which a process is known to belong to an attempt of a job: a variable of the
/// environment that it was started with.
enum StepMark {
    private static let name = "DANUBE_ATTEMPT="

    /// The variable for the processes of a slot.
    static func variable(job: String, slot: Int) -> String { "\(name)\(job)-\(slot)" }

    /// The job and slot of a process, as far as it kept its mark.
    static func read(_ process: pid_t) -> (job: String, slot: Int)? {
        let text = [UInt8](unsafeUninitializedCapacity: 1 << 17) { buffer, count in
            buffer.withMemoryRebound(to: CChar.self) { bytes in
                count = max(0, danube_environment(process, bytes.baseAddress, bytes.count))
            }
        }
        let prefix = Array(name.utf8)
        for variable in text.split(separator: 0) where variable.starts(with: prefix) {
            let value = variable.dropFirst(prefix.count)
            guard let dash = value.lastIndex(of: UInt8(ascii: "-")),
                let slot = Int(String(decoding: value[(dash + 1)...], as: UTF8.self))
            else { return nil }
            return (String(decoding: value[..<dash], as: UTF8.self), slot)
        }
        return nil
    }
}

/// Processes of jobs whose guard and engine were both killed, so that nobody ended them.
package enum StrayProcesses {
    /// How often all processes are looked at, since one that is ended may just have doubled.
    private static let rounds = 10

    /// Ends every process of this user that bears the mark of one of these jobs.
    static func end(ofJobs jobs: Set<String>) {
        for _ in 0..<rounds {
            var found = false
            for process in all() {
                guard let mark = StepMark.read(process), jobs.contains(mark.job) else { continue }
                if kill(process, SIGKILL) == 0 { found = true }
            }
            if !found { return }
        }
    }

    /// Ends every process of this user that bears the mark of a job, before an engine goes on with
    /// it: a kernel that ends a namespace may have given its lock up a moment before.
    package static func end(of job: JobID) { end(ofJobs: [job.text]) }

    private static func all() -> [pid_t] {
        guard let names = try? FileComparison.names(in: "/proc".joined(.root)) else { return [] }
        let own = getpid()
        return names.compactMap { name in
            guard let number = pid_t(String(decoding: name, as: UTF8.self)), number != own else {
                return nil
            }
            return number
        }
    }
}
