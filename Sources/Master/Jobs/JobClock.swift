internal import CSandbox
internal import Glibc

internal import enum Executor.AtomicFile

/// When a job began, by a clock that nobody sets, in a file of its folder: what it has run counts
/// under the next master, too, whatever became of the time of day.
enum JobClock {
    private static let name = "clock"
    private static let mostBytes: Int64 = 128

    /// Notes that a job begins now, unless it has begun.
    static func begin(in folder: String) throws {
        let path = "\(folder)/\(name)"
        guard access(path, F_OK) != 0 else { return }
        try AtomicFile.write(Array("\(boot) \(now)".utf8), to: path)
    }

    /// Forgets that a job began: the time that it waits does not count.
    static func forget(in folder: String) { unlink("\(folder)/\(name)") }

    /// Milliseconds that a job has run; `nil` when the machine was started since, or none is known.
    static func milliseconds(in folder: String) -> Int64? {
        guard let bytes = AtomicFile.read("\(folder)/\(name)", most: mostBytes) else { return nil }
        let words = String(decoding: bytes, as: UTF8.self).split(separator: " ")
        guard words.count == 2, words[0] == boot, let began = Int64(words[1]), began <= now else {
            return nil
        }
        return now - began
    }

    /// Milliseconds since the machine was started.
    private static var now: Int64 { danube_boot_nanoseconds() / 1_000_000 }

    private static var boot: String {
        var text = [UInt8](repeating: 0, count: 64)
        let file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "unknown" }
        defer { close(file) }
        let count = read(file, &text, text.count)
        return String(decoding: text.prefix(max(0, min(count, 36))), as: UTF8.self)
    }
}
