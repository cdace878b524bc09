/// Writes the danubefile for what was found.
struct DanubefileText {
    private let parts: [Part]
    private let name: String
    private let container: Part.Call?
    private var lines: [String] = []
    private var used: Set<String> = ["pipeline", "step"]

    /// `container` is the step that builds the repository's own image.
    init(_ parts: [Part], name: String, container: Part.Call?) {
        self.parts = parts
        self.name = name
        self.container = container
    }

    /// Writes the file, with comments that explain how to go on.
    static func render(_ parts: [Part], name: String, container: Part.Call?) -> String {
        var text = DanubefileText(parts, name: name, container: container)
        text.putBody()
        let head = [
            "# The pipeline of this repository, in plain Python.",
            "#",
            "#   danube plan            what it does, without running anything",
            "#   danube plan --help     other events, branches, parameters and formats",
            "#",
            "# Steps run in this order. Each is a fresh shell in the repository's folder; what it",
            "# leaves there, the next one finds. A step that fails ends the job.",
            "from danube import \(text.used.sorted().joined(separator: ", "))",
            "", "",
        ]
        return (head + text.lines).joined(separator: "\n") + "\n"
    }

    private mutating func putBody() {
        let image = parts.first?.image ?? "debian:bookworm-slim"
        let oneImage = parts.allSatisfy { $0.image == image }
        let shown = oneImage ? ", image=\(PythonText.string(image))" : ""
        lines += [
            "@pipeline(name=\(PythonText.string(name))\(shown))",
            "def ci() -> None:",
            "    \"\"\"Check every change.\"\"\"",
        ]
        if parts.isEmpty {
            lines += [
                "    # Nothing was recognised here: put in what builds and tests this repository.",
                "    step.run(\"echo 'no checks yet'\", name=\"check\")",
            ]
        } else if parts.count == 1 {
            put(parts[0], indent: 1, named: false, image: nil)
        } else {
            used.formUnion(["parallel", "sequence"])
            lines.append("    # The parts do not wait for each other.")
            lines.append("    with parallel():")
            for (number, part) in parts.enumerated() {
                if number > 0 { lines.append("") }
                lines.append("        with sequence(\(PythonText.string(label(part)))):")
                put(part, indent: 3, named: true, image: oneImage ? nil : part.image)
            }
        }
        if let container {
            lines.append("")
            put(container, indent: 1, prefix: "", folder: "", image: nil)
        }
    }

    /// What a part is called among others; unique.
    private func label(_ part: Part) -> String {
        let same = parts.filter { $0.folder == part.folder }.count > 1
        let kind = part.title.split(separator: " ").first.map { $0.lowercased() } ?? "part"
        if part.folder.isEmpty { return kind }
        return same ? "\(part.folder) \(kind)" : part.folder
    }

    private mutating func put(_ part: Part, indent: Int, named: Bool, image: String?) {
        let prefix = named ? label(part) + ": " : ""
        for block in part.blocks {
            switch block {
            case .step(let call):
                put(call, indent: indent, prefix: prefix, folder: part.folder, image: image)
            case .parallel(let calls):
                used.insert("parallel")
                lines.append(blank(indent) + "with parallel():")
                for call in calls {
                    put(
                        call, indent: indent + 1, prefix: prefix, folder: part.folder,
                        image: image)
                }
            case .lines(let texts):
                for text in texts {
                    if text.hasPrefix("artifacts.") { used.insert("artifacts") }
                    lines.append(blank(indent) + text)
                }
            }
        }
    }

    private func blank(_ indent: Int) -> String { String(repeating: "    ", count: indent) }

    private mutating func put(
        _ call: Part.Call, indent: Int, prefix: String, folder: String, image: String?
    ) {
        let start = blank(indent)
        for comment in call.comment { lines.append("\(start)# \(comment)") }
        func beneath(_ path: String) -> String { folder.isEmpty ? path : folder + "/" + path }
        var arguments = [PythonText.string(call.command)]
        arguments.append("name=\(PythonText.string(prefix + call.name))")
        if let image = call.image ?? image {
            arguments.append("image=\(PythonText.string(image))")
        }
        if !folder.isEmpty { arguments.append("workdir=\(PythonText.string(folder))") }
        if !call.inputs.isEmpty {
            arguments.append("inputs=\(PythonText.list(call.inputs.map(beneath)))")
        }
        if !call.outputs.isEmpty {
            arguments.append("outputs=\(PythonText.list(call.outputs.map(beneath)))")
        }
        let line = "\(start)step.run(\(arguments.joined(separator: ", ")))"
        if line.count <= 100 {
            lines.append(line)
            return
        }
        lines.append("\(start)step.run(")
        for (number, argument) in arguments.enumerated() {
            if number == 0, argument.count + 4 * indent > 90 {
                putLong(call.command, indent: indent + 1)
            } else {
                lines.append("\(start)    \(argument),")
            }
        }
        lines.append("\(start))")
    }

    /// A long command as strings that Python joins, one for each part of a `&&` chain.
    private mutating func putLong(_ command: String, indent: Int) {
        var pieces: [String] = [""]
        for word in command.split(separator: " ", omittingEmptySubsequences: false) {
            let piece = pieces[pieces.count - 1]
            if !piece.isEmpty, word == "&&" || piece.utf8.count + word.utf8.count > 76 {
                pieces[pieces.count - 1] += " "
                pieces.append(String(word))
            } else {
                pieces[pieces.count - 1] += (piece.isEmpty ? "" : " ") + word
            }
        }
        for (number, piece) in pieces.enumerated() {
            let comma = number == pieces.count - 1 ? "," : ""
            lines.append(blank(indent) + PythonText.string(piece) + comma)
        }
    }
}
