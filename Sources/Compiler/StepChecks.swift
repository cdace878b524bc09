import PipelineIR

/// Judges what was given for steps, and gives them the options that are right.
struct StepChecks {
    private(set) var diagnostics: [Diagnostic] = []
    private let frames: [Frame]
    private var seen: Set<String> = []
    /// More problems than this are not worth a reader's time.
    private static let diagnosticLimit = 500

    init(frames: [Frame]) { self.frames = frames }

    mutating func report(
        _ code: String, _ level: Diagnostic.Level, _ message: String, hint: String?,
        frame: FrameIndex?
    ) {
        guard diagnostics.count < Self.diagnosticLimit else { return }
        var diagnostic = Diagnostic(code: code, level: level, message: message, hint: hint)
        var stack: [Diagnostic.Place] = []
        var next = frame
        while let one = next, stack.count < 32 {
            let frame = frames[one.int]
            stack.append(
                Diagnostic.Place(
                    file: frame.file, line: frame.line, column: frame.column,
                    endLine: frame.endLine, endColumn: frame.endColumn))
            next = frame.parent
        }
        let place = stack.first.map { "\($0.file):\($0.line):\($0.column)" } ?? ""
        guard seen.insert("\(code) \(place) \(message)").inserted else { return }
        diagnostic.place = stack.first
        if stack.count > 1 { diagnostic.stack = stack }
        diagnostics.append(diagnostic)
    }

    /// Hands over what was reported so far, at one place.
    mutating func takeDiagnostics(placedAt place: Diagnostic.Place) -> [Diagnostic] {
        let found = diagnostics.map { diagnostic in
            var diagnostic = diagnostic
            diagnostic.place = place
            return diagnostic
        }
        diagnostics.removeAll()
        return found
    }

    private mutating func error(
        _ code: String, _ message: String, _ hint: String, _ frame: FrameIndex?
    ) {
        report(code, .error, message, hint: hint, frame: frame)
    }

    /// Judges the command, and moves options over.
    mutating func apply(
        _ recorded: RecordedStep, to step: inout Step, _ map: (Template) -> Template
    ) {
        check(command: recorded, step.frame)
        if let name = recorded.name { check(name: name, "the step", step.frame) }
        guard let given = recorded.options else { return }
        var options = Step.Options()
        if let image = given.image {
            check(image: image, step.frame)
            step.image = image
        }
        step.env = variables(given.env, step.frame, map)
        step.matrix = Dictionary(given.matrix.map { ($0.key, $0) }, uniquingKeysWith: { $1 })
            .values.sorted { $0.key < $1.key }
        for cell in step.matrix { check(name: cell.key, "an axis of the matrix", step.frame) }
        if let timeout = given.timeout {
            options.timeoutMilliseconds = duration(timeout, "timeout", step.frame)
        }
        options.inputs = given.inputs
        options.outputs = given.outputs
        check(paths: (given.inputs ?? []) + (given.outputs ?? []), step.frame)
        options.cache = given.cache.map { $0 ? .always : .never } ?? .auto
        if let retries = given.retries { options.retry = retry(retries, step.frame) }
        if !given.resources.isEmpty { options.resources = resources(given.resources, step.frame) }
        if let workdir = given.workdir {
            if !Quantity.isInside(workdir) {
                error(
                    "DNB313", "The working directory `\(workdir)` is not inside the workspace",
                    "Use a path relative to the workspace, without `..`.", step.frame)
            }
            step.workdir = workdir
        }
        options.services = services(given.services, step.frame, map)
        if options != Step.Options() { step.options = options }
    }

    private mutating func check(command recorded: RecordedStep, _ frame: FrameIndex?) {
        switch recorded.command {
        case .script(let template):
            if let text = template.literal {
                if text.allSatisfy(\.isWhitespace) {
                    error(
                        "DNB304",
                        text.isEmpty ? "The command is empty" : "The command is blank, so empty",
                        "Give the step something to run.", frame)
                }
            }
            if template.parts.contains(where: \.hasNUL) { reportNUL("command", frame) }
            if recorded.untrusted {
                error(
                    "DNB404",
                    "Text that a stranger chose (a pull request's title, body, head_branch, …) "
                        + "is part of a shell script",
                    "Hand it over in env={…} and write \"$NAME\" in the script.", frame)
            }
        case .argv(let arguments):
            if arguments.isEmpty {
                error(
                    "DNB304", "The command is empty: it has no words, so no program",
                    "Give the step something to run.", frame)
            } else if arguments[0].literal?.isEmpty == true {
                error(
                    "DNB304", "The command names no program: its first word is empty",
                    "Put the program first.", frame)
            }
            if arguments.contains(where: { $0.parts.contains(where: \.hasNUL) }) {
                reportNUL("command", frame)
            }
            for secret in Set(arguments.flatMap(\.secrets)).sorted() {
                error(
                    "DNB403",
                    "The secret `\(secret)` is an argument of a program, which others see",
                    "Hand it over in env={…}, or use it in a script.", frame)
            }
        }
    }

