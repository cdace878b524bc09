// What stands beside the steps: parameters, context, sources, frames, groups, notes, exits.
extension PlanReader {
    enum NamedKey: String, SchemaKey {
        case name, type, value
        static let table = KeyTable<Self>()
    }

    mutating func parameter() throws(PlanError) -> Parameter {
        var parameter = Parameter(name: "", type: "", valueJSON: "null")
        var keys = try ObjectKeys<NamedKey>(&json)
        while let key = try keys.next(&json) {
            switch key {
            case .name: parameter.name = try json.string()
            case .type: parameter.type = try json.string()
            case .value: parameter.valueJSON = try value()
            }
        }
        try keys.require(.name, .value, in: json)
        return parameter
    }

    enum ContextKey: String, SchemaKey {
        case name, value
        static let table = KeyTable<Self>()
    }

    mutating func contextValue() throws(PlanError) -> ContextValue {
        var context = ContextValue(name: "", valueJSON: "null")
        var keys = try ObjectKeys<ContextKey>(&json)
        while let key = try keys.next(&json) {
            switch key {
            case .name: context.name = try json.string()
            case .value: context.valueJSON = try value()
            }
        }
        try keys.require(.name, .value, in: json)
        return context
    }

    private mutating func value() throws(PlanError) -> String {
        String(decoding: try json.canonicalValue(), as: UTF8.self)
    }

    enum SourceKey: String, SchemaKey {
        case digest, kind, path
        static let table = KeyTable<Self>()
    }

    mutating func source() throws(PlanError) -> Source {
        var source = Source(path: "", kind: .file, digest: "")
        var keys = try ObjectKeys<SourceKey>(&json)
        while let key = try keys.next(&json) {
            switch key {
            case .path: source.path = try json.string()
            case .kind: source.kind = try word(Source.Kind.self, \.word)
            case .digest: source.digest = try json.string()
            }
        }
        try keys.require(.kind, .path, in: json)
        return source
    }

    enum FrameKey: String, SchemaKey {
        case column
        case endColumn = "end_column"
        case endLine = "end_line"
        case file, function, line, parent
        static let table = KeyTable<Self>()
    }

    mutating func frame() throws(PlanError) -> Frame {
        var frame = Frame(
            file: "", line: 0, column: 0, endLine: 0, endColumn: 0, function: "", parent: nil)
        var keys = try ObjectKeys<FrameKey>(&json)
        while let key = try keys.next(&json) {
            switch key {
            case .file: frame.file = try json.string()
            case .function: frame.function = try json.string()
            case .line: frame.line = Int32(try index("A line"))
            case .column: frame.column = Int32(try index("A column"))
            case .endLine: frame.endLine = Int32(try index("A line"))
            case .endColumn: frame.endColumn = Int32(try index("A column"))
            case .parent: frame.parent = FrameIndex(try index("A frame's index"))
            }
        }
        try keys.require(.file, in: json)
        return frame
    }

    enum GroupKey: String, SchemaKey {
        case failFast = "fail_fast"
        case frame, kind, name, parent
        static let table = KeyTable<Self>()
    }

    mutating func group() throws(PlanError) -> Group {
        var group = Group(kind: .parallel, name: "", parent: nil, failFast: true, frame: nil)
        var keys = try ObjectKeys<GroupKey>(&json)
        while let key = try keys.next(&json) {
            switch key {
            case .kind: group.kind = try word(Group.Kind.self, \.word)
            case .name: group.name = try json.string()
            case .failFast: group.failFast = try json.bool()
            case .parent: group.parent = GroupIndex(try index("A group's index"))
            case .frame: group.frame = FrameIndex(try index("A frame's index"))
            }
        }
        try keys.require(.kind, in: json)
        return group
    }

    enum NoteKey: String, SchemaKey {
        case after, frame, text, when
        static let table = KeyTable<Self>()
    }

    mutating func note() throws(PlanError) -> Note {
        var note = Note(text: .empty, condition: nil, frame: nil, after: 0)
        var keys = try ObjectKeys<NoteKey>(&json)
        while let key = try keys.next(&json) {
            switch key {
            case .text: note.text = try template()
            case .when: note.condition = ConditionIndex(try index("A condition's index"))
            case .frame: note.frame = FrameIndex(try index("A frame's index"))
            case .after: note.after = Int32(try index("A number of steps"))
            }
        }
        try keys.require(.text, in: json)
        return note
    }

    enum ExitKey: String, SchemaKey {
        case code, expression, frame, kind, message, when
        static let table = KeyTable<Self>()
    }

    mutating func exit() throws(PlanError) -> Exit {
        var exit = Exit(kind: .success, condition: nil)
        var keys = try ObjectKeys<ExitKey>(&json)
        while let key = try keys.next(&json) {
            switch key {
            case .kind: exit.kind = try word(Exit.Kind.self, \.word)
            case .when: exit.condition = ConditionIndex(try index("A condition's index"))
            case .message: exit.message = try json.string()
            case .frame: exit.frame = FrameIndex(try index("A frame's index"))
            case .code: exit.code = try json.string()
            case .expression: exit.expression = try json.string()
            }
        }
        try keys.require(.kind, in: json)
        return exit
    }
}
