import ArgumentParser
import Compiler
import Glibc

/// Where the danubefile is.
struct SourceOptions: ParsableArguments {
    @OptionGroup var place: DirectoryOptions

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
        order.root = place.directory
        order.file = file
        order.revision = rev
        try place.check(hint: "Name the file with -f instead.")
        return order
    }
}
