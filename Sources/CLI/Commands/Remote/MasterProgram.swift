import Glibc

/// The program `danube-master`, which stands beside this one. What it links would make this one
/// slow to start.
enum MasterProgram {
    private static let name = "danube-master"

    /// Becomes that program. Returns only by throwing.
    ///
    /// - Parameters:
    ///   - words: what it is given first.
    ///   - arguments: the last arguments of this process, which come after them.
    static func become(_ words: [String], _ arguments: [String]) throws -> Never {
        let folder = folder() ?? "."
        let path = "\(folder)/\(name)"
        // This program ignores it; the master decides anew.
        signal(SIGPIPE, SIG_DFL)
        let first = ([path] + words).map { strdup($0) }
        // The bytes as they were given, which need not be text.
        let given = Int(CommandLine.argc)
        let rest = (max(0, given - arguments.count)..<given).map { CommandLine.unsafeArgv[$0] }
        execv(path, first + rest + [nil])
        let reason = errno
        for word in first { free(word) }
        throw Failure.environment(
            reason == ENOENT
                ? "\(path) is not installed" : "cannot start \(path): \(FileBytes.reason(reason))",
            hint: "Install the master beside danube: it comes with the release.")
    }

    private static func folder() -> String? {
        guard let path = realpath("/proc/self/exe", nil) else { return nil }
        defer { free(path) }
        let text = String(cString: path)
        return text.lastIndex(of: "/").map { String(text[..<$0]) }
    }
}
