/// A compiled pipeline for given parameters and context: a graph of steps that is data.
///
/// The contract is `proto/danube/plan/v1/plan.proto`; this is its form in memory. Steps,
/// conditions, frames and groups are referred to by index, and refer only to what stands before
/// them, so every traversal is a loop.
package struct Plan: Sendable, Equatable {
    /// Version of the schema that this build reads and writes.
    package static let schemaVersion: UInt32 = 1

    /// Name given to `@pipeline(name=…)`, or the function's name.
    package var pipeline: String
    /// The pipeline function, as `file.py:function`.
    package var entry = ""
    /// Docstring of the pipeline function.
    package var description = ""
    /// Image of steps that name none; empty means the host.
    package var defaultImage = ""
    /// Jobs of one group do not run at once; empty means none.
    package var concurrency = ""
    /// What a job does when its group is taken: `serialize`, `replace` or `queue(N)`; empty means
    /// `serialize`.
    package var concurrencyRule = ""
    /// Resolved parameters, sorted by name.
    package var parameters: [Parameter] = []
    /// Context values that were read, sorted by name.
    package var context: [ContextValue] = []
    /// Steps in program order of the merged graph.
    package var steps: [Step] = []
    /// Shared conditions; one refers only to conditions before it.
    package var conditions: [Condition] = []
    /// Where evaluation ended; the first whose condition holds is the outcome.
    package var exits: [Exit] = []
    /// Shared call-stack frames; a parent stands before its children.
    package var frames: [Frame] = []
    /// Groups of branches; a parent stands before its children.
    package var groups: [Group] = []
    /// What was read of the repository, sorted by (kind, path).
    package var sources: [Source] = []
    /// What `print` said, in program order.
    package var notes: [Note] = []

    /// Creates an empty plan.
    package init(pipeline: String) { self.pipeline = pipeline }

    /// Whether a text is what `concurrencyRule` may be.
    package static func isConcurrencyRule(_ text: String) -> Bool {
        if ["", "serialize", "replace"].contains(text) { return true }
        guard text.hasPrefix("queue("), text.hasSuffix(")") else { return false }
        let digits = text.utf8.dropFirst(6).dropLast()
        return (1...9).contains(digits.count) && digits.allSatisfy { (0x30...0x39).contains($0) }
    }
}

/// Index of a step in `Plan.steps`.
package struct StepIndex: Hashable, Sendable, Comparable {
    /// 0-based; below 0 or past the end only in a plan that is not validated.
    package var value: Int32
    /// Takes a 0-based position.
    package init(_ value: Int) { self.value = Int32(truncatingIfNeeded: value) }
    /// The index as an array subscript.
    package var int: Int { Int(value) }
    /// Orders by position, which is program order.
    package static func < (a: StepIndex, b: StepIndex) -> Bool { a.value < b.value }
}

/// Index of a condition in `Plan.conditions`.
package struct ConditionIndex: Hashable, Sendable, Comparable {
    /// 0-based; below 0 or past the end only in a plan that is not validated.
    package var value: Int32
    /// Takes a 0-based position.
    package init(_ value: Int) { self.value = Int32(truncatingIfNeeded: value) }
    /// The index as an array subscript.
    package var int: Int { Int(value) }
    /// Orders by position; operands stand before what uses them.
    package static func < (a: ConditionIndex, b: ConditionIndex) -> Bool { a.value < b.value }
}

/// Index of a frame in `Plan.frames`.
package struct FrameIndex: Hashable, Sendable {
    /// 0-based; below 0 or past the end only in a plan that is not validated.
    package var value: Int32
    /// Takes a 0-based position.
    package init(_ value: Int) { self.value = Int32(truncatingIfNeeded: value) }
    /// The index as an array subscript.
    package var int: Int { Int(value) }
}

/// Index of a group in `Plan.groups`.
package struct GroupIndex: Hashable, Sendable {
    /// 0-based; below 0 or past the end only in a plan that is not validated.
    package var value: Int32
    /// Takes a 0-based position.
    package init(_ value: Int) { self.value = Int32(truncatingIfNeeded: value) }
    /// The index as an array subscript.
    package var int: Int { Int(value) }
}

/// A parameter of the pipeline with the value that this plan was compiled for.
package struct Parameter: Sendable, Equatable {
    /// Name of the function's argument.
    package var name: String
    /// `str`, `int`, `float`, `bool`, `literal`, `enum`, or `list[…]` of one of these.
    package var type: String
    /// The value as JSON.
    package var valueJSON: String
    /// Binds a parameter; the value is canonical JSON.
    package init(name: String, type: String, valueJSON: String) {
        self.name = name
        self.type = type
        self.valueJSON = valueJSON
    }
}