    mutating func reportNUL(_ what: String, _ frame: FrameIndex?) {
        error("DNB312", "The \(what) contains a NUL byte", "Remove it.", frame)
    }

    /// Judges what people will read on one line.
    mutating func check(
        name: String, _ what: String, mayBeEmpty: Bool = false, _ frame: FrameIndex?
    ) {
        if name.isEmpty {
            if mayBeEmpty { return }
            error(
                "DNB316", "The name of \(what) is empty", "Give it a name, or none at all.", frame)
        } else if !Quantity.isLine(name) {
            error(
                "DNB316", "The name of \(what) has a line break or control character",
                "Write the name on one line.", frame)
        }
    }

    mutating func check(image: String, _ frame: FrameIndex?) {
        if !Quantity.isImage(image) {
            error(
                "DNB305",
                image.isEmpty ? "The image is empty" : "`\(image)` is not an image reference",
                "Write [registry/]name[:tag][@sha256:…], in lower case.", frame)
        }
    }

    /// Judges the group of jobs that a pipeline names, and its rule.
    mutating func check(concurrency group: String, rule: String) {
        if !Quantity.isLine(group) {
            error(
                "DNB317", "The concurrency group has a line break or control character",
                "Write the name on one line.", nil)
        }
        if group.isEmpty, !rule.isEmpty {
            error(
                "DNB317", "There is a concurrency_rule and no group",
                "Name the group: @pipeline(concurrency=…).", nil)
        }
        if !Plan.isConcurrencyRule(rule) {
            error(
                "DNB317", "`\(rule)` is no concurrency_rule",
                "Write serialize, replace or queue(N).", nil)
        }
    }

    private mutating func check(paths: [String], _ frame: FrameIndex?) {
        for path in paths where !Quantity.isInside(path) {
            error(
                "DNB308", "`\(path)` is not inside the workspace",
                "Use a path relative to the workspace, without `..`.", frame)
        }
    }

    mutating func check(upload path: Template, name: String?, frame: FrameIndex?) {
        if let text = path.literal, !Quantity.isInside(text) {
            error(
                "DNB314",
                text.isEmpty
                    ? "The path of the artifact is empty"
                    : "The artifact `\(text)` is not inside the workspace",
                "Use a path relative to the workspace, without `..`.", frame)
        }
        if !path.secrets.isEmpty {
            error("DNB402", "A secret is part of an artifact's path", "Use a constant.", frame)
        }
        let bad = name.map { name in
            name.isEmpty || name == "." || name == ".."
                || name.utf8.contains { $0 < 0x20 || $0 == 0x7F || $0 == UInt8(ascii: "/") }
        }
        if bad == true {
            error(
                "DNB314", "The name of the artifact is empty, or has a slash or control character",
                "Name it as a file would be named.", frame)
        }
    }

    mutating func variables(
        _ given: [EnvVar], _ frame: FrameIndex?, _ map: (Template) -> Template
    ) -> [EnvVar] {
        var found: [EnvVar] = []
        for variable in given {
            let name = variable.name
            if !Quantity.isVariable(name) {
                error(
                    "DNB309", "`\(name)` cannot be the name of an environment variable",
                    "Use letters, digits and underscores, not starting with a digit.", frame)
                continue
            }
            if name.hasPrefix("DANUBE_") {
                error(
                    "DNB310", "The variable `\(name)` is reserved for Danube",
                    "Choose a name that does not start with DANUBE_.", frame)
                continue
            }
            if variable.value.parts.contains(where: \.hasNUL) {
                reportNUL("value of `\(name)`", frame)
                continue
            }
            found.append(EnvVar(name: name, value: map(variable.value)))
        }
        return found.sorted { $0.name < $1.name }
    }
}
