import ArgumentParser
import Glibc

/// Which repository a command is for.
struct DirectoryOptions: ParsableArguments {
    @Option(
        name: [.customShort("C"), .long],
        help: ArgumentHelp("Directory of the repository.", valueName: "dir"),
        completion: .directory)
    var directory = "."

    /// Throws when it is no directory; `hint` says what to do with a file.
    func check(hint: String? = nil) throws(Failure) {
        var status = stat()
        guard stat(directory, &status) == 0 else {
            throw .mistake("cannot use \(directory): \(FileBytes.reason(errno))")
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw .mistake("\(directory) is not a directory", hint: hint)
        }
    }

    /// The jobs on this machine, seen from the directory.
    func jobs() throws(Failure) -> Jobs {
        try check()
        return try Jobs(directory)
    }
}
