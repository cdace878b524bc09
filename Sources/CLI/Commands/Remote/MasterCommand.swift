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

    func run() throws { try Self.become(arguments) }

    /// Becomes the master's program. Returns only by throwing.
    static func become(_ arguments: [String]) throws(Failure) -> Never {
        let folder = Self.folder() ?? "."
        let path = "\(folder)/\(program)"
        let words = [path] + arguments
        // What a shell had it ignore, or this program does, the master decides anew.
        signal(SIGPIPE, SIG_DFL)
        let list = words.map { strdup($0) } + [nil]
        execv(path, list)
        let reason = errno
        for word in list { free(word) }
        throw .environment(
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
