internal import CSandbox
internal import Glibc

internal import enum Executor.AtomicFile

/// For how long a job has run, also under the masters before this one, by a clock that only counts:
/// the clock of the day may have been set meanwhile.
///
/// It is kept as a text in the job's folder: the id of the machine's start, and nanoseconds since
/// then. After another start of the machine nothing is known, and nothing of before still runs.
enum JobClock {
    private static let name = "begun"
    private static let mostBytes: Int64 = 256

    /// Begins to count, unless that was done. It waits for the disk.
    static func begin(in folder: String) throws(EngineError) {
        let path = "\(folder)/\(name)"
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else {
            if errno == EEXIST { return }
            throw .system("make", path: path, errno: errno)
        }
        defer { close(file) }
        let text = Array("\(machineStart()) \(danube_boot_nanoseconds())\n".utf8)
        guard write(file, text, text.count) == text.count else {
            throw .system("write", path: path, errno: errno)
        }
    }

    /// How long ago that was; `nil` when it is not known. It waits for the disk.
    static func elapsed(in folder: String) -> Duration? {
        guard let bytes = AtomicFile.read("\(folder)/\(name)", most: mostBytes) else { return nil }
        let words = String(decoding: bytes, as: UTF8.self).split { $0 == " " || $0 == "\n" }
        let now = danube_boot_nanoseconds()
        guard words.count == 2, words[0] == machineStart(), let begun = Int64(words[1]),
            (0...now).contains(begun)
        else { return nil }
        return .nanoseconds(now - begun)
    }

    private static func machineStart() -> String {
        let file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "?" }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(file, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)).filter { $0 > 32 }, as: UTF8.self)
    }
}
