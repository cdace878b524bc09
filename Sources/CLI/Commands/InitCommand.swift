import ArgumentParser
import Glibc

/// `danube init`.
struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Write a danubefile.py that fits this repository.",
        discussion: """
            Looks at the files that are there (package.json, pyproject.toml, Cargo.toml, go.mod, \
            Package.swift, pom.xml, CMakeLists.txt, Makefile, Dockerfile, at the root or one \
            folder deeper), asks nothing, and never overwrites without --force.
            """)

    @OptionGroup var place: DirectoryOptions

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("The file to write, relative to the directory.", valueName: "file"))
    var file = "danubefile.py"

    @Flag(help: "Overwrite a file that is there.")
    var force = false

    @Flag(help: "Print the file instead of writing it.")
    var print = false

    func run() throws {
        let survey = try RepositorySurvey(place.directory)
        let text = DanubefileText.render(
            survey.parts, name: survey.name, container: survey.container)
        if self.print {
            return Output.write(Array(text.utf8), to: STDOUT_FILENO)
        }
        try write(text)
        var buffer = TextBuffer(colour: Terminal.of(STDOUT_FILENO).colour)
        buffer.put("Wrote ")
        buffer.safe(file, .bold)
        let titles =
            survey.parts.map { part in
                part.folder.isEmpty ? part.title : "\(part.title) in \(part.folder)"
            } + (survey.container == nil ? [] : ["Dockerfile"])
        if titles.isEmpty {
            buffer.put(": nothing was recognised here, so it holds one step to replace.")
        } else {
            buffer.put(" for ")
            buffer.safe(titles.joined(separator: ", "))
            buffer.put(".")
        }
        buffer.newline()
        buffer.put("Next: danube plan, then danube run")
        buffer.newline()
        Output.out(buffer)
    }

    private func write(_ text: String) throws(Failure) {
        let path = place.directory + "/" + file
        let flags = O_WRONLY | O_CREAT | O_CLOEXEC | (force ? O_TRUNC : O_EXCL)
        let descriptor = open(path, flags, 0o644)
        guard descriptor >= 0 else {
            if errno == EEXIST {
                throw .mistake(
                    "\(file) is there already", hint: "--force overwrites it, --print only shows.")
            }
            if errno == ENOENT || errno == ENOTDIR || errno == EISDIR {
                throw .mistake(
                    "cannot write \(path): \(FileBytes.reason(errno))",
                    hint: "Name a file in a folder that is there.")
            }
            throw .environment("cannot write \(path): \(FileBytes.reason(errno))")
        }
        defer { close(descriptor) }
        Output.write(Array(text.utf8), to: descriptor)
    }
}