/// A context value (`ctx.branch`, …) that the danubefile read.
package struct ContextValue: Sendable, Equatable {
    /// Name in `ctx`, such as `branch`.
    package var name: String
    /// The value as JSON.
    package var valueJSON: String
    /// Binds a name of `ctx`; the value is canonical JSON.
    package init(name: String, valueJSON: String) {
        self.name = name
        self.valueJSON = valueJSON
    }
}

/// Something of the repository that the danubefile read.
package struct Source: Sendable, Equatable {
    /// What was read.
    package enum Kind: UInt8, Sendable, CaseIterable {
        case file = 0
        case listing = 1
        case absent = 2
    }
    /// Relative to the repository's root; empty for the root itself.
    package var path: String
    /// Whether it was a file, a folder's names, or nothing.
    package var kind: Kind
    /// SHA-256 of the content, or of the sorted names of a listing; empty when absent.
    package var digest: String
    /// Describes one read.
    package init(path: String, kind: Kind, digest: String) {
        self.path = path
        self.kind = kind
        self.digest = digest
    }
}

/// One frame of a call stack in the danubefile or a module of the repository.
package struct Frame: Sendable, Equatable {
    /// Path in the repository.
    package var file: String
    /// 1-based line where the call begins.
    package var line: Int32
    /// 1-based column in UTF-8 bytes; 0 means unknown.
    package var column: Int32
    /// 1-based line where the call ends; 0 means unknown.
    package var endLine: Int32
    /// Column after the last byte of the call; 0 means unknown.
    package var endColumn: Int32
    /// Name of the function that contains the call; `<module>` outside of all.
    package var function: String
    /// The caller; `nil` for the outermost frame.
    package var parent: FrameIndex?
    /// Describes a place and who called it.
    package init(
        file: String, line: Int32, column: Int32, endLine: Int32, endColumn: Int32,
        function: String, parent: FrameIndex?
    ) {
        self.file = file
        self.line = line
        self.column = column
        self.endLine = endLine
        self.endColumn = endColumn
        self.function = function
        self.parent = parent
    }
}

/// A `with parallel():` block, or a `with sequence(…):` branch of one.
package struct Group: Sendable, Equatable {
    /// Which block.
    package enum Kind: UInt8, Sendable, CaseIterable {
        case parallel = 0
        case sequence = 1
    }
    /// Whether its members run at the same time or one after the other.
    package var kind: Kind
    /// Name given to the block; empty means none.
    package var name: String
    /// The block that it stands in; `nil` means none.
    package var parent: GroupIndex?
    /// Whether a failed branch of a `parallel` cancels the others.
    package var failFast: Bool
    /// Place of the `with`; `nil` means unknown.
    package var frame: FrameIndex?
    /// Describes a block.
    package init(
        kind: Kind, name: String, parent: GroupIndex?, failFast: Bool, frame: FrameIndex?
    ) {
        self.kind = kind
        self.name = name
        self.parent = parent
        self.failFast = failFast
        self.frame = frame
    }
}

/// What `print` said, with its place in the program.
package struct Note: Sendable, Equatable {
    /// The words, with the results that are printed left open.
    package var text: Template
    /// When it is said; `nil` means always.
    package var condition: ConditionIndex?
    /// Place of the `print`; `nil` means unknown.
    package var frame: FrameIndex?
    /// How many steps stand before it.
    package var after: Int32
    /// Describes what is said after so many steps.
    package init(text: Template, condition: ConditionIndex?, frame: FrameIndex?, after: Int32) {
        self.text = text
        self.condition = condition
        self.frame = frame
        self.after = after
    }
}

/// Where evaluation ended.
package struct Exit: Sendable, Equatable {
    /// How it ended.
    package enum Kind: UInt8, Sendable, CaseIterable {
        case success = 0
        case failure = 1
        case live = 2
    }
    /// Whether the job succeeds, fails, or goes on live.
    package var kind: Kind
    /// When evaluation ends here; `nil` means always.
    package var condition: ConditionIndex?
    /// Why it ends, for people; empty when there is nothing to say.
    package var message: String
    /// Place of the `return`, `raise` or undecided expression; `nil` means unknown.
    package var frame: FrameIndex?
    /// Diagnostic code, when live.
    package var code: String
    /// The source text that cannot be decided beforehand, when live.
    package var expression: String
    /// Describes an end; `code` and `expression` belong to `live`.
    package init(
        kind: Kind, condition: ConditionIndex?, message: String = "", frame: FrameIndex? = nil,
        code: String = "", expression: String = ""
    ) {
        self.kind = kind
        self.condition = condition
        self.message = message
        self.frame = frame
        self.code = code
        self.expression = expression
    }
}
