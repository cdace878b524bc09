import ArgumentParser
import Compiler
import Glibc

/// Where the danubefile is.
struct SourceOptions: ParsableArguments {
    @Option(
        name: [.customShort("C"), .long],
        help: ArgumentHelp("Directory of the repository.", valueName: "dir"),
        completion: .directory)
    var directory = "."

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("The danubefile, relative to the directory.", valueName: "file"),
        completion: .file(extensions: ["py"]))
    var file = "danubefile.py"

    @Option(
        help: ArgumentHelp("Plan this commit, branch or tag instead of the working copy."))
    var rev: String?

    /// The start of an order.
    func order() throws(Failure) -> Compilations.Order {
        var order = Compilations.Order()
        order.root = directory
        order.file = file
        order.revision = rev
        var status = stat()
        guard stat(directory, &status) == 0 else {
            throw .mistake("cannot use \(directory): \(FileBytes.reason(errno))")
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw .mistake(
                "\(directory) is not a directory", hint: "Name the file with -f instead.")
        }
        return order
    }
}
