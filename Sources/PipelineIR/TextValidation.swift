// What holds for every text of a valid plan.
extension PlanValidator {
    /// Any text: no NUL, and bounded.
    func text(_ text: String, _ path: @autoclosure () -> PlanPath) throws(PlanError) {
        if text.utf8.count > PlanLimits.stringBytes {
            throw PlanError(
                .limit, path(), "A string is longer than 1 MiB.",
                hint: "Keep large texts in a file of the repository.")
        }
        if text.utf8.contains(0) {
            throw PlanError(
                .value, path(), "A string has a NUL character.",
                hint: "Nothing in a plan may hold NUL.")
        }
    }

    /// A text that is shown on one line: nothing that moves a cursor or turns the direction.
    func line(
        _ text: String, _ path: @autoclosure () -> PlanPath, _ what: String
    ) throws(PlanError) {
        try self.text(text, path())
        // ASCII needs no look at characters, and nearly all names are ASCII.
        var isPlain = true
        for byte in text.utf8 where byte < 0x20 || byte >= 0x7F { isPlain = false }
        if isPlain { return }
        for scalar in text.unicodeScalars where scalar.isControl {
            throw PlanError(
                .value, path(),
                "\(what) has the control character U+\(String(scalar.value, radix: 16)).")
        }
    }

    /// A line that is not empty.
    func name(
        _ text: String, _ path: @autoclosure () -> PlanPath, _ what: String
    ) throws(PlanError) {
        if text.isEmpty { throw PlanError(.value, path(), "\(what) is empty.") }
        try line(text, path(), what)
    }

    /// An image reference, or empty; its full grammar is the compiler's to check.
    func image(_ text: String, _ path: @autoclosure () -> PlanPath) throws(PlanError) {
        try line(text, path(), "An image")
        if text.utf8.contains(0x20) { throw PlanError(.value, path(), "An image has no spaces.") }
    }

    /// A step's id: components that can be names of files, joined by `/`.
    func id(_ id: String, _ path: @autoclosure () -> PlanPath) throws(PlanError) {
        try name(id, path(), "The id of a step")
        if id.utf8.count > PlanLimits.idBytes {
            throw PlanError(.limit, path(), "An id has at most \(PlanLimits.idBytes) bytes.")
        }
        for part in id.utf8.split(separator: 0x2F, omittingEmptySubsequences: false)
        where part.isEmpty || part.elementsEqual([0x2E]) || part.elementsEqual([0x2E, 0x2E]) {
            throw PlanError(
                .value, path(),
                "The id `\(id.prefix(256))` has an empty component, `.` or `..`.")
        }
    }

    /// A path or glob beneath the workspace.
    func relative(
        _ text: String, _ path: @autoclosure () -> PlanPath, _ what: String
    ) throws(PlanError) {
        try line(text, path(), what)
        if text.isEmpty { throw PlanError(.value, path(), "\(what) is empty.") }
        if text.utf8.first == 0x2F {
            throw PlanError(
                .value, path(), "\(what) `\(text.prefix(256))` is absolute.",
                hint: "Paths are relative to the workspace.")
        }
        let parts = text.utf8.split(separator: 0x2F)
        if parts.contains(where: { $0.elementsEqual([0x2E, 0x2E]) }) {
            throw PlanError(
                .value, path(), "\(what) `\(text.prefix(256))` leaves the workspace.",
                hint: "Paths have no `..`.")
        }
    }

    /// A template whose steps stand before `limit` and have what is used of them.
    func template(
        _ template: Template, _ path: @autoclosure () -> PlanPath, before limit: Int
    ) throws(PlanError) {
        if let literal = template.literal { return try text(literal, path()) }
        if template.operationDepth > PlanLimits.operations {
            throw PlanError(
                .limit, path(),
                "More than \(PlanLimits.operations) string operations stand inside each other.",
                hint: "Do the work in a step's script.")
        }
        var next = template.parts
        while let part = next.popLast() {
            switch part {
            case .literal(let text): try self.text(text, path())
            case .secret(let key): try name(key, path(), "The key of a secret")
            case .code(let step):
                try before(step.value, limit, path(), "step")
            case .output(let step):
                try before(step.value, limit, path(), "step")
                if !plan.steps[step.int].capture {
                    throw PlanError(
                        .reference, path(),
                        "The output of `\(plan.steps[step.int].id.prefix(256))` is used, "
                            + "which does not capture it.",
                        hint: "Give that step `\"capture\": true`.")
                }
            case .operation(let operation):
                try self.operation(operation, path())
                next += operation.base.parts
            }
        }
    }

    private func operation(
        _ operation: Template.Operation, _ path: @autoclosure () -> PlanPath
    ) throws(PlanError) {
        for argument in operation.arguments { try text(argument, path()) }
        let counts = operation.name.argumentCounts
        if !counts.contains(operation.arguments.count) {
            throw PlanError(
                .value, path(),
                "`\(operation.name.rawValue)` takes \(counts.lowerBound) to \(counts.upperBound) "
                    + "arguments, not \(operation.arguments.count).")
        }
        let takesLimit = operation.name == .split || operation.name == .replace
        guard operation.limit >= -1, operation.limit == -1 || takesLimit,
            operation.limit <= Int64(Int32.max),
            operation.index == 0 || operation.name.picksElement,
            operation.index.magnitude <= UInt64(Int32.max)
        else {
            throw PlanError(
                .value, path(), "`\(operation.name.rawValue)` has no such index or limit.")
        }
    }
}

extension Template.Operation.Name {
    /// How many string arguments Python's method takes.
    var argumentCounts: ClosedRange<Int> {
        switch self {
        case .lower, .upper, .json, .quote, .dedent: 0...0
        case .strip, .lstrip, .rstrip, .split, .splitlines: 0...1
        case .removeprefix, .removesuffix: 1...1
        case .replace: 2...2
        }
    }
}

extension Unicode.Scalar {
    /// C0, DEL, C1, separators of lines, and what turns the direction of text.
    package var isControl: Bool {
        switch value {
        case 0...0x1F, 0x7F...0x9F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
