import ArgumentParser
import Glibc

/// `danube master`.
struct MasterCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "master",
        abstract: "Run a master: a service that runs jobs and never forgets one.",
        discussion: """
            It becomes the program `danube-master`, which stands beside this one; \
            `danube master --help` shows that program's options.
            """)

    private static let program = "danube-master"

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("What danube-master is given.", valueName: "argument"))
    var arguments: [String] = []

    /// Becomes the master's program. Returns only by throwing.
    func run() throws {
        let folder = Self.folder() ?? "."
        let path = "\(folder)/\(Self.program)"
        // This program ignores it; the master decides anew.
        signal(SIGPIPE, SIG_DFL)
        let name = strdup(path)
        // The bytes as they were given, which need not be text.
        let given = Int(CommandLine.argc)
        let words = (max(0, given - arguments.count)..<given).map { CommandLine.unsafeArgv[$0] }
        execv(path, [name] + words + [nil])
        let reason = errno
        free(name)
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
