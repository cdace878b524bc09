internal import Glibc

/// Files that run a step's own command again, for a person in its workspace.
struct StepScript {
    /// What is read from descriptor 3, because it holds secrets.
    let memory: String?
    private let text: String?
    private let words: [String]
    /// Why the command cannot be run again, if so.
    private let obstacle: String?

    /// Fills the secrets in.
    init(_ step: FailedStep, _ marks: inout SecretMarks) {
        var own = marks
        var obstacle: String?
        switch step.command {
        case .script(let script):
            words = []
            let filled = own.fill(script)
            let isSecret = filled != nil && filled != script
            memory = isSecret ? filled : nil
            text = isSecret ? nil : filled
        case .argv(let arguments):
            words = arguments.compactMap { own.fill($0) }
            memory = nil
            text = nil
        }
        if let key = own.missing.subtracting(marks.missing).min() {
            obstacle = "the step uses the secret `\(key)`: give it to danube shell with --secret"
        } else if step.isCommandHidden {
            obstacle = "the command holds a secret that another step had printed, which is not kept"
        }
        self.obstacle = obstacle
    }

    /// Writes them into a folder, which is made; gives the one to be run. `shown` is what the
    /// folder is called where it is run, and `folder` where the step ran.
    func write(
        to place: String, startingIn folder: String, as shown: String? = nil
    ) throws -> String {
        try Workspaces.makeFolder(place)
        let shown = shown ?? place
        var lines = ["#!/bin/sh"]
        if let obstacle {
            lines += ["echo \(PythonText.quote("danube: error: " + obstacle)) >&2", "exit 2"]
        } else {
            lines.append("cd -- \(PythonText.quote(folder)) || exit")
            // A step has nothing to read.
            if words.isEmpty {
                let source = memory == nil ? "\(shown)/script" : "/dev/fd/3"
                let command = PythonText.quote(". \(PythonText.quote(source))")
                lines.append("exec /bin/sh -c \(command) sh </dev/null")
            } else {
                let command = words.map(PythonText.quote).joined(separator: " ")
                lines.append("exec \(command) </dev/null")
            }
        }
        if let text { try AtomicFile.write(Array(text.utf8), to: "\(place)/script") }
        let run = "\(place)/run"
        try AtomicFile.write(Array((lines.joined(separator: "\n") + "\n").utf8), to: run)
        chmod(run, 0o755)
        return "\(shown)/run"
    }
}
